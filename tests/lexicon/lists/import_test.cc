#include "lexicon/lists/import.h"

#include <gtest/gtest.h>

#include <map>

#include "base/config_error.h"
#include "lexicon/lists/list.h"

namespace glyphward::lexicon {
namespace {

TEST(Import, ReadsTextAsWordsALine) {
  ImportDefaults defaults;
  defaults.language = "fr";
  const Imported imported = import_list("fr", "zut\r\n\n# a comment\nZut\nsacre bleu\n#zut\n",
                                        ImportFormat::Text, defaults);
  ASSERT_EQ(imported.entries.size(), 2u);
  EXPECT_EQ(imported.entries[0].term.term, "zut");
  EXPECT_EQ(imported.entries[0].term.language, "fr");
  EXPECT_EQ(imported.entries[0].term.severity, 3);
  EXPECT_EQ(imported.entries[1].term.term, "sacre bleu");
  EXPECT_EQ(imported.rows, 4u);
  EXPECT_EQ(imported.merged, 1u);
  ASSERT_EQ(imported.left_out.size(), 1u);
  EXPECT_EQ(imported.left_out[0].line, 6);
  EXPECT_EQ(imported.left_out[0].spelling, "#zut");
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

// Each of these was lost, with exit status 0.
TEST(Import, KeepsNamesWithSigns) {
  const char* const names[] = {
      "C&A",     "AT&T", "Yahoo!",     "Toys \"R\" Us", "M&M's", "7-Eleven",    "a|b",
      "E*TRADE", "!!",   "\U0001F595", "K\u00E4rcher",  "$GME",  "\u8D85\u5E02"};
  std::string text, csv = "text,severity\n", json = "[";
  for (const std::string name : names) {
    text += name + "\n";
    std::string doubled;
    for (const char c : name) doubled += c == '"' ? "\"\"" : std::string(1, c);
    csv += "\"" + doubled + "\",2\n";
    std::string escaped;
    for (const char c : name) escaped += c == '"' ? "\\\"" : std::string(1, c);
    json += (json.size() > 1 ? ",\"" : "\"") + escaped + "\"";
  }
  for (const auto& [format, content] : {std::pair{ImportFormat::Text, text},
                                        {ImportFormat::Csv, csv},
                                        {ImportFormat::Json, json + "]"}}) {
    const Imported imported = import_list("brands", content, format, {});
    EXPECT_EQ(imported.rows, std::size(names));
    EXPECT_EQ(imported.entries.size(), std::size(names));
    EXPECT_TRUE(imported.left_out.empty());
    Lists lists;
    read_list("again.tsv", write_list(imported.entries), lists);
    EXPECT_TRUE(diff(imported.entries, lists.entries).empty());
    EXPECT_EQ(imported.entries[0].term.term, "c&a");
    EXPECT_EQ(imported.entries[0].flags, static_cast<std::uint32_t>(kLiteral));
    EXPECT_EQ(imported.entries[5].flags, 0u) << "7-Eleven needs no signs";
  }
}

TEST(Import, NamesEachRowThatItCannotKeep) {
  const std::string long_word(kTermLettersMax + 1, 'x');
  const Imported imported = import_list("list.csv",
                                        "text,severity\nheck,1\n,2\n#heck,1\n\"two\nlines\",1\n" +
                                            long_word + ",1\nAcme, Inc,1\n\n\"\u200B\",1\nHECK,2\n",
                                        ImportFormat::Csv, {});
  ASSERT_EQ(imported.entries.size(), 2u);
  EXPECT_EQ(imported.entries[1].term.term, "two lines");
  std::vector<int> lines;
  for (const LeftOut& one : imported.left_out) {
    lines.push_back(one.line);
    EXPECT_NE(one.reason, "");
  }
  EXPECT_EQ(lines, (std::vector<int>{3, 4, 7, 8, 10}));
  EXPECT_EQ(imported.rows, imported.entries.size() + imported.merged + imported.left_out.size());
}

TEST(Import, CountsCategoriesThatItDoesNotKnow) {
  ImportDefaults defaults;
  defaults.category = "competitor";
  const Imported csv =
      import_list("list.csv", "text,category\na b,Rival\nc d,rival\ne f,racial\ng h,Rival\n",
                  ImportFormat::Csv, defaults);
  EXPECT_EQ(csv.unknown_categories,
            (std::map<std::string, std::size_t>{{"Rival", 2}, {"rival", 1}}));
  EXPECT_EQ(csv.entries[0].term.category, "competitor");
  const Imported json = import_list(
      "list.json", R"([{"term": "a b", "category": "rival"}, {"term": "c d", "category": "hate"}])",
      ImportFormat::Json, {});
  EXPECT_EQ(json.unknown_categories, (std::map<std::string, std::size_t>{{"rival", 1}}));
}

// A row with spellings of both kinds becomes a term of each, and none is lost.
TEST(Import, PartsSpellingsWithSignsFromWords) {
  const Imported imported =
      import_list("list.json", R"([{"match": "H&M|hennes|h and m|H+M"}])", ImportFormat::Json, {});
  ASSERT_EQ(imported.entries.size(), 2u);
  EXPECT_EQ(imported.entries[0].term.term, "hennes");
  EXPECT_EQ(imported.entries[0].forms, std::vector<std::string>{"h and m"});
  EXPECT_EQ(imported.entries[1].term.term, "h&m");
  EXPECT_EQ(imported.entries[1].forms, std::vector<std::string>{"h+m"});
  EXPECT_EQ(imported.merged, 0u);
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
