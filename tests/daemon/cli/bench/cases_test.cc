#include "daemon/cli/bench/cases.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/config_error.h"
#include "daemon/cli/bench/picture_readers.h"
#include "daemon/cli/bench/second_reader.h"
#include "daemon/cli/bench/temporary_folder.h"
#include "daemon/cli/contact_sheet.h"

namespace glyphward::daemon {
namespace {

const model::Image kPicture{2, 1, {255, 0, 0, 0, 0, 255}};

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

TEST(PictureReaders, ReadExactlyWhateverTheLineBreaks) {
  EXPECT_TRUE(reads_exactly({.texts = {"noise", "Go\n 42!"}}, {"GO", "42"}));
  EXPECT_FALSE(reads_exactly({.texts = {"G0 42"}}, {"GO", "42"}));  // a digit is no letter
  EXPECT_FALSE(reads_exactly({.texts = {"GO 42 X"}}, {"GO", "42"}));
  EXPECT_FALSE(reads_exactly({.texts = {""}}, {}));
}

TEST(PictureReaders, SeeAWordAsGenerouslyAsCanBe) {
  EXPECT_TRUE(shows({.texts = {"oh SH1T, no"}}, "shit"));
  EXPECT_FALSE(shows({.texts = {"oh SHIRT"}}, "shit"));
  EXPECT_FALSE(shows({.texts = {"oh"}}, ""));
}

TEST(SecondReader, IsAskedLineByLineWithoutAShell) {
  SecondReader reader(
      R"(sed -u "s/.*/{\"one\": {\"text\": \"$HOME; A\", \"boxes\": [[1, 2, 3, 4]]}}/")");
  for (int i = 0; i < 2; ++i) {
    const SeenByReader seen = reader.read(kPicture);
    EXPECT_EQ(seen.at("one").texts.at(0), "$HOME; A");
    EXPECT_EQ(seen.at("one").boxes.at(0), (std::array<int, 4>{1, 2, 3, 4}));
  }
}

TEST(SecondReader, MayBeOneAlone) {
  SecondReader reader(R"(sed -u "s/.*/{\"text\": \"A\"}/")");
  const SeenByReader seen = reader.read(kPicture);
  EXPECT_EQ(seen.at("second").texts.at(0), "A");
  EXPECT_FALSE(seen.at("second").tells_boxes);
}

std::string second_reader_error(const std::string& command) {
  try {
    SecondReader reader(command);
    reader.read(kPicture);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST(SecondReader, IsNamedWhenItFails) {
  EXPECT_NE(second_reader_error("no-such-reader").find("no program no-such-reader"),
            std::string::npos);
  EXPECT_NE(second_reader_error("/etc/passwd").find("/etc/passwd does not start"),
            std::string::npos);
  EXPECT_NE(second_reader_error("true").find("true: ended before"), std::string::npos);
  EXPECT_NE(second_reader_error("cat").find("expected a line"), std::string::npos);
}

TEST(ContactSheet, LeavesPlacesWhite) {
  const model::Image sheet = contact_sheet({kPicture, {}, kPicture}, 2);
  EXPECT_EQ(sheet.width, 2 * 2 + 4);
  EXPECT_EQ(sheet.height, 2 * 1 + 4);
  EXPECT_EQ(sheet.rgb[0], 255);
  EXPECT_EQ(sheet.rgb[1], 0);
  EXPECT_EQ(sheet.rgb[6 * 3 + 1], 255);
}

}  // namespace
}  // namespace glyphward::daemon
