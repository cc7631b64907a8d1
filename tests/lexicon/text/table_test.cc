#include "lexicon/text/table.h"

#include <gtest/gtest.h>

#include "base/config_error.h"

namespace glyphward::lexicon {
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

}  // namespace
}  // namespace glyphward::lexicon
