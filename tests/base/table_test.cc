#include "base/table.h"

#include <gtest/gtest.h>

#include <string>

#include "base/config_error.h"

namespace glyphward {
namespace {

TEST(Table, HasARowPerLineAndKnowsWhichLine) {
  const std::vector<TableRow> rows = table_rows("# a comment\n\na\tb c\n#\nd\t#\n", "t.tsv", 2);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].line, 3);
  EXPECT_EQ(rows[0].fields, (std::vector<std::string_view>{"a", "b c"}));
  EXPECT_EQ(rows[1].line, 5);
  EXPECT_EQ(rows[1].fields[1], "#");
  EXPECT_TRUE(table_rows("", "t.tsv", 2).empty());
}

TEST(Table, NamesTheLineAtFault) {
  const auto message = [](const char* table) -> std::string {
    try {
      table_rows(table, "t.tsv", 2);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message("a\tb\nc\n"), "t.tsv:2: expected 2 fields separated by tabs, found 1");
  EXPECT_EQ(message("a\tb\tc"), "t.tsv:1: expected 2 fields separated by tabs, found 3");
  EXPECT_EQ(message("a\t\n"), "t.tsv:1: expected no empty field, found one");
}

}  // namespace
}  // namespace glyphward
