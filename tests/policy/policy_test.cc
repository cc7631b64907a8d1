#include "policy/policy.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/config_error.h"
#include "base/file.h"
#include "policy/substitution.h"
#include "tests/policy/temporary_policy.h"

namespace glyphward::policy {
namespace {

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

TEST(Policy, ReadsPromptsInTheSyntaxThatItNames) {
  const std::string rules = R"(
[substitution]
words = "harmless.txt"
[[rule]]
name = "grave"
severity_min = 5
action = "substitute"
)";
  const TemporaryPolicy a1111("syntax = \"a1111\"\n" + rules);
  const auto loaded = Policy::load(a1111.file());
  EXPECT_EQ(loaded->syntax(), lexicon::Syntax::A1111);
  const std::string prompt = "a sign that says \"(fu:1.2)(ck:1.3) off\"";
  const Decision decision = decide(*loaded, prompt);
  EXPECT_EQ(decision.action, Action::Substitute);
  const lexicon::Analysis analysis = loaded->analyze(prompt);
  ASSERT_EQ(analysis.rendered.size(), 1u);
  EXPECT_EQ(analysis.rendered[0].text, "fuck off");
  EXPECT_TRUE(decide(*loaded, decision.sanitized_prompt).substitutions.empty());

  EXPECT_EQ(Policy::load(TemporaryPolicy(rules).file())->syntax(), lexicon::Syntax::Plain);
  EXPECT_THROW(Policy::load(TemporaryPolicy("syntax = \"midjourney\"\n" + rules).file()),
               ConfigError);
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
  const auto analysis = loaded->analyze("a fuck sign that says \"shit\"");
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

// A list on trial: own categories, and rules by the list that has the term.
// Each of the keys alone; what the finding has is asked of the lexicon.
TEST(Policy, RulesMayAskForEvidenceAndCertainty) {
  const std::string prompt = "a sign that says \"$h1t\"";
  const lexicon::Analysis analysis = shipped().analyze(prompt);
  ASSERT_EQ(analysis.findings.size(), 1u);
  const double evidence = analysis.findings[0].shown_evidence();
  const auto decide_by = [&](const std::string& key) {
    const TemporaryPolicy policy("[[rule]]\nname = \"a\"\n" + key + "\naction = \"block\"\n");
    return decide(*Policy::load(policy.file()), prompt).action;
  };
  EXPECT_EQ(decide_by("evidence_min = " + std::to_string(evidence)), Action::Block);
  EXPECT_EQ(decide_by("evidence_min = " + std::to_string(evidence + 0.2)), Action::Allow);
  EXPECT_EQ(decide_by("evidence_min = 0"), Action::Block) << "a whole number is a number";
  EXPECT_EQ(analysis.findings[0].certainty, lexicon::Certainty::Surely);
  for (const char* certainty : {"described", "likely", "surely"})
    EXPECT_EQ(decide_by("certainty_min = \"" + std::string(certainty) + "\""), Action::Block);

  const TemporaryPolicy file(R"(
[[rule]]
name = "sure"
certainty_min = "surely"
where = "anywhere"
action = "block"
[[rule]]
name = "certain"
evidence_min = 50
where = "anywhere"
action = "block"
[[rule]]
name = "rest"
where = "anywhere"
action = "review"
)");
  const auto policy = Policy::load(file.file());
  const std::string doubtful = "a sign that says shit, near a shit wall";
  const lexicon::Analysis found = policy->analyze(doubtful);
  ASSERT_EQ(found.findings.size(), 2u);
  const auto traces = policy->explain(found, "");
  EXPECT_EQ(traces[0].rules[0].mismatch, "certainty: likely");
  EXPECT_EQ(traces[1].rules[0].mismatch, "certainty: described");
  EXPECT_TRUE(traces[0].rules[1].mismatch.starts_with("evidence: "));
  EXPECT_EQ(traces[0].decided_by, "rest");
  EXPECT_EQ(decide(*policy, doubtful).action, Action::Review);
}

TEST(Policy, SetsTheLexiconsMargin) {
  const std::string prompt = "a sign that says \"$h1t\"";
  const auto load = [](const std::string& margin) {
    const TemporaryPolicy policy(margin + "\n[[rule]]\nname = \"a\"\naction = \"block\"\n");
    return Policy::load(policy.file());
  };
  const auto plain = load("");
  EXPECT_EQ(plain->lexicon().evidence_min(), lexicon::kEvidenceMin);
  EXPECT_EQ(decide(*plain, prompt).action, Action::Block);
  const auto strict = load("evidence_min = 50");
  EXPECT_EQ(strict->lexicon().evidence_min(), 50);
  EXPECT_TRUE(strict->analyze(prompt).findings.empty());
  EXPECT_EQ(decide(*strict, prompt).action, Action::Allow);
  const auto lax = load("evidence_min = 1.5");
  EXPECT_EQ(lax->lexicon().evidence_min(), 1.5f);
  EXPECT_EQ(decide(*lax, prompt).action, Action::Block);
  EXPECT_NE(plain->revision(), lax->revision());
  EXPECT_NE(plain->lexicon().revision(), lax->lexicon().revision());
}

// The shipped words stay harmless with the lowest margin that a policy may set.
TEST(Policy, TheDefaultPolicyLoadsWithAnyMargin) {
  const TemporaryPolicy place("");
  const std::filesystem::path folder = place.folder() / "policy";
  std::filesystem::copy(kRoot / "policy", folder, std::filesystem::copy_options::recursive);
  std::filesystem::create_directory_symlink(kRoot / "lexicon", place.folder() / "lexicon");
  const std::string content = read_file(folder / "default.toml");
  for (const char* margin : {"1", "50"}) {
    std::ofstream(folder / "default.toml") << "evidence_min = " << margin << "\n" << content;
    for (const Problem& problem : Policy::check(folder / "default.toml"))
      ADD_FAILURE() << margin << ": " << to_string(problem);
  }
}

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

// "o" and "e" are Portuguese words, but not where they are letters of a term.
TEST(Policy, ADisguisedTermsLettersTellNoLanguage) {
  const TemporaryPolicy policy(R"(
[substitution]
words = "harmless.txt"
[[pool]]
languages = ["pt"]
words = ["praia"]
[[rule]]
name = "all"
action = "substitute"
)");
  const auto loaded = Policy::load(policy.file());
  EXPECT_NE(sanitized(*loaded, "W h o r e"), "Praia");
  EXPECT_NE(sanitized(*loaded, "s l u t"), "praia");
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
  // "de" and "te" are Dutch too: a sign that languages share is none for the other one.
  std::ifstream spanish_file(kRoot / "policy/words/es.txt");
  std::set<std::string> spanish;
  for (std::string word; std::getline(spanish_file, word);) spanish.insert(word);
  const std::string mixed = sanitized(shipped(), "hijo de puta, te quiero");
  EXPECT_TRUE(spanish.contains(mixed.substr(0, mixed.find(',')))) << mixed;
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
