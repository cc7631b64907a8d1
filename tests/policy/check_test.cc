// What a policy's check says: Policy::check() and what load() throws.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/config_error.h"
#include "policy/policy.h"
#include "policy/toml/toml_reader.h"
#include "tests/policy/temporary_policy.h"

namespace glyphward::policy {
namespace {

TEST(Policy, SaysWhatIsWrongWithAFile) {
  const struct {
    const char* rules;
    const char* expected;
  } cases[] = {
      {"defualt_action = \"allow\"\n",
       "policy.toml:2: defualt_action: column 1: unknown key; did you mean 'default_action'?"},
      {"[[rule]]\nname = \"a\"\nseverty_min = 2\naction = \"block\"\n",
       ":4: rule.severty_min: column 1: unknown key; did you mean 'severity_min'?"},
      {"[[rule]]\nname = \"a\"\naction = \"blok\"\n", "found 'blok'; did you mean 'block'?"},
      {"[[rule]]\nname = \"a\"\ncategories = [\"racist\"]\naction = \"block\"\n",
       "categories: column 15: expected one of"},
      {"[[rule]]\nname = \"a\"\ncategories = []\naction = \"block\"\n",
       "expected at least one entry"},
      {"[[rule]]\nname = \"a\"\n", "action: column 1: expected allow, substitute, review or block"},
      {"[[rule]]\naction = \"block\"\n", "rule.name: column 1: expected a name"},
      {"[[rule]]\nname = \"a\"\nseverity_min = 8\naction = \"block\"\n", "from 0 to 7, found 8"},
      {"[[rule]]\nname = \"a\"\nseverity_min = \"2\"\naction = \"block\"\n", "found string"},
      {"[[rule]]\nname = \"a\"\naction = \"substitute\"\n", "expected a word list"},
      {"[substitution]\nwords = \"none.txt\"\n[[rule]]\nname = \"a\"\naction = \"substitute\"\n",
       "expected a readable file"},
      {"[[rule]]\nname = \"a\"\naction = \"substitute\"\nstrategy = \"fixed\"\n",
       "expected the word"},
      {"[substitution]\nwords = \"harmless.txt\"\n[[rule]]\nname = \"a\"\naction = "
       "\"substitute\"\nstrategy = \"fixed\"\nword = \"shit\"\n",
       "expected harmless words, found 'shit'"},
      {"[[rule]]\nname = \"a\"\naction = \"block\"\n[[rule]]\nname = \"a\"\naction = \"block\"\n",
       "taken by another rule"},
      {"[verification]\nuninspectable = \"substitute\"\n", "expected one of allow, review, block"},
      {"evidence_min = 0.5\n",
       "evidence_min: column 16: expected a number from 1 to 50, found 0.5"},
      {"evidence_min = \"4\"\n", "expected a number from 1 to 50, found string"},
      {"evidence_min = nan\n", "expected a number from 1 to 50, found nan"},
      {"evidence_max = 4\n", "unknown key; did you mean 'evidence_min'?"},
      {"[[rule]]\nname = \"a\"\nevidence_min = 51\naction = \"block\"\n",
       "evidence_min: column 16: expected a number from 0 to 50, found 51"},
      {"[[rule]]\nname = \"a\"\nevidence_min = -1\naction = \"block\"\n", "found -1"},
      {"[[rule]]\nname = \"a\"\ncertainty_min = \"sure\"\naction = \"block\"\n",
       "certainty_min: column 17: expected one of described, likely, surely, found 'sure'"},
      {"[[rule]]\nname = \"a\"\ncertainty_min = 1\naction = \"block\"\n",
       "expected a string, found integer"},
      {"x = [\n", "policy.toml:2: column 7:"},
  };
  for (const auto& c : cases) {
    const TemporaryPolicy policy(c.rules);
    try {
      Policy::load(policy.file());
      ADD_FAILURE() << "loaded: " << c.rules;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(c.expected), std::string::npos)
          << c.rules << error.what();
    }
  }
  EXPECT_THROW(Policy::load("/nonexistent.toml"), ConfigError);
}

TEST(Policy, ChecksAllOfAFileAndGivesEachPlace) {
  const TemporaryPolicy policy(R"(defualt_action = "allow"
[substitution]
words = "harmless.txt"
[[rule]]
name = "a"
severty_min = 2
categories = ["racial", "insutl"]
action = "blok"
[[rule]]
name = "a"
terms = ["shit", "shti"]
tenants = ["a b"]
severity_max = 9
action = "substitute"
strategy = "fixed"
word = "fuck"
[verification]
escalation = ["prompt_swap", "localized"]
replacement_similarity_min = 2
)");
  const std::vector<const char*> expected = {
      "policy.toml:2:1: defualt_action: unknown key; did you mean 'default_action'?",
      "policy.toml:7:1: rule.severty_min: unknown key; did you mean 'severity_min'?",
      "policy.toml:8:25: categories: expected one of",
      "policy.toml:9:10: action: expected one of allow, substitute, review, block, found 'blok'; "
      "did "
      "you mean 'block'?",
      "policy.toml:11:8: rule.name: 'a' is taken by another rule",
      "policy.toml:12:18: rule.terms: expected a term as the lexicons write it, found 'shti', "
      "which "
      "none has; did you mean 'shit'?",
      "policy.toml:13:12: rule.tenants: expected 1 to 64",
      "policy.toml:14:16: severity_max: expected a whole number from 0 to 7, found 9",
      "policy.toml:17:8: expected harmless words, found 'fuck'",
      "policy.toml:19:14: verification.escalation: expected the order localized, more_layers",
      "policy.toml:20:30: replacement_similarity_min: expected a number from 0.5 to 1, found 2",
  };
  const std::vector<Problem> problems = Policy::check(policy.file());
  for (std::size_t i = 0; i < std::max(problems.size(), expected.size()); ++i) {
    ASSERT_LT(i, problems.size()) << expected[i];
    ASSERT_LT(i, expected.size()) << to_string(problems[i]);
    EXPECT_NE(to_string(problems[i]).find(expected[i]), std::string::npos)
        << to_string(problems[i]);
  }
  EXPECT_TRUE(Policy::check(kRoot / "policy/default.toml").empty());
}

std::vector<std::string> remarks(const std::filesystem::path& file) {
  std::vector<std::string> messages;
  for (const Problem& problem : Policy::check(file)) {
    EXPECT_TRUE(problem.remark) << to_string(problem);
    EXPECT_EQ(problem.file, file);
    messages.push_back(std::to_string(problem.place.line) + ": " + problem.message);
  }
  return messages;
}

TEST(Policy, RemarksOnRulesThatNeverMatch) {
  const TemporaryPolicy policy(R"(
[[rule]]
name = "watching"
action = "block"
observe = true
[[rule]]
name = "theirs"
tenants = ["a", "b"]
action = "allow"
[[rule]]
name = "mild"
severity_max = 4
action = "allow"
[[rule]]
name = "grave"
severity_min = 5
action = "block"
[[rule]]
name = "late"
categories = ["racial"]
action = "review"
[[rule]]
name = "for a"
tenants = ["a"]
action = "block"
[[rule]]
name = "for c"
tenants = ["c"]
severity_min = 5
severity_max = 6
action = "block"
[[rule]]
name = "in the description too"
where = "anywhere"
action = "review"
[[rule]]
name = "of no language"
where = "anywhere"
languages = ["tlh"]
action = "block"
)");
  EXPECT_NO_THROW(Policy::load(policy.file()));
  EXPECT_EQ(
      remarks(policy.file()),
      (std::vector<std::string>{
          "19: 'late' never matches: what it would match is decided before it, by mild, grave",
          "23: 'for a' never matches: what it would match is decided before it, by theirs",
          "27: 'for c' never matches: what it would match is decided before it, by grave",
          "37: 'of no language' never matches: no term of the lists agrees with all that it "
          "names"}));
}

// A rule that asks for more evidence or certainty leaves the rest to those behind it.
TEST(Policy, RemarksHeedEvidenceAndCertainty) {
  const TemporaryPolicy policy(R"(evidence_min = 3.5
[[rule]]
name = "likely"
evidence_min = 3
certainty_min = "likely"
categories = ["insult"]
action = "block"
[[rule]]
name = "no other insults"
categories = ["insult"]
action = "review"
[[rule]]
name = "certain"
evidence_min = 6.5
action = "block"
[[rule]]
name = "more certain"
evidence_min = 8
action = "block"
[[rule]]
name = "sure"
certainty_min = "surely"
action = "block"
[[rule]]
name = "the rest"
action = "review"
)");
  EXPECT_NO_THROW(Policy::load(policy.file()));
  EXPECT_EQ(
      remarks(policy.file()),
      (std::vector<std::string>{
          "3: 'likely' asks for 3, but nothing below the policy's evidence_min, 3.5, is found",
          "9: 'no other insults' never matches: what it would match is decided before it, by "
          "likely",
          "17: 'more certain' never matches: what it would match is decided before it, by "
          "likely, certain"}));
}

TEST(Policy, RemarksOnAPolicyWithoutRules) {
  const TemporaryPolicy policy("default_action = \"block\"\n");
  EXPECT_NO_THROW(Policy::load(policy.file()));
  EXPECT_EQ(remarks(policy.file()),
            std::vector<std::string>{"0: there is none: only the default action decides"});
}

TEST(Policy, ChecksAllOfAllLists) {
  const TemporaryPolicy policy("");
  const std::string header = "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
  std::ofstream(policy.folder() / "a.tsv")
      << header << "heck\tinsutl\t3\ten\t\t\ndarn\tinsult\t9\ten\n"
      << "good\tinsult\t3\ten\t\t\nheck\tinsult\t3\ten\tstme\t\n";
  std::ofstream(policy.folder() / "b.tsv") << "word\n";
  std::ofstream(policy.folder() / "c.tsv") << header << "a\tb\tc\td\te\tf\tg\n";
  std::ofstream(policy.file()) << "lexicons = [\"a.tsv\", \"b.tsv\", \"none.tsv\"]\n"
                               << "optional_lexicons = [\"c.tsv\"]\n"
                               << "[[rule]]\nname = \"r\"\naction = \"block\"\n";
  std::set<std::string> places;
  for (const Problem& problem : Policy::check(policy.file())) {
    EXPECT_FALSE(problem.remark);
    places.insert(problem.file.filename().string() + ":" + std::to_string(problem.place.line));
  }
  EXPECT_EQ(places, (std::set<std::string>{"a.tsv:2", "a.tsv:3", "a.tsv:5", "b.tsv:1", "c.tsv:2",
                                           "none.tsv:0"}));
}

TEST(Policy, ChecksPastLinesThatAreNoToml) {
  const TemporaryPolicy policy(R"([[rule]]
name = "a"
action = block
severty_min = 2
[[rule]]
name = "b"
action = "block"
severity_min = = 2
where = "everywhere"
)");
  std::vector<std::string> places;
  for (const Problem& problem : Policy::check(policy.file()))
    places.push_back(std::to_string(problem.place.line) + " " + problem.key);
  // That rule a has no action is not said: it may stand in the line that could not be read.
  EXPECT_EQ(places, (std::vector<std::string>{"4 ", "5 rule.severty_min", "9 ", "10 where"}));
}

TEST(Policy, AnEmptyOrMissingListIsAnErrorUnlessDeclared) {
  const std::string header = "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
  const TemporaryPolicy policy("");
  const std::filesystem::path own = policy.folder() / "own.tsv";
  const auto write = [&](const std::string& lexicons) {
    std::ofstream(policy.file()) << lexicons << "[[rule]]\nname = \"r\"\naction = \"block\"\n";
  };
  const std::string lists = (kRoot / "lexicon/default.tsv").string();
  write("lexicons = [\"" + lists + "\", \"own.tsv\"]\n");
  EXPECT_THROW(Policy::load(policy.file()), ConfigError) << "missing";
  std::ofstream(own) << header;
  EXPECT_THROW(Policy::load(policy.file()), ConfigError) << "empty";

  write("lexicons = [\"" + lists + "\"]\noptional_lexicons = [\"own.tsv\"]\n");
  const auto empty = Policy::load(policy.file());
  std::filesystem::remove(own);
  const auto missing = Policy::load(policy.file());
  EXPECT_EQ(empty->revision(), missing->revision());
  const char* prompt = "a sign that says \"frobnicator\"";
  EXPECT_EQ(decide(*missing, prompt).action, Action::Allow);
  std::ofstream(own) << header << "frobnicator\tinsult\t5\ten\t\t\n";
  const auto full = Policy::load(policy.file());
  EXPECT_EQ(decide(*full, prompt).action, Action::Block);
  EXPECT_NE(full->revision(), missing->revision());
  const auto files = Policy::files(policy.file());
  EXPECT_NE(std::find(files.begin(), files.end(), own), files.end());
}

TEST(Policy, SaysWhatIsWrongWithPools) {
  const TemporaryPolicy policy(R"(
[substitution]
words = "harmless.txt"
[[pool]]
languages = ["de"]
[[pool]]
file = "none.txt"
[[pool]]
words = ["Blume"]
[[pool]]
words = ["shit", "blume"]
[[pool]]
words = ["ab"]
colour = "red"
[[rule]]
name = "all"
action = "substitute"
)");
  std::string said;
  for (const Problem& problem : Policy::check(policy.file())) said += to_string(problem) + "\n";
  for (const char* expected :
       {"policy.toml:5:1: pool: expected either a file or words", "none.txt: expected a readable",
        "policy.toml:9:1: pool.words: expected a word of lower-case Latin letters, found 'Blume'",
        "policy.toml:11:1: expected harmless words, found 'shit'",
        "policy.toml:13:1: pool.words: expected a word of 3 to 8 letters, found none",
        "policy.toml:15:1: pool.colour: unknown key"})
    EXPECT_NE(said.find(expected), said.npos) << expected << "\n" << said;
}

TEST(Policy, SaysWhatIsWrongWithCategoriesAndLists) {
  const TemporaryPolicy policy(R"(
[categories]
racial = "hate"
"My Own" = "none"
scam = "ilicit"
[[rule]]
name = "r"
lists = ["defualt.tsv"]
categories = ["spam"]
action = "block"
)");
  std::vector<std::string> said;
  for (const Problem& problem : Policy::check(policy.file()))
    said.push_back(std::to_string(problem.place.line) + " " + problem.key + " " +
                   (problem.message.find("did you mean") == std::string::npos ? "" : "?"));
  EXPECT_EQ(said, (std::vector<std::string>{"4 categories.racial ", "5 categories.My Own ",
                                            "6 categories.scam ?", "9 lists ?", "10 categories "}));
}

}  // namespace
}  // namespace glyphward::policy
