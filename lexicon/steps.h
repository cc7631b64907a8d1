// The steps that lead from a prompt's bytes to a term: the one list of their bits and names.
// docs/LEXICON.md says what each does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::lexicon {

// A set of steps, one bit each.
using Steps = std::uint32_t;
enum Step : Steps {
  kInvisible = 1u << 0,      // zero-width, bidi and other default-ignorable code points dropped
  kCompatibility = 1u << 1,  // NFKC: full-width, mathematical, ligatures, superscripts
  kMarks = 1u << 2,          // combining marks stripped
  kConfusables = 1u << 3,    // a look-alike from another script, or l for i
  kEnclosed = 1u << 4,       // regional indicators, squared and circled letters
  kLeet = 1u << 5,           // digits and signs for letters
  kSound = 1u << 6,          // sound-alike spelling: ph for f, k for c
  kRepeats = 1u << 7,        // repeated letters squashed
  kSeparators = 1u << 8,     // what stood between the letters taken out
  kMask = 1u << 9,           // a masked letter filled in
  kTurned = 1u << 10,        // upside down
  kReversed = 1u << 11,      // right to left
  kSplit = 1u << 12,         // pieces in several quotes or lines put together
  kAcrostic = 1u << 13,      // first letters of lines or words
  kSpelling = 1u << 14,      // another spelling that the lexicon lists for the term
  kInflection = 1u << 15,    // plural, -ing, ...
  kCompound = 1u << 16,      // the term inside a longer word
  kSlip = 1u << 17,          // a letter mistyped, swapped, left out
  kMarkup = 1u << 18,        // signs of a markup taken out
  kCode = 1u << 19,          // decoded: entities, escapes, base64, morse, letters moved ...
  kBehindLastStep            // new steps go before it
};

struct NamedStep {
  Step step;
  std::string_view name;  // as findings have it
};
inline constexpr std::array kSteps = {
    NamedStep{kInvisible, "invisible"},   NamedStep{kCompatibility, "compatibility"},
    NamedStep{kMarks, "marks"},           NamedStep{kConfusables, "confusables"},
    NamedStep{kEnclosed, "enclosed"},     NamedStep{kLeet, "leet"},
    NamedStep{kSound, "sound"},           NamedStep{kRepeats, "repeats"},
    NamedStep{kSeparators, "separators"}, NamedStep{kMask, "mask"},
    NamedStep{kTurned, "turned"},         NamedStep{kReversed, "reversed"},
    NamedStep{kSplit, "split"},           NamedStep{kAcrostic, "acrostic"},
    NamedStep{kSpelling, "spelling"},     NamedStep{kInflection, "inflection"},
    NamedStep{kCompound, "compound"},     NamedStep{kSlip, "slip"},
    NamedStep{kMarkup, "markup"},         NamedStep{kCode, "code"}};

static_assert(
    [] {
      for (std::size_t i = 0; i < kSteps.size(); ++i) {
        if (kSteps[i].step != 1u << i || kSteps[i].name.empty()) return false;
      }
      return kBehindLastStep == (1u << (kSteps.size() - 1)) + 1;
    }(),
    "every step has one bit and one name, in the same order");

// In the order of the table.
inline std::vector<std::string> step_names(Steps steps) {
  std::vector<std::string> names;
  for (const NamedStep& named : kSteps) {
    if (steps & named.step) names.emplace_back(named.name);
  }
  return names;
}

}  // namespace glyphward::lexicon
