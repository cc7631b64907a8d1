#include "policy/toml/toml_reader.h"

#include <gtest/gtest.h>

#include "base/config_error.h"

namespace glyphward::policy {
namespace {

TomlReader reader(const std::string& content) { return {"file.toml", content}; }

std::vector<std::string> problems(TomlReader& toml) {
  std::vector<std::string> texts;
  for (const Problem& problem : toml.problems()) texts.push_back(to_string(problem));
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Problem, SaysWhereAsFarAsThatIsKnown) {
  EXPECT_EQ(to_string(Problem{"f.toml", {3, 7}, "key", "wrong"}), "f.toml:3:7: key: wrong");
  EXPECT_EQ(to_string(Problem{"f.toml", {3, 0}, "", "wrong"}), "f.toml:3: wrong");
  EXPECT_EQ(to_string(Problem{"f.toml", {}, "", "wrong"}), "f.toml: wrong");
  EXPECT_EQ(to_string(Problem{{}, {}, "", "wrong"}), "wrong");
}

TEST(TomlReader, ReadsEachKindOfValue) {
  TomlReader toml = reader(R"(
text = "a"
yes = true
whole = 3
part = 0.5
action = "review"
list = ["x", "y"]
[table]
[[rows]]
[[rows]]
)");
  const toml::table& root = toml.root();
  EXPECT_EQ(toml.text(root, "text"), "a");
  EXPECT_EQ(toml.boolean(root, "yes"), true);
  EXPECT_EQ(toml.number(root, "whole", 0, 3), 3);
  EXPECT_EQ(toml.real(root, "part", 0, 1), 0.5);
  EXPECT_EQ(toml.real(root, "whole", 0, 3), 3) << "a whole number is a number";
  EXPECT_EQ(toml.action(root, "action", kActions), Action::Review);
  EXPECT_EQ(toml.required_action(root, "action", kActions), Action::Review);
  const auto list = toml.strings(root, "list", {});
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1].value, "y");
  EXPECT_EQ(list[1].place.line, 7);
  EXPECT_EQ(list[1].place.column, 14);
  EXPECT_NE(toml.table(root, "table"), nullptr);
  EXPECT_EQ(toml.tables(root, "rows").size(), 2u);
  EXPECT_EQ(toml.problems().size(), 0u);
}

TEST(TomlReader, WhatIsNotThereReadsAsNothing) {
  TomlReader toml = reader("");
  const toml::table& root = toml.root();
  EXPECT_FALSE(toml.text(root, "a"));
  EXPECT_FALSE(toml.boolean(root, "a"));
  EXPECT_FALSE(toml.number(root, "a", 0, 1));
  EXPECT_FALSE(toml.real(root, "a", 0, 1));
  EXPECT_FALSE(toml.action(root, "a", kActions));
  EXPECT_TRUE(toml.strings(root, "a", {}).empty());
  EXPECT_EQ(toml.table(root, "a"), nullptr);
  EXPECT_TRUE(toml.tables(root, "a").empty());
  EXPECT_EQ(toml.problems().size(), 0u);
  EXPECT_FALSE(toml.required_action(root, "action", kActions));
  EXPECT_EQ(problems(toml),
            Texts{"file.toml:1:1: action: expected allow, substitute, review or block; found no "
                  "such key"});
}

TEST(TomlReader, NotesWhatIsOfAnotherKindOrOutOfRange) {
  TomlReader toml = reader("a = 9\nb = \"x\"\nc = [1]\nd = []\ne = [[1]]\n");
  const toml::table& root = toml.root();
  EXPECT_FALSE(toml.text(root, "a"));
  EXPECT_FALSE(toml.boolean(root, "a"));
  EXPECT_FALSE(toml.number(root, "a", 0, 7));
  EXPECT_FALSE(toml.number(root, "b", 0, 7));
  EXPECT_FALSE(toml.real(root, "a", 0.5, 1));
  EXPECT_FALSE(toml.real(root, "b", 0.5, 1));
  EXPECT_FALSE(toml.action(root, "b", kActions));
  EXPECT_TRUE(toml.strings(root, "a", {}).empty());
  EXPECT_TRUE(toml.strings(root, "c", {}).empty());
  EXPECT_TRUE(toml.strings(root, "d", {}).empty());
  EXPECT_EQ(toml.table(root, "a"), nullptr);
  EXPECT_TRUE(toml.tables(root, "c").empty());
  EXPECT_EQ(problems(toml),
            (Texts{"file.toml:1:5: a: expected a string, found integer",
                   "file.toml:1:5: a: expected true or false, found integer",
                   "file.toml:1:5: a: expected a whole number from 0 to 7, found 9",
                   "file.toml:2:5: b: expected a whole number from 0 to 7, found string",
                   "file.toml:1:5: a: expected a number from 0.5 to 1, found 9",
                   "file.toml:2:5: b: expected a number from 0.5 to 1, found string",
                   "file.toml:2:5: b: expected one of allow, substitute, review, block, found 'x'",
                   "file.toml:1:5: a: expected a list of strings, found integer",
                   "file.toml:3:6: c: expected a string, found integer",
                   "file.toml:4:5: d: expected at least one entry, found an empty list",
                   "file.toml:1:5: a: expected a table, found integer",
                   "file.toml:3:5: c: expected tables [[c]], found array"}));
  EXPECT_TRUE(toml.strings(root, "d", {}, true).empty());
  EXPECT_EQ(toml.problems().size(), 12u) << "an empty list may be allowed";
}

TEST(TomlReader, OnlyTheActionsThatAreAllowed) {
  TomlReader toml = reader("a = \"substitute\"\n");
  const std::vector<Action> allowed = {Action::Allow, Action::Block};
  EXPECT_FALSE(toml.action(toml.root(), "a", allowed));
  EXPECT_EQ(problems(toml),
            Texts{"file.toml:1:5: a: expected one of allow, block, found 'substitute'"});
}

TEST(TomlReader, NotesUnknownKeysAndWhatTheyMayMean) {
  TomlReader toml = reader("known = 1\nknwon = 2\nzzzzzzzz = 3\n");
  toml.check_keys(toml.root(), {"known", "other"}, "rule");
  const Texts found = problems(toml);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0],
            "file.toml:2:1: rule.knwon: unknown key; did you mean 'known'? Known here: known, "
            "other");
  EXPECT_EQ(found[1], "file.toml:3:1: rule.zzzzzzzz: unknown key Known here: known, other");
}

TEST(TomlReader, ALineThatIsNoTomlHidesNoOther) {
  TomlReader toml = reader("a = = 1\nb = 2\n");
  EXPECT_EQ(toml.number(toml.root(), "b", 0, 9), 2);
  ASSERT_EQ(toml.problems().size(), 1u);
  EXPECT_EQ(toml.problems()[0].place.line, 1);
  toml.note_missing(toml.root().source(), "a", "expected it");
  EXPECT_EQ(toml.problems().size(), 1u) << "it may be in the line that was left out";
  // Without a table's header its keys would be taken for another table's: the rest is not read.
  TomlReader header = reader("[[rule\nb = 2\n");
  EXPECT_FALSE(header.number(header.root(), "b", 0, 9));
  EXPECT_EQ(header.problems().size(), 1u);
  // However broken the file is, the reader comes to an end.
  std::string broken;
  for (int i = 0; i < 1000; ++i) broken += "= =\n";
  TomlReader endless = reader(broken);
  EXPECT_LE(endless.problems().size(), 20u);
}

TEST(Suggestion, IsTheNearestWordIfOneIsNear) {
  const std::vector<std::string> known = {"action", "rule", "severity_min"};
  EXPECT_EQ(suggestion("acton", known), "; did you mean 'action'?");
  EXPECT_EQ(suggestion("severty_mni", known), "; did you mean 'severity_min'?");
  EXPECT_EQ(suggestion("lure", known), "; did you mean 'rule'?");
  EXPECT_EQ(suggestion("qqqqqq", known), "");
  EXPECT_EQ(suggestion(std::string(100, 'a'), known), "") << "too long for any key";
  EXPECT_EQ(suggestion("action", {}), "");
  EXPECT_EQ(joined({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(joined({}), "");
}

TEST(ThrowFirst, NamesTheFirstAndCountsTheRest) {
  const Problem first{"f.toml", {3, 7}, "key", "wrong"};
  try {
    throw_first({first, first, first});
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "f.toml:3: key: column 7: wrong (2 more problems: `glyphward policy check` lists "
                 "them)");
  }
  EXPECT_THROW(throw_first({first}), ConfigError);
}

}  // namespace
}  // namespace glyphward::policy
