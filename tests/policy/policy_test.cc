#include "policy/policy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "base/config_error.h"
#include "policy/substitution.h"

namespace glyphward::policy {
namespace {

const std::filesystem::path kRoot = GLYPHWARD_SOURCE_DIR;

const Policy& shipped() {
  static const std::shared_ptr<const Policy> policy = Policy::load(kRoot / "policy/default.toml");
  return *policy;
}

Decision decide(const Policy& policy, std::string_view prompt) {
  return policy.decide(prompt, policy.lexicon().analyze(prompt));
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

TEST(Policy, FollowsTheCase) {
  EXPECT_EQ(like_case("duck", "FUCK"), "DUCK");
  EXPECT_EQ(like_case("duck", "Fuck"), "Duck");
  EXPECT_EQ(like_case("duck", "fuck"), "duck");
  EXPECT_EQ(like_case("duck", "$H1T"), "DUCK");
  EXPECT_EQ(like_case("duck", "傻逼"), "duck");
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

TEST(Policy, RevisionIsThatOfAllThatDecides) {
  const TemporaryPolicy a("default_action = \"allow\"\n");
  const TemporaryPolicy b("default_action = \"block\"\n");
  EXPECT_EQ(shipped().revision(), Policy::load(kRoot / "policy/default.toml")->revision());
  EXPECT_EQ(shipped().revision().size(), 64u);
  EXPECT_NE(Policy::load(a.file())->revision(), Policy::load(b.file())->revision());
}

TEST(Policy, ReadsVerification) {
  EXPECT_EQ(shipped().verification().severity_min, 2);
  EXPECT_EQ(shipped().verification().uninspectable, Action::Block);
  const TemporaryPolicy policy(
      "[verification]\nseverity_min = 4\nuninspectable = \"review\"\nredact = false\n");
  const Verification verification = Policy::load(policy.file())->verification();
  EXPECT_EQ(verification.severity_min, 4);
  EXPECT_EQ(verification.uninspectable, Action::Review);
  EXPECT_FALSE(verification.redact);
}

}  // namespace
}  // namespace glyphward::policy
