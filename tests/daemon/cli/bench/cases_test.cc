#include "daemon/cli/bench/cases.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/config_error.h"
#include "daemon/cli/bench/temporary_folder.h"

namespace glyphward::daemon {
namespace {

std::string complaint(const std::string& text) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "cases.jsonl";
  std::ofstream(file) << text;
  try {
    read_bundled_cases(file);
  } catch (const ConfigError& error) {
    return std::string(error.what()).substr(folder.path().string().size() + 1);
  }
  return "none";
}

TEST(BundledCases, ComeFromAFile) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "cases.jsonl";
  std::ofstream(file)
      << R"({"set": "two-lines", "words": ["GO", "42"], "prompt": "a \"go 42\"", "seed": 7, )"
      << R"("rendered": {"tesseract": true, "rapidocr": false}})"
      << "\n"
      << R"({"set": "localization", "words": ["CAT", "FLY"], "prompt": "a \"cat\"", )"
      << R"("swapped_prompt": "a \"fly\"", "seed": 0})"
      << "\n";
  const auto cases = read_bundled_cases(file);
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0].words, (std::vector<std::string>{"GO", "42"}));
  EXPECT_EQ(cases[0].seed, 7u);
  EXPECT_TRUE(cases[0].rendered.at("tesseract"));
  EXPECT_FALSE(cases[0].rendered.at("rapidocr"));
  EXPECT_EQ(cases[1].swapped_prompt, "a \"fly\"");
}

TEST(BundledCases, SayWhereTheyAreWrong) {
  EXPECT_EQ(complaint("{\n"), "cases.jsonl:1: expected a JSON object");
  EXPECT_EQ(complaint(R"({"set": 3})"), "cases.jsonl:1: set: expected a text, found 3");
  EXPECT_EQ(complaint(R"({"set": "one-line", "words": ["A"], "prompt": "a", "seed": -1})"),
            "cases.jsonl:1: seed: expected a number of 0 or more, found -1");
  EXPECT_EQ(complaint(R"({"set": "three", "words": ["A"], "prompt": "a", "seed": 1})"),
            "cases.jsonl:1: set: expected one-line, two-lines, free or localization, found three");
  EXPECT_EQ(complaint(""), "cases.jsonl: expected at least one case, found none");
}

TEST(BundledCases, AreSpreadOverTheSet) {
  const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(spread(all, 0), all);
  EXPECT_EQ(spread(all, 12), all);
  EXPECT_EQ(spread(all, 3), (std::vector<int>{0, 3, 6}));
}

}  // namespace
}  // namespace glyphward::daemon
