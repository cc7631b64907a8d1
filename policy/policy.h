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
};

// What the guard does after generation. From the policy's [verification] table.
struct Verification {
  // Severity from which a reading counts as toxic.
  int severity_min = 2;
  // What happens to text in a script that no installed OCR language reads: Allow, Review or Block.
  Action uninspectable = Action::Block;
  bool redact = true;  // may the guard redact the text's box before it refuses?
};

class Policy {
 public:
  // Reads a policy file (docs/POLICY.md) and the lexicons that it names (paths relative to it).
  // Throws ConfigError with file, line and field; a misspelt key is an error with a suggestion.
  static std::shared_ptr<const Policy> load(const std::filesystem::path& file);

  virtual ~Policy() = default;

  // The first rule that matches decides for each finding; the most severe action over all findings
  // wins. A substitution is made only if its result is clean: the sanitized prompt, analyzed and
  // decided by this policy, is allowed as it stands. Where replacing words does not get there, the
  // whole rendered text is replaced; where that does not either, the action is Block.
  virtual Decision decide(std::string_view prompt, const lexicon::Analysis& analysis) const = 0;

  virtual const lexicon::Lexicon& lexicon() const = 0;
  virtual const Verification& verification() const = 0;

  // SHA-256 (hex) over the policy file's bytes, the word list's and the lexicon's revision.
  virtual const std::string& revision() const = 0;
};

}  // namespace glyphward::policy
