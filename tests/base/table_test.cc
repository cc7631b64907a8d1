#include "base/table.h"

#include <gtest/gtest.h>

#include <string>

#include "base/config_error.h"

namespace glyphward {
namespace {

using Fields = std::vector<std::string>;

TEST(TableReader, ReadsRowsBelowAHeader) {
  TableReader table("t", "# about\n\nkind\tvalue\r\na\t 1 \n\nb\r\n");
  EXPECT_EQ(table.header(), (Fields{"kind", "value"}));
  ASSERT_TRUE(table.next());
  EXPECT_EQ(table.fields(), (Fields{"a", "1"}));
  EXPECT_EQ(table.line(), 4);
  ASSERT_TRUE(table.next());
  EXPECT_EQ(table.fields(), (Fields{"b", ""}));
  EXPECT_FALSE(table.next());
  EXPECT_FALSE(table.next());
}

TEST(TableReader, NamesFileAndLine) {
  TableReader table("t.tsv", "kind\nok\na\tb");
  table.next();
  try {
    table.next();
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "t.tsv:3: expected at most 1 fields, found 2");
  }
}

TEST(TableReader, TakesAnEmptyText) {
  TableReader table("t", "");
  EXPECT_TRUE(table.header().empty());
  EXPECT_FALSE(table.next());
}

TEST(Table, HasARowPerLineAndKnowsWhichLine) {
  const std::vector<TableRow> rows = table_rows("# a comment\n\na\tb c\n#\nd\t#\n", "t.tsv", 2);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].line, 3);
  EXPECT_EQ(rows[0].fields, (std::vector<std::string>{"a", "b c"}));
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
