// The policy: what is done with what the lexicon found. Pure after load: the same prompt and
// revision give the same decision and the same sanitized prompt, on any machine. Immutable:
// decide() may run on any number of threads.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/lexicon.h"

namespace glyphward::policy {

// From mildest to most severe. Review answers as Block does and leaves the record open for a
// person.
enum class Action { Allow, Substitute, Review, Block };

std::string_view to_string(Action action);  // "allow", "substitute", "review", "block"

// A run of the prompt that was replaced.
struct Substitution {
  std::size_t start = 0;  // bytes into the user's prompt: [start, end)
  std::size_t end = 0;
  std::string from;
  std::string to;
};

// Where something stands in a file: line and column (in characters) from 1; 0 where that is
// unknown.
struct Place {
  int line = 0;
  int column = 0;
};

// What is wrong with a policy or with a file that it names.
struct Problem {
  std::filesystem::path file;
  Place place;
  std::string key;  // "rule.severity_min"; empty where none is at fault
  std::string message;
};
std::string to_string(const Problem& problem);  // "FILE:LINE:COLUMN: KEY: MESSAGE"

// What a rule in observe mode would have done. It never changes the decision.
struct Observation {
  std::string rule;
  Action would_action = Action::Allow;
};

struct Decision {
  Action action = Action::Allow;
  std::string rule;  // the name of the rule that decided; "default" if none matched
  // A rendered term of severity 2 or more was found, whatever the policy does with it.
  bool flagged = false;
  // The user's prompt with every substitution made; equal to the prompt unless action is
  // Substitute.
  std::string sanitized_prompt;
  std::vector<Substitution> substitutions;
  // The texts that the picture may show after the decision (the sanitized rendered texts), for the
  // OCR's comparison. Empty if no picture is made.
  std::vector<std::string> allowed_texts;
  std::vector<Observation> observations;  // one for each rule in observe mode that matched
  // Why the substitution is not word for word: it was widened, or given up. Never quotes the
  // prompt.
  std::string note;
};

// How a decision came about, for people: `glyphward policy explain`.
struct RuleTrace {
  std::string rule;
  Action action = Action::Allow;
  bool observe = false;
  std::string mismatch;  // why it does not match; empty if it does
};
struct FindingTrace {
  std::vector<RuleTrace> rules;  // in order, to the one that decides, or all
  std::string decided_by;        // "default" if none matches
  Action action = Action::Allow;
};

// What the guard does after generation. From the policy's [verification] table.
struct Verification {
  // Severity from which a reading counts as toxic.
  int severity_min = 2;
  // What happens to text in a script that no installed OCR language reads: Allow, Review or Block.
  Action uninspectable = Action::Block;
  bool redact = true;  // may the guard redact the text's box before it refuses?
  // The routes that a substituted prompt's picture may take, tried in this order: "localized",
  // "more_layers", "prompt_swap".
  std::vector<std::string> escalation = {"localized", "more_layers", "prompt_swap"};
  // How much of a replacement (0 to 1 of its letters) must be read for it to count as drawn.
  double replacement_similarity_min = 0.75;
  // How sure (0 to 100) OCR must be of a term of two or three letters that one pass alone reads.
  double short_term_confidence_min = 50;
};

// A tenant's name, as a request may give it and a rule name it: 1 to 64 of A-Z a-z 0-9 . _ : -
bool is_tenant(std::string_view name);

class Policy {
 public:
  // Reads a policy file (docs/POLICY.md) and the lexicons that it names (paths relative to it).
  // Throws ConfigError with file, line and field of the first problem.
  static std::shared_ptr<const Policy> load(const std::filesystem::path& file);

  // All that is wrong with it, in order of position; empty if load() would succeed. A lexicon's
  // faults end at its first.
  static std::vector<Problem> check(const std::filesystem::path& file);

  // The files that decide: the policy file and all that it names, whether they exist or not, as far
  // as it can be read. Throws nothing.
  static std::vector<std::filesystem::path> files(const std::filesystem::path& file);

  virtual ~Policy() = default;

  // The first rule that matches decides for each finding; the most severe action over all findings
  // wins. A substitution is made only if its result is clean: the sanitized prompt, analyzed and
  // decided by this policy, is allowed as it stands. Where replacing words does not get there, the
  // whole rendered text is replaced; where that does not either, the action is Block.
  // tenant: whose request it is, empty if it names none.
  virtual Decision decide(std::string_view prompt, const lexicon::Analysis& analysis,
                          std::string_view tenant) const = 0;

  // Each finding's way through the rules, in the order of analysis.findings.
  virtual std::vector<FindingTrace> explain(const lexicon::Analysis& analysis,
                                            std::string_view tenant) const = 0;

  virtual const lexicon::Lexicon& lexicon() const = 0;
  virtual const Verification& verification() const = 0;

  // SHA-256 (hex) over all that decides: the policy file's bytes, the word list's, the lexicon's
  // revision and this program's version of the rules.
  virtual const std::string& revision() const = 0;
};

}  // namespace glyphward::policy
