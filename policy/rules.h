// The rules of a policy, as its file states them (docs/POLICY.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/categories.h"
#include "lexicon/finding.h"
#include "policy/decision.h"
#include "policy/toml/problem.h"

namespace glyphward::policy {

// Harmless: a word of the list. Fixed: always the same word. Category: one for each category.
enum class Strategy { Harmless, Fixed, Category };

// Which word stands for a toxic one. From the policy's [substitution] table, or a rule's own keys.
struct SubstitutionRules {
  Strategy strategy = Strategy::Harmless;
  std::string word;  // for Fixed, and for Category where the category has none
  std::map<std::string, std::string> category;  // for Category
  Place place;                                  // of what gives the words
};

// Words of one's own for what is found, from [[pool]]: of a file or of the policy itself.
struct Pool {
  Place place;
  // What it is for; an empty list is for anything.
  std::vector<std::string> languages;  // the term's, unless the text shows another alone
  std::vector<std::string> categories;
  std::filesystem::path file;      // empty: the words are these
  std::vector<std::string> words;  // empty: they are the file's
};

struct Rule {
  std::string name;
  Place place;
  // What it matches; an empty list matches anything.
  std::vector<std::string> categories;
  std::vector<std::string> terms;
  std::vector<std::string> languages;
  std::vector<std::string> tenants;
  std::vector<std::string> lists;  // the names of their files, without folders
  int severity_min = 0;
  int severity_max = lexicon::kSeverityMax;
  double evidence_min = 0;  // nats
  lexicon::Certainty certainty_min = lexicon::Certainty::Described;
  bool anywhere = false;  // in the whole prompt; otherwise only in the text to be rendered
  // What it does.
  Action action = Action::Allow;
  bool observe = false;
  SubstitutionRules substitution;
};

// Why the rule does not match the finding; empty if it does. Whether the rule only observes is not
// looked at.
std::string mismatch(const Rule& rule, const lexicon::Finding& finding, std::string_view tenant);

// What of the rules can never match a finding of these terms, and what decides instead: remarks.
// Whom a request is of is not known, so only rules for all whom a rule names can stand before it.
// `evidence_min`: the lexicon's margin.
std::vector<Problem> remarks_on(const std::filesystem::path& file, const std::vector<Rule>& rules,
                                const std::vector<lexicon::Term>& terms, double evidence_min);

// What a policy file may say of the lexicon's margin, and a rule of a finding's evidence, in nats.
inline constexpr double kMarginMin = 1;
inline constexpr double kMarginMax = lexicon::kEvidenceWritten;

struct PolicyFile {
  std::string content;
  // Absolute, or relative to the working folder as the file was given.
  std::vector<OwnCategory> own_categories;  // in order of their names
  std::vector<std::filesystem::path> lexicons;
  std::vector<std::filesystem::path> optional_lexicons;  // may be missing or empty
  std::filesystem::path words;
  std::size_t length_min = 3;
  std::size_t length_max = 8;
  std::vector<Pool> pools;  // the first that is for a finding has its words
  std::vector<Rule> rules;
  std::vector<Place> term_places;  // of the terms of all rules, one after the other
  Action default_action = Action::Allow;
  lexicon::Syntax syntax = lexicon::Syntax::Plain;
  double evidence_min = lexicon::kEvidenceMin;  // the lexicon's margin
  VerificationRules verification;
};

// Throws nothing for what `content` says: problems are added, and what they concern keeps its
// default. A misspelt key comes with the key that was probably meant.
PolicyFile read_policy(const std::filesystem::path& file, std::string content,
                       std::vector<Problem>& problems);

}  // namespace glyphward::policy
