#include "lexicon/lists/import.h"

#include <gtest/gtest.h>

#include "base/config_error.h"
#include "lexicon/lists/list.h"

namespace glyphward::lexicon {
namespace {

TEST(Import, ReadsTextAsWordsALine) {
  ImportDefaults defaults;
  defaults.language = "fr";
  const Imported imported = import_list("fr", "zut\r\n\n# a comment\nZut\nsacre bleu\n!!\n",
                                        ImportFormat::Text, defaults);
  ASSERT_EQ(imported.entries.size(), 2u);
  EXPECT_EQ(imported.entries[0].term.term, "zut");
  EXPECT_EQ(imported.entries[0].term.language, "fr");
  EXPECT_EQ(imported.entries[0].term.severity, 3);
  EXPECT_EQ(imported.entries[1].term.term, "sacre bleu");
  ASSERT_EQ(imported.warnings.size(), 1u);
  EXPECT_NE(imported.warnings[0].find("line 6"), std::string::npos);
}

TEST(Import, ReadsCsvWithSeverityAndTags) {
  ImportDefaults defaults;
  defaults.scale = 3;
  const Imported imported = import_list("list.csv",
                                        "text,canonical_form_1,category_1,severity_rating\n"
                                        "\"dang, it\",dang,sexual anatomy / sexual acts,2.0\n"
                                        "heck,heck,religious offense,3\n",
                                        ImportFormat::Csv, defaults);
  ASSERT_EQ(imported.entries.size(), 2u);
  EXPECT_EQ(imported.entries[0].term.term, "dang");
  EXPECT_EQ(imported.entries[0].forms, std::vector<std::string>{"dang, it"});
  EXPECT_EQ(imported.entries[0].term.category, "sexual");
  EXPECT_EQ(imported.entries[0].term.severity, 4);
  EXPECT_EQ(imported.entries[1].term.category, "religious");
  EXPECT_EQ(imported.entries[1].term.severity, 7);
}

TEST(Import, ReadsJsonOfWordsAndOfObjects) {
  const Imported imported = import_list(
      "list.json",
      R"(["darn", {"match": "heck|hecc", "tags": ["racial"], "severity": 4, "language": "en"}])",
      ImportFormat::Json, {});
  ASSERT_EQ(imported.entries.size(), 2u);
  EXPECT_EQ(imported.entries[1].term.term, "heck");
  EXPECT_EQ(imported.entries[1].forms, std::vector<std::string>{"hecc"});
  EXPECT_EQ(imported.entries[1].term.category, "racial");
  EXPECT_EQ(imported.entries[1].term.severity, 7);
  Lists lists;
  read_list("imported.tsv", write_list(imported.entries), lists);
  EXPECT_TRUE(diff(imported.entries, lists.entries).empty());
}

TEST(Import, SaysWhatIsWrong) {
  const struct {
    ImportFormat format;
    const char* content;
    const char* expected;
  } cases[] = {
      {ImportFormat::Csv, "name,kind\nx,y\n", "list:1: header: expected a column"},
      {ImportFormat::Csv, "text,severity\nheck,9\n",
       "list:2: severity: expected 1 to 4, found '9'"},
      {ImportFormat::Csv, "text\n\"heck\n", "not closed"},
      {ImportFormat::Json, "{", "not JSON"},
      {ImportFormat::Json, "{}", "expected an array"},
      {ImportFormat::Json, "[{\"severity\": 2}]", "list:1: term: expected term"},
      {ImportFormat::Json, "[1]", "expected a word or an object"},
  };
  for (const auto& c : cases) {
    try {
      import_list("list", c.content, c.format, {});
      ADD_FAILURE() << c.content;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(c.expected), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace glyphward::lexicon
