#include "policy/policy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/config_error.h"
#include "base/file.h"
#include "policy/substitution.h"
#include "policy/toml/toml_reader.h"

namespace glyphward::policy {
namespace {

const std::filesystem::path kRoot = GLYPHWARD_SOURCE_DIR;

const Policy& shipped() {
  static const std::shared_ptr<const Policy> policy = Policy::load(kRoot / "policy/default.toml");
  return *policy;
}

Decision decide(const Policy& policy, std::string_view prompt, std::string_view tenant = "") {
  return policy.decide(prompt, policy.lexicon().analyze(prompt), tenant);
}

// A policy of its own beside the shipped lists.
class TemporaryPolicy {
 public:
  explicit TemporaryPolicy(const std::string& rules) {
    static int count = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("glyphward-policy-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(folder_);
    const std::string lists = (kRoot / "lexicon").string();
    std::ofstream(folder_ / "policy.toml")
        << "lexicons = [\"" << lists << "/default.tsv\", \"" << lists << "/allow.tsv\"]\n"
        << rules;
    std::filesystem::copy_file(kRoot / "policy/harmless.txt", folder_ / "harmless.txt");
  }
  ~TemporaryPolicy() { std::filesystem::remove_all(folder_); }
  std::filesystem::path file() const { return folder_ / "policy.toml"; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

TEST(Policy, ReplacesOnlyTheToxicWord) {
  const std::string prompt = "a wooden sign that says \"no fucking way\" in a forest";
  const Decision decision = decide(shipped(), prompt);
  EXPECT_EQ(decision.action, Action::Substitute);
  EXPECT_EQ(decision.rule, "toxic-text");
  EXPECT_TRUE(decision.flagged);
  ASSERT_EQ(decision.substitutions.size(), 1u);
  const Substitution& substitution = decision.substitutions[0];
  EXPECT_EQ(substitution.from, "fucking");
  EXPECT_EQ(substitution.to.size(), 7u);
  EXPECT_EQ(decision.sanitized_prompt,
            "a wooden sign that says \"no " + substitution.to + " way\" in a forest");
  EXPECT_EQ(decision.allowed_texts, std::vector<std::string>{"no " + substitution.to + " way"});
}

TEST(Policy, LeavesCleanPromptsAsTheyAre) {
  const std::string prompt = "a man shouting fuck, with a sign that says \"Peace\"";
  const Decision decision = decide(shipped(), prompt);
  EXPECT_EQ(decision.action, Action::Allow);
  EXPECT_EQ(decision.rule, "default");
  EXPECT_FALSE(decision.flagged);
  EXPECT_EQ(decision.sanitized_prompt, prompt);
  EXPECT_EQ(decision.allowed_texts, std::vector<std::string>{"Peace"});
}

TEST(Policy, ReplacesTheSameTermInTheDescriptionToo) {
  const Decision decision = decide(shipped(), "a shit sign that says \"SHIT\"");
  ASSERT_EQ(decision.substitutions.size(), 2u);
  EXPECT_EQ(decision.sanitized_prompt.find("hit"), std::string::npos) << decision.sanitized_prompt;
  EXPECT_EQ(like_case(decision.substitutions[0].to, "AAAA"), decision.substitutions[1].to)
      << "the same word for both";
}

TEST(Policy, ReplacesWholeWordsAndDisguises) {
  const struct {
    const char* prompt;
    const char* from;
  } cases[] = {{"a sign that says \"unfuckingbelievable\"", "unfuckingbelievable"},
               {"a sign that says \"f\u200Bu\u200Bc\u200Bk you\"", "f\u200Bu\u200Bc\u200Bk"},
               {"a sign that says \"F U C K\"", "F U C K"},
               {"balloons spelling out F, U, C, K", "F, U, C, K"}};
  for (const auto& c : cases) {
    const Decision decision = decide(shipped(), c.prompt);
    ASSERT_EQ(decision.action, Action::Substitute) << c.prompt;
    ASSERT_EQ(decision.substitutions.size(), 1u) << c.prompt;
    EXPECT_EQ(decision.substitutions[0].from, c.from);
  }
}

TEST(Policy, ReplacesEachPieceOfASplitWord) {
  const Decision decision = decide(shipped(), "two signs, one says \"wan\" and the other \"ker\"");
  ASSERT_EQ(decision.action, Action::Substitute);
  ASSERT_EQ(decision.substitutions.size(), 2u);
  EXPECT_EQ(decision.substitutions[0].from, "wan");
  EXPECT_EQ(decision.substitutions[1].from, "ker");
}

// The promise that the sanitized stream is built on, over every prompt of the evaluation's set.
TEST(Policy, WhatItSanitizesIsClean) {
  std::ifstream file(kRoot / "tests/data/lexicon/dev.jsonl");
  ASSERT_TRUE(file);
  int substituted = 0;
  int blocked = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string prompt(boost::json::parse(line).as_object().at("text").as_string());
    const Decision decision = decide(shipped(), prompt);
    blocked += decision.action == Action::Block ? 1 : 0;
    if (decision.action != Action::Substitute) continue;
    ++substituted;
    const Decision again = decide(shipped(), decision.sanitized_prompt);
    EXPECT_EQ(again.action, Action::Allow) << prompt << " -> " << decision.sanitized_prompt;
    EXPECT_FALSE(again.flagged) << prompt << " -> " << decision.sanitized_prompt;
    EXPECT_EQ(decide(shipped(), prompt).sanitized_prompt, decision.sanitized_prompt)
        << "not deterministic";
    // The substitutions explain the whole difference.
    std::string rebuilt;
    std::size_t at = 0;
    for (const Substitution& substitution : decision.substitutions) {
      EXPECT_EQ(prompt.substr(substitution.start, substitution.end - substitution.start),
                substitution.from);
      rebuilt += prompt.substr(at, substitution.start - at) + substitution.to;
      at = substitution.end;
      EXPECT_GE(count_letters(substitution.to), 3u);
    }
    EXPECT_EQ(rebuilt + prompt.substr(at), decision.sanitized_prompt);
  }
  std::printf("substituted %d, blocked %d\n", substituted, blocked);
  EXPECT_GT(substituted, 1000);
  EXPECT_EQ(blocked, 0);
}

TEST(Policy, ReplacesATextThatIsFullOfTermsAsAWhole) {
  const auto sign = [](std::size_t words) {
    std::string prompt = "a sign that says \"good";
    for (std::size_t i = 0; i < words; ++i) prompt += " shit, my";
    return prompt + "\" beside one that says \"no shit\"";
  };
  const Decision few = decide(shipped(), sign(kReplacedFindingsMax));
  ASSERT_EQ(few.action, Action::Substitute);
  EXPECT_EQ(few.substitutions.size(), kReplacedFindingsMax + 1);
  EXPECT_EQ(few.note, "");
  const Decision many = decide(shipped(), sign(kReplacedFindingsMax + 1));
  ASSERT_EQ(many.action, Action::Substitute);
  ASSERT_EQ(many.substitutions.size(), 2u) << "the one text as a whole, the other's word";
  EXPECT_TRUE(many.substitutions[0].from.starts_with("good shit"));
  EXPECT_EQ(many.substitutions[1].from, "shit");
  EXPECT_EQ(many.note, "a text with too many findings was replaced as a whole");
}

TEST(Policy, TheFirstRuleDecidesAFindingAndTheMostSevereActionWins) {
  const TemporaryPolicy policy(R"(
[substitution]
words = "harmless.txt"
[[rule]]
name = "mild is fine"
severity_max = 3
action = "allow"
[[rule]]
name = "slurs"
categories = ["racial", "religious"]
where = "anywhere"
action = "block"
[[rule]]
name = "insults"
categories = ["insult"]
action = "review"
[[rule]]
name = "the rest"
action = "substitute"
)");
  const auto loaded = Policy::load(policy.file());
  EXPECT_EQ(decide(*loaded, "a sign that says \"shit\"").action, Action::Allow);
  EXPECT_EQ(decide(*loaded, "a sign that says \"shit\"").rule, "mild is fine");
  EXPECT_EQ(decide(*loaded, "a sign that says \"fuck\"").action, Action::Substitute);
  EXPECT_EQ(decide(*loaded, "a sign that says \"fuck the bitch\"").action, Action::Review);
  const Decision blocked = decide(*loaded, "a kike with a sign that says \"fuck\"");
  EXPECT_EQ(blocked.action, Action::Block);
  EXPECT_EQ(blocked.rule, "slurs");
  EXPECT_TRUE(blocked.allowed_texts.empty());
}

TEST(Policy, ObservingChangesNothing) {
  const TemporaryPolicy policy(R"(
[substitution]
words = "harmless.txt"
[[rule]]
name = "tried out"
action = "block"
observe = true
[[rule]]
name = "in force"
action = "substitute"
)");
  const Decision decision = decide(*Policy::load(policy.file()), "a sign that says \"fuck\"");
  EXPECT_EQ(decision.action, Action::Substitute);
  ASSERT_EQ(decision.observations.size(), 1u);
  EXPECT_EQ(decision.observations[0].rule, "tried out");
  EXPECT_EQ(decision.observations[0].would_action, Action::Block);
}

TEST(Policy, WritesFixedAndCategoryWords) {
  const TemporaryPolicy policy(R"(
[substitution]
words = "harmless.txt"
[[rule]]
name = "insults"
categories = ["insult"]
action = "substitute"
strategy = "fixed"
word = "friend"
[[rule]]
name = "others"
action = "substitute"
strategy = "category"
category = { sexual = "kiss", profanity = "gosh" }
)");
  const auto loaded = Policy::load(policy.file());
  EXPECT_EQ(decide(*loaded, "a sign that says \"my BITCH\"").sanitized_prompt,
            "a sign that says \"my FRIEND\"");
  EXPECT_EQ(decide(*loaded, "a sign that says \"oh Fuck\"").sanitized_prompt,
            "a sign that says \"oh Gosh\"");
}

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
severity_min = 4
severity_max = 5
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

TEST(Policy, RulesMayBeOfATenant) {
  const TemporaryPolicy policy(R"(
[[rule]]
name = "the theatre may swear"
tenants = ["theatre", "proj_1"]
severity_max = 5
action = "allow"
[[rule]]
name = "others may not"
action = "block"
)");
  const auto loaded = Policy::load(policy.file());
  const char* prompt = "a sign that says \"shit\"";
  EXPECT_EQ(decide(*loaded, prompt, "theatre").action, Action::Allow);
  EXPECT_EQ(decide(*loaded, prompt, "proj_1").rule, "the theatre may swear");
  for (const char* other : {"", "Theatre", "theatre2"})
    EXPECT_EQ(decide(*loaded, prompt, other).action, Action::Block) << other;
  EXPECT_TRUE(is_tenant("proj_abc-1.2:x"));
  for (const std::string& none : {std::string(), std::string("a b"), std::string("a\n"),
                                  std::string("caf\u00e9"), std::string(65, 'a')})
    EXPECT_FALSE(is_tenant(none)) << none;
}

TEST(Policy, ExplainsEachFindingsWayThroughTheRules) {
  const TemporaryPolicy policy(R"(
[substitution]
words = "harmless.txt"
[[rule]]
name = "mild"
severity_max = 1
action = "allow"
[[rule]]
name = "trial"
action = "block"
observe = true
[[rule]]
name = "in force"
action = "substitute"
[[rule]]
name = "never asked"
action = "block"
)");
  const auto loaded = Policy::load(policy.file());
  const auto analysis = loaded->lexicon().analyze("a fuck sign that says \"shit\"");
  ASSERT_EQ(analysis.findings.size(), 2u);
  const auto traces = loaded->explain(analysis, "");
  ASSERT_EQ(traces.size(), 2u);
  EXPECT_EQ(traces[0].decided_by, "default");
  EXPECT_EQ(traces[0].rules.size(), 4u);
  EXPECT_EQ(traces[0].rules[3].mismatch, "where: not in the text to be rendered");
  EXPECT_EQ(traces[1].decided_by, "in force");
  EXPECT_EQ(traces[1].action, Action::Substitute);
  ASSERT_EQ(traces[1].rules.size(), 3u);
  EXPECT_TRUE(traces[1].rules[0].mismatch.starts_with("severity: "));
  EXPECT_TRUE(traces[1].rules[1].observe);
  EXPECT_TRUE(traces[1].rules[1].mismatch.empty());
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

// A list on trial: own categories, and rules by the list that has the term.
TEST(Policy, KnowsCategoriesOfItsOwnAndListsByName) {
  const std::string header = "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
  const TemporaryPolicy policy("");
  std::ofstream(policy.folder() / "brands.tsv")
      << header << "frobco\tcompetitor\t2\tund\t\t\nzub&zub\tcompetitor\t2\tund\tliteral\t\n";
  const auto write = [&](const std::string& rules) {
    std::ofstream(policy.file()) << "lexicons = [\"" << (kRoot / "lexicon/default.tsv").string()
                                 << "\", \"brands.tsv\"]\n"
                                 << rules;
  };
  write("[[rule]]\nname = \"r\"\naction = \"block\"\n");
  ASSERT_EQ(Policy::check(policy.file()).size(), 2u) << "nobody declared it";
  EXPECT_NE(Policy::check(policy.file())[0].message.find("category: expected one of"),
            std::string::npos);
  write(R"(
[categories]
competitor = "none"
scam = "illicit"
[substitution]
words = "harmless.txt"
[[rule]]
name = "on trial"
categories = ["competitor"]
action = "review"
observe = true
[[rule]]
name = "brands"
lists = ["brands.tsv"]
action = "substitute"
[[rule]]
name = "the rest"
lists = ["default.tsv"]
action = "block"
)");
  const auto loaded = Policy::load(policy.file());
  ASSERT_EQ(loaded->own_categories().size(), 2u);
  EXPECT_EQ(loaded->own_categories()[0].name, "competitor");
  EXPECT_EQ(loaded->own_categories()[1].openai, "illicit");
  for (const char* sign : {"buy Frobco", "buy ZUB&ZUB now"}) {
    const Decision decision = decide(*loaded, "a sign that says \"" + std::string(sign) + "\"");
    EXPECT_EQ(decision.action, Action::Substitute) << sign;
    EXPECT_EQ(decision.rule, "brands");
    ASSERT_EQ(decision.observations.size(), 1u);
    EXPECT_EQ(decision.observations[0].rule, "on trial");
  }
  EXPECT_EQ(decide(*loaded, "a sign that says \"fuck\"").rule, "the rest");
  EXPECT_TRUE(Policy::check(policy.file()).empty());
  const auto found = loaded->lexicon().analyze("a sign that says \"Frobco\"").findings;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].list, "brands.tsv");
}

std::string sanitized(const Policy& policy, const std::string& sign) {
  const std::string prompt = decide(policy, "a sign that says \"" + sign + "\"").sanitized_prompt;
  const std::size_t start = prompt.find('"') + 1;
  return prompt.substr(start, prompt.rfind('"') - start);
}

TEST(Policy, HasPoolsOfWordsByCategoryAndLanguage) {
  const TemporaryPolicy policy(R"(
[substitution]
words = "harmless.txt"
[[pool]]
categories = ["sexual"]
words = ["pillow"]
[[pool]]
languages = ["de"]
file = "de.txt"
[[pool]]
languages = ["en"]
categories = ["insult"]
words = ["daisy", "tulip", "daisies", "tulips"]
[[rule]]
name = "all"
action = "substitute"
)");
  std::ofstream(policy.folder() / "de.txt") << "blume\nsonne\n";
  const auto loaded = Policy::load(policy.file());
  const std::set<std::string> german = {"Blume", "Sonne"};
  EXPECT_TRUE(german.contains(sanitized(*loaded, "Arschloch"))) << "the term tells";
  const std::string sentence = sanitized(*loaded, "das ist nicht der Bitch und ich bin");
  EXPECT_TRUE(sentence.find("Blume") != sentence.npos || sentence.find("Sonne") != sentence.npos)
      << "the text tells before the term does: " << sentence;
  EXPECT_EQ(sanitized(*loaded, "BLOWJOB"), "PILLOW");
  const std::set<std::string> flowers = {"DAISY", "TULIP"};
  EXPECT_TRUE(flowers.contains(sanitized(*loaded, "BITCH")));
  const auto files = Policy::files(policy.file());
  EXPECT_NE(std::find(files.begin(), files.end(), policy.folder() / "de.txt"), files.end());
  const std::string revision = loaded->revision();
  std::ofstream(policy.folder() / "de.txt", std::ios::app) << "wolke\n";
  EXPECT_NE(Policy::load(policy.file())->revision(), revision);
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

TEST(Policy, SubstitutesKeepFormAndLanguage) {
  const std::string many = sanitized(shipped(), "BITCHES");
  EXPECT_TRUE(many.ends_with('S')) << many;
  const std::string doing = sanitized(shipped(), "no fucking way");
  EXPECT_NE(doing.find("ing "), doing.npos) << doing;
  std::ifstream file(kRoot / "policy/words/de.txt");
  std::set<std::string> german;
  for (std::string word; std::getline(file, word);) german.insert(like_case(word, "AAAA"));
  EXPECT_TRUE(german.contains(sanitized(shipped(), "ARSCHLOCH")));
}

// "kite" beside "s" would be a term of this list, and so would "lamp" beside it: another is picked.
TEST(Policy, SubstitutesMakeNoTermWithTheirNeighbours) {
  const TemporaryPolicy policy("");
  const std::string header = "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
  std::ofstream(policy.folder() / "own.tsv")
      << header << "frob\tinsult\t5\ten\t\t\nkite town\tinsult\t1\ten\t\t\n"
      << "lamp town\tinsult\t1\ten\t\t\nmoon town\tinsult\t1\ten\t\t\n";
  std::ofstream(policy.folder() / "words.txt") << "kite\nlamp\nmoon\nrose\n";
  std::ofstream(policy.file())
      << "lexicons = [\"own.tsv\"]\n[substitution]\nwords = \"words.txt\"\n"
      << "length_min = 4\nlength_max = 4\n"
      << "[[rule]]\nname = \"r\"\nseverity_min = 2\naction = "
         "\"substitute\"\n";
  const auto loaded = Policy::load(policy.file());
  int kept_the_rest = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string sign = sanitized(*loaded, "frob town " + std::to_string(i));
    EXPECT_TRUE(loaded->lexicon().find(sign).empty()) << sign;
    kept_the_rest += sign.starts_with("rose town") ? 1 : 0;
  }
  EXPECT_GE(kept_the_rest, 20) << "most need not replace the whole text";
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

TEST(Policy, RevisionIsThatOfAllThatDecides) {
  const TemporaryPolicy a("default_action = \"allow\"\n");
  const TemporaryPolicy b("default_action = \"block\"\n");
  EXPECT_EQ(shipped().revision(), Policy::load(kRoot / "policy/default.toml")->revision());
  EXPECT_EQ(shipped().revision().size(), 64u);
  EXPECT_NE(Policy::load(a.file())->revision(), Policy::load(b.file())->revision());
  // Each part of it: thresholds, harmless words, terms and the allow list.
  const TemporaryPolicy own("[substitution]\nwords = \"harmless.txt\"\n");
  const auto revision = [&] { return Policy::load(own.file())->revision(); };
  std::set<std::string> revisions = {revision()};
  std::ofstream(own.file(), std::ios::app) << "[verification]\nseverity_min = 3\n";
  revisions.insert(revision());
  std::ofstream(own.folder() / "harmless.txt", std::ios::app) << "harbour\n";
  revisions.insert(revision());
  std::string policy = read_file(own.file());
  for (const char* list : {"default.tsv", "allow.tsv"}) {
    std::filesystem::copy_file(kRoot / "lexicon" / list, own.folder() / list);
    const std::string shared = (kRoot / "lexicon" / list).string();
    policy.replace(policy.find(shared), shared.size(), list);
  }
  std::ofstream(own.file()) << policy;
  revisions.insert(revision());
  std::ofstream(own.folder() / "default.tsv", std::ios::app) << "frobnicator\tinsult\t5\ten\t\t\n";
  revisions.insert(revision());
  std::ofstream(own.folder() / "allow.tsv", std::ios::app) << "frobnicator road\ten\t\n";
  revisions.insert(revision());
  EXPECT_EQ(revisions.size(), 6u);
}

TEST(Policy, ReadsVerification) {
  EXPECT_EQ(shipped().verification().severity_min, 2);
  EXPECT_EQ(shipped().verification().uninspectable, Action::Block);
  const TemporaryPolicy policy(
      "[verification]\nseverity_min = 4\nuninspectable = \"review\"\nredact = false\n");
  const VerificationRules verification = Policy::load(policy.file())->verification();
  EXPECT_EQ(verification.severity_min, 4);
  EXPECT_EQ(verification.uninspectable, Action::Review);
  EXPECT_FALSE(verification.redact);
}

}  // namespace
}  // namespace glyphward::policy
