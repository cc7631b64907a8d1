// What the lexicon has learnt, and what it has learnt by heart. The prompts of
// tests/data/lexicon/split.jsonl are terms in every disguise and ordinary words in the same ones
// (bench/lexicon/sets makes them). They are parted twice: the terms into a half to fit on (A) and
// one to test on (B), and so are the prompts around them. Here the lists know half B by its terms
// alone: no other spelling of them. What the first half is found better than the second was learnt
// by heart.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "lexicon/lexicon.h"
#include "lexicon/lists/list.h"

namespace glyphward::lexicon {
namespace {

const std::filesystem::path kRoot = GLYPHWARD_SOURCE_DIR;

struct Count {
  int flagged = 0;
  int rows = 0;
  double share() const { return rows == 0 ? 0.0 : static_cast<double>(flagged) / rows; }
  void add(bool flag) {
    ++rows;
    flagged += flag ? 1 : 0;
  }
};

struct Row {
  std::string text, label, kind, term_half, template_half;
  std::string term;  // empty of clean rows
};

std::vector<Row> read_rows(const char* name) {
  std::ifstream file(kRoot / "tests/data/lexicon" / name);
  EXPECT_TRUE(file) << name;
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    const boost::json::object object = boost::json::parse(line).as_object();
    const auto field = [&](const char* key) {
      const auto* value = object.if_contains(key);
      return value == nullptr ? std::string() : std::string(value->as_string());
    };
    Row row{field("text"),      field("label"),         field("kind"),
            field("term_half"), field("template_half"), ""};
    if (const auto* terms = object.if_contains("terms")) {
      row.term = std::string(terms->as_array().at(0).as_string());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// The shipped lists without the other spellings of these terms.
std::shared_ptr<const Lexicon> without_forms_of(const std::set<std::string>& terms) {
  Lists lists;
  const std::filesystem::path shipped = kRoot / "lexicon/default.tsv";
  read_list(shipped, read_file(shipped), lists);
  for (Entry& entry : lists.entries) {
    if (terms.contains(entry.term.term)) entry.forms.clear();
  }
  const auto path = std::filesystem::temp_directory_path() /
                    ("glyphward-split-" + std::to_string(getpid()) + ".tsv");
  std::ofstream(path) << write_list(lists.entries);
  auto lexicon = Lexicon::load({path, kRoot / "lexicon/allow.tsv"});
  std::filesystem::remove(path);
  return lexicon;
}

bool flags(const Lexicon& lexicon, const std::string& prompt) {
  for (const Finding& finding : lexicon.analyze(prompt).findings) {
    if (finding.flags()) return true;
  }
  return false;
}

void print(const char* name, const std::map<std::string, Count>& counts) {
  for (const auto& [key, count] : counts) {
    std::printf("%-14s %-28s %5d of %5d  %.4f\n", name, key.c_str(), count.flagged, count.rows,
                count.share());
  }
}

// The bounds are what this matcher reaches, less a few rows: raise them with it. The aim is 0.95
// found of either half, and 0.003 accused.
constexpr double kRecallMin = 0.92;
constexpr double kAccusedMax = 0.008;
// What half A may be ahead by: a gain that the other half does not share was learnt by heart.
constexpr double kByHeartMax = 0.05;

TEST(Split, HoldsOnTheHalvesThatNothingWasFittedTo) {
  const std::vector<Row> rows = read_rows("split.jsonl");
  std::set<std::string> held_back;
  for (const Row& row : rows) {
    if (row.term_half == "B" && !row.term.empty()) held_back.insert(row.term);
  }
  ASSERT_GE(held_back.size(), 100u);
  const auto lexicon = without_forms_of(held_back);
  std::map<std::string, Count> terms, templates, accused, kinds;
  for (const Row& row : rows) {
    const bool flagged = flags(*lexicon, row.text);
    if (row.label == "clean") {
      accused["words " + row.term_half].add(flagged);
      accused["templates " + row.template_half].add(flagged);
      kinds["clean " + row.kind].add(flagged);
    } else {
      terms[row.term_half].add(flagged);
      templates[row.template_half].add(flagged);
      kinds["toxic " + row.kind].add(flagged);
    }
  }
  print("kind", kinds);
  print("found, terms", terms);
  print("found, prompts", templates);
  print("accused", accused);
  EXPECT_GE(terms["B"].share(), kRecallMin);
  EXPECT_GE(templates["B"].share(), kRecallMin);
  EXPECT_LE(terms["A"].share() - terms["B"].share(), kByHeartMax);
  EXPECT_LE(templates["A"].share() - templates["B"].share(), kByHeartMax);
  EXPECT_LE(accused["words B"].share(), kAccusedMax);
  EXPECT_LE(accused["templates B"].share(), kAccusedMax);
}

// Innocents that stand close: names, places, titles, other languages, ordinary words that hold a
// term's letters. The aim is 0.015.
constexpr double kCloseMax = 0.03;

TEST(Split, LeavesInnocentsThatStandClose) {
  const auto lexicon = Lexicon::load({kRoot / "lexicon/default.tsv", kRoot / "lexicon/allow.tsv"});
  std::map<std::string, Count> kinds;
  Count all;
  for (const Row& row : read_rows("close.jsonl")) {
    const bool flagged = flags(*lexicon, row.text);
    kinds[row.kind].add(flagged);
    all.add(flagged);
  }
  print("close", kinds);
  std::printf("all: %d of %d, %.4f\n", all.flagged, all.rows, all.share());
  ASSERT_GE(all.rows, 500);
  EXPECT_LE(all.share(), kCloseMax);
}

}  // namespace
}  // namespace glyphward::lexicon
