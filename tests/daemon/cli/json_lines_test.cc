#include "daemon/cli/json_lines.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/config_error.h"
#include "daemon/cli/bench/temporary_folder.h"

namespace glyphward::daemon {
namespace {

class JsonLinesFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) const {
    const auto file = folder_.path() / "lines.jsonl";
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

  // Without the folder's name.
  std::string complaint(const std::string& text, const JsonLinesForm& form = {}) const {
    return complaint_of([&] {
      JsonLines lines(write(text), form);
      while (lines.next()) lines.text("a");
    });
  }

  template <typename Run>
  std::string complaint_of(const Run& run) const {
    try {
      run();
    } catch (const ConfigError& error) {
      return std::string(error.what()).substr(folder_.path().string().size() + 1);
    }
    return "none";
  }

  const TemporaryFolder folder_;
};

TEST_F(JsonLinesFile, GivesObjectsAndLeavesBlankLinesOut) {
  JsonLines lines(write("{\"a\": \"x\"}\n\n \t\r\n{\"a\": \"y\", \"n\": 3}"));
  ASSERT_TRUE(lines.next());
  EXPECT_EQ(lines.text("a"), "x");
  EXPECT_FALSE(lines.has("n"));
  ASSERT_TRUE(lines.next());
  EXPECT_EQ(lines.text("a"), "y");
  EXPECT_EQ(lines.get<int>("n", "a number"), 3);
  EXPECT_FALSE(lines.next());
}

TEST_F(JsonLinesFile, SaysWhereALineIsWrong) {
  EXPECT_EQ(complaint("{\"a\": \"x\"}\n\n{\n"), "lines.jsonl:3: expected a JSON object");
  EXPECT_EQ(complaint("[1]"), "lines.jsonl:1: expected a JSON object");
  EXPECT_EQ(complaint("[1]", {.of_line = " {\"a\"}"}),
            "lines.jsonl:1: expected a JSON object {\"a\"}");
  EXPECT_EQ(complaint("{}"), "lines.jsonl:1: a: expected a text, found none");
  EXPECT_EQ(complaint("{\"a\": [3]}"), "lines.jsonl:1: a: expected a text, found [3]");
  EXPECT_EQ(complaint(""), "none");
}

TEST_F(JsonLinesFile, TakesOtherBytesWhereItShould) {
  const std::string line = "{\"a\": \"\xFF\"}";
  EXPECT_EQ(complaint(line), "lines.jsonl:1: expected a JSON object");
  EXPECT_EQ(complaint(line, {.any_bytes = true}), "none");
}

TEST_F(JsonLinesFile, NamesAFileThatCannotBeRead) {
  EXPECT_EQ(complaint_of([&] { JsonLines(folder_.path() / "none", {.if_missing = "; look"}); }),
            "none: cannot be read; look");
  EXPECT_EQ(complaint_of([&] { JsonLines(folder_.path() / "").next(); }), ": cannot be read");
}

}  // namespace
}  // namespace glyphward::daemon
