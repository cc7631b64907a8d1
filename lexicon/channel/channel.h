// The noisy channel: what each way to write a letter otherwise costs. Disguise is paid for by both
// readings of a text, at two prices (search.h, innocence.h), so that what decides is how much
// likelier one makes the other. The tables are compiled in; immutable; any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "lexicon/steps.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// A way to write a letter otherwise: a row of rules.tsv.
enum class Rule : std::uint8_t {
  Invisible,
  Compatibility,
  Accent,  // a mark that an alphabet has on the letter
  Marks,
  Confusables,
  Loose,  // a likeness that only counts in a word of several scripts
  Enclosed,
  Leet,
  Similar,  // l and I
  Drawn,    // signs that draw a letter together
  Repeat,   // three times or more
  Double,
  Spelled,    // letter by letter, the same sign between any two
  Irregular,  // spelled, with other signs between
  Gap,        // signs within a word
  SpaceGap,
  Joined,   // the words of a phrase run together
  Mask,     // a sign that hides letters
  MaskRun,  // and a further letter that it hides
  WeakMask,
  Sound,
  Swap,
  Slip,
  Vowel,
  DropVowel,
  Drop,
  Extra
};
inline constexpr std::size_t kRuleCount = 27;

// A set of rules, one bit each.
using Rules = std::uint32_t;
constexpr Rules bit(Rule rule) { return Rules{1} << static_cast<unsigned>(rule); }
// At most one of these in a reading.
inline constexpr Rules kSlips =
    bit(Rule::Swap) | bit(Rule::Slip) | bit(Rule::Vowel) | bit(Rule::Drop) | bit(Rule::Extra);
// Those that make one word of another.
inline constexpr Rules kSoft = kSlips | bit(Rule::Sound) | bit(Rule::DropVowel) |
                               bit(Rule::Similar) | bit(Rule::Loose) | bit(Rule::WeakMask) |
                               bit(Rule::Double);

std::string_view rule_name(Rule rule);
// The steps that a finding names for them.
Steps steps_of(Rules rules);
// What a reading of a cell uses.
Rules rules_of(const CellReading& reading, const Cell& cell);

// What else a reading pays: a row of prices.tsv.
enum class Price : std::uint8_t {
  Term,
  Plain,
  Form,
  AccentNeeded,
  AccentLost,
  Local,
  Name,
  NoLeet,
  NoSound,
  Exact,
  PluralOnly,
  Stem,
  Short,
  ShortInside,
  Affix,
  Companion,
  WordBeside,
  Fragment,
  BothSides,
  StemFragment,
  SlipAndRest,
  OtherWord,
  OtherLanguage,
  WordsJoined,
  Unknown,
  Random,
  RandomOther,
  RandomScript,
  Compound,
  Affixed,
  Phrase,
  OneWordPhrase,
  Space,
  Punctuation,
  Sign,
  Number,
  Digit,
  Spelled,
  Broken,
  Masked,
  Near,
  NearLetter,
  ByEar,
  Unspaced,
  ForeignMost,
  Reversed,
  Turned,
  Split,
  Markup,
  Code,
  LettersMoved,
  MovedSoft,
  ReversedAsked,
  FurtherSoft,
  SoftForm,
  SoftInside,
  RestLoose,
  OtherEnding,
  TermAsWord,
  PlainEnding,
  SoftOther,
  Apostrophe,
  FurtherWord,
  ShortSlip,
  HiddenGap,
  HiddenShown,
  HiddenSign,
  Starred,
  ForeignGuess,
  NameTitle,
  NameOther,
  InsideOther,
  CompanionOther,
  OtherText,
  SoftScript,
  SoftTitle,
  ApostropheGap,
  SameGap
};
inline constexpr std::size_t kPriceCount = 78;

class Channel {
 public:
  // Throws ConfigError naming table, line and field.
  Channel(std::string_view rules, std::string_view prices, std::string_view sounds,
          std::string_view companions);
  static const Channel& shipped();
  // Puts others in the place of the tables that are compiled in, for programs that fit them: no
  // lexicon loaded before may be used any more, and no other thread may run.
  static void replace_shipped(Channel other);

  float price(Price price) const { return prices_[static_cast<std::size_t>(price)]; }

  // What it costs to use rules beside those used already.
  float hide(Rules rules, Rules used) const { return pay(rules, used, hide_); }
  float hide(Rule rule, Rules used) const {
    const auto i = static_cast<std::size_t>(rule);
    return used >> i & 1 ? hide_.more[i] : hide_.first[i];
  }
  float write(Rules rules, Rules used) const { return pay(rules, used, write_); }

  // Letters of a term, and how they may be written by ear.
  struct Sound {
    std::u32string term;
    std::u32string written;
    float cost = 0;
  };
  // By the first letter written: a to z.
  const std::vector<Sound>& sounds(char32_t first) const {
    return first >= U'a' && first <= U'z' ? sounds_[first - U'a'] : sounds_.back();
  }
  // Letters of a term that are left out by ear: `written` is empty.
  const std::vector<Sound>& silent() const { return silent_; }
  bool is_companion(std::u32string_view word) const {
    return companions_.contains(std::u32string(word));
  }
  // Beside each other on a keyboard.
  static bool are_neighbours(char32_t a, char32_t b);

 private:
  struct Costs {
    std::array<float, kRuleCount> first{};
    std::array<float, kRuleCount> more{};
  };
  static float pay(Rules rules, Rules used, const Costs& costs) {
    float sum = 0;
    for (; rules != 0; rules &= rules - 1) {
      const auto i = static_cast<std::size_t>(__builtin_ctz(rules));
      sum += used >> i & 1 ? costs.more[i] : costs.first[i];
    }
    return sum;
  }

  Costs hide_;
  Costs write_;
  std::array<float, kPriceCount> prices_{};
  std::array<std::vector<Sound>, 27> sounds_;  // the last is empty
  std::vector<Sound> silent_;
  std::unordered_set<std::u32string> companions_;
};

// How a sign hides a letter: Rule::Mask, Rule::WeakMask, or none.
enum class Masking : std::uint8_t { None, Weak, Plain };
Masking masking(const Cell& cell);

}  // namespace glyphward::lexicon
