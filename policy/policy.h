// The policy: what is done with what the lexicon found. Pure after load: on any machine, the same
// prompt and revision give the same decision and the same sanitized prompt. Immutable: any number
// of threads.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/lexicon.h"
#include "policy/decision.h"
#include "policy/toml/problem.h"

namespace glyphward::policy {

class Policy {
 public:
  // Reads a policy file (docs/POLICY.md) and the lexicons that it names (paths relative to it).
  // Throws ConfigError with file, line and field of the first problem.
  static std::shared_ptr<const Policy> load(const std::filesystem::path& file);

  // Everything that is wrong with it and with its lists, in order of position. If there are only
  // remarks, load() succeeds; they tell of rules that can never match, and of a policy without any.
  static std::vector<Problem> check(const std::filesystem::path& file);

  // The files that decide: the policy file and all that it names, as far as it can be read, whether
  // they exist or not. Throws nothing.
  static std::vector<std::filesystem::path> files(const std::filesystem::path& file);

  virtual ~Policy() = default;

  // For each finding, the first rule that matches decides; over all findings, the most severe
  // action wins. Substitutions are made only if their result is clean: this policy, asked about the
  // sanitized prompt, allows it as it is. If replacing words does not get there, whole rendered
  // texts are replaced; if that does not either, the action is Block.
  // tenant: whose request it is; empty if it names none.
  virtual Decision decide(std::string_view prompt, const lexicon::Analysis& analysis,
                          std::string_view tenant) const = 0;

  // Each finding's way through the rules, in the order of analysis.findings.
  virtual std::vector<FindingTrace> explain(const lexicon::Analysis& analysis,
                                            std::string_view tenant) const = 0;

  virtual const lexicon::Lexicon& lexicon() const = 0;
  // How prompts are written: the policy file's `syntax`.
  virtual lexicon::Syntax syntax() const { return lexicon::Syntax::Plain; }
  // What the lexicon says of a prompt in that syntax.
  lexicon::Analysis analyze(std::string_view prompt) const {
    return lexicon().analyze(prompt, syntax());
  }
  virtual const VerificationRules& verification() const = 0;
  // In order of their names.
  virtual const std::vector<OwnCategory>& own_categories() const = 0;

  // SHA-256 (hex) over everything that decides: the policy file's bytes, the word list's, the
  // lexicon's revision and this program's version of the rules.
  virtual const std::string& revision() const = 0;
};

}  // namespace glyphward::policy
