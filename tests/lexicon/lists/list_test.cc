#include "lexicon/lists/list.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/config_error.h"

namespace glyphward::lexicon {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon";

std::vector<Entry> list(const std::string& rows) {
  Lists lists;
  read_list("list.tsv", "term\tcategory\tseverity\tlanguage\tflags\tforms\n" + rows, lists);
  return lists.entries;
}

std::vector<Entry> shipped() {
  std::ifstream file(kFolder / "default.tsv", std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  Lists lists;
  read_list("default.tsv", content.str(), lists);
  return lists.entries;
}

TEST(List, WhatIsWrittenReadsTheSame) {
  const std::vector<Entry> entries = shipped();
  Lists again;
  read_list("again.tsv", write_list(entries), again);
  EXPECT_TRUE(diff(entries, again.entries).empty());
  EXPECT_EQ(write_list(entries), write_list(again.entries));
}

TEST(List, ImportsTextAsWordsALine) {
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

TEST(List, ImportsCsvWithSeverityAndTags) {
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

TEST(List, ImportsJsonOfWordsAndOfObjects) {
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

TEST(List, SaysWhatIsWrongWithAnImport) {
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

TEST(List, MergesAndTellsDifferences) {
  const std::vector<Entry> a = list("heck\tinsult\t3\ten\tplural\thecc\ndarn\tinsult\t1\ten\n");
  const std::vector<Entry> b = list("heck\tinsult\t5\ten\t\theckk\nzut\tinsult\t3\tfr\n");
  const std::vector<Entry> both = merge(a, b);
  ASSERT_EQ(both.size(), 3u);
  EXPECT_EQ(both[0].term.severity, 5);
  EXPECT_EQ(both[0].flags, static_cast<std::uint32_t>(kPlural));
  EXPECT_EQ(both[0].forms, (std::vector<std::string>{"hecc", "heckk"}));
  const std::vector<Difference> differences = diff(a, both);
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0].what, "severity 3 -> 5, form 'heckk' added");
  EXPECT_EQ(differences[1].kind, Difference::Kind::Added);
  EXPECT_EQ(diff(both, a)[1].kind, Difference::Kind::Removed);
}

TEST(List, LintsDuplicatesShadowsAndHarmlessWords) {
  const std::vector<Entry> entries = list(
      "heck\tinsult\t5\ten\tstem\theckk\nhecker\tinsult\t3\ten\ndarn\tinsult\t3\ten\t\theck\n");
  const auto path = std::filesystem::temp_directory_path() / "glyphward-lint.tsv";
  std::ofstream(path) << write_list(entries);
  const auto lexicon = Lexicon::load({path});
  std::filesystem::remove(path);
  const std::vector<Remark> remarks = lint(entries, *lexicon);
  ASSERT_EQ(remarks.size(), 2u);
  EXPECT_EQ(remarks[0].kind, Remark::Kind::Shadowed);
  EXPECT_EQ(remarks[0].term, "hecker");
  EXPECT_EQ(remarks[0].other, "heck");
  EXPECT_EQ(remarks[1].kind, Remark::Kind::Duplicate);
  const std::vector<Remark> harmless = lint_dictionary({"checker", "table"}, *lexicon);
  ASSERT_EQ(harmless.size(), 1u);
  EXPECT_EQ(harmless[0].spelling, "checker");
  EXPECT_EQ(harmless[0].steps, std::vector<std::string>{"compound"});
}

}  // namespace
}  // namespace glyphward::lexicon
