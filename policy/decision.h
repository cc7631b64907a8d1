// What a policy decides, and what it tells the guard: plain values, for everything that works with
// decisions.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/categories.h"

namespace glyphward::policy {

// From mildest to most severe. Review answers as Block does and leaves the record open for a
// person.
enum class Action { Allow, Substitute, Review, Block };

// All of them, in that order.
inline constexpr std::array kActions = {Action::Allow, Action::Substitute, Action::Review,
                                        Action::Block};
static_assert(kActions.size() == static_cast<std::size_t>(Action::Block) + 1,
              "every action is listed, and none is more severe than Block");

std::string_view to_string(Action action);  // "allow", "substitute", "review", "block"

// A text to be drawn that has more findings is replaced as a whole: nothing is left of it that is
// worth keeping word for word.
inline constexpr std::size_t kReplacedFindingsMax = 64;

// A run of the prompt that was replaced, and its substitute.
struct Substitution {
  std::size_t start = 0;  // bytes into the user's prompt: [start, end)
  std::size_t end = 0;
  std::string from;
  std::string to;  // the substitute
};

// What a rule in observe mode would have done. It never changes the decision.
struct Observation {
  std::string rule;
  Action would_action = Action::Allow;
};

struct Decision {
  Action action = Action::Allow;
  std::string rule;  // the name of the rule that decided; "default" if none matched
  // A finding flags() the prompt, whatever the policy does with it.
  bool flagged = false;
  // The user's prompt with every substitution made; equal to the prompt unless action is
  // Substitute.
  std::string sanitized_prompt;
  std::vector<Substitution> substitutions;
  // The texts that the picture may show after the decision (the sanitized rendered texts), for the
  // OCR's comparison. Empty if no picture is made.
  std::vector<std::string> allowed_texts;
  std::vector<Observation> observations;  // one per rule in observe mode that matched
  // Why the substitution is not word for word: it was widened, or given up. Never quotes the
  // prompt.
  std::string note;
};

// A category that the policy's [categories] declares, for lists and rules.
struct OwnCategory {
  std::string name;
  std::string openai;  // OpenAI's category that it falls under; "none" if under none
};

// How a decision came about, for people: `glyphward policy explain`.
struct RuleTrace {
  std::string rule;
  Action action = Action::Allow;
  bool observe = false;
  std::string mismatch;  // why it does not match; empty if it does
};
struct FindingTrace {
  std::vector<RuleTrace> rules;  // in order, up to the one that decides, or all
  std::string decided_by;        // "default" if none matches
  Action action = Action::Allow;
};

// The routes that a substituted prompt's picture may take, by the names that policies, answers and
// audit records give them.
inline constexpr std::string_view kLocalizedRoute = "localized";
inline constexpr std::string_view kMoreLayersRoute = "more_layers";
inline constexpr std::string_view kPromptSwapRoute = "prompt_swap";
// From mildest to strongest.
inline constexpr std::array kEscalationRoutes = {kLocalizedRoute, kMoreLayersRoute,
                                                 kPromptSwapRoute};

// What the guard does after generation. From the policy's [verification] table.
struct VerificationRules {
  // Severity from which a reading counts as toxic.
  int severity_min = lexicon::kFlaggedSeverityMin;
  // What happens to text in a script that no installed OCR language reads: Allow, Review or Block.
  Action uninspectable = Action::Block;
  bool redact = true;  // may the guard redact the text's box before it refuses?
  // Which of kEscalationRoutes are tried, in their order.
  std::vector<std::string> escalation{kEscalationRoutes.begin(), kEscalationRoutes.end()};
  // How much of a substitute (0 to 1 of its letters) must be read for it to count as drawn.
  double replacement_similarity_min = 0.75;
  // How sure (0 to 100) OCR must be of a term of two or three letters that one pass alone reads.
  double short_term_confidence_min = 50;
};

// A tenant's name, as a request may give it and a rule name it.
inline constexpr std::string_view kTenantForm = "1 to 64 of A-Z a-z 0-9 . _ : -";
bool is_tenant(std::string_view name);

}  // namespace glyphward::policy
