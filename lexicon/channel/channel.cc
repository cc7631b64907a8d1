#include "lexicon/channel/channel.h"

#include <charconv>
#include <utility>

#include "base/table.h"
#include "lexicon/tables.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

struct NamedRule {
  std::string_view name;
  Steps steps;
};
constexpr std::array<NamedRule, kRuleCount> kRules = {{{"invisible", kInvisible},
                                                       {"compatibility", kCompatibility},
                                                       {"accent", kMarks},
                                                       {"marks", kMarks},
                                                       {"confusables", kConfusables},
                                                       {"loose", kConfusables},
                                                       {"enclosed", kEnclosed},
                                                       {"leet", kLeet},
                                                       {"similar", kConfusables},
                                                       {"drawn", kLeet},
                                                       {"repeat", kRepeats},
                                                       {"double", kRepeats},
                                                       {"spelled", kSeparators},
                                                       {"irregular", kSeparators},
                                                       {"gap", kSeparators},
                                                       {"space_gap", kSeparators},
                                                       {"joined", kCompound},
                                                       {"mask", kMask},
                                                       {"mask_run", kMask},
                                                       {"weak_mask", kMask},
                                                       {"sound", kSound},
                                                       {"swap", kSlip},
                                                       {"slip", kSlip},
                                                       {"vowel", kSlip},
                                                       {"drop_vowel", kSlip},
                                                       {"drop", kSlip},
                                                       {"extra", kSlip}}};

constexpr std::array<std::string_view, kPriceCount> kPrices = {"term",
                                                               "plain",
                                                               "form",
                                                               "accent_needed",
                                                               "accent_lost",
                                                               "local",
                                                               "name",
                                                               "no_leet",
                                                               "no_sound",
                                                               "exact",
                                                               "plural_only",
                                                               "stem",
                                                               "short",
                                                               "short_inside",
                                                               "affix",
                                                               "companion",
                                                               "word_beside",
                                                               "fragment",
                                                               "both_sides",
                                                               "stem_fragment",
                                                               "slip_and_rest",
                                                               "other_word",
                                                               "other_language",
                                                               "words_joined",
                                                               "unknown",
                                                               "random",
                                                               "random_other",
                                                               "random_script",
                                                               "compound",
                                                               "affixed",
                                                               "phrase",
                                                               "one_word_phrase",
                                                               "space",
                                                               "punctuation",
                                                               "sign",
                                                               "number",
                                                               "digit",
                                                               "spelled",
                                                               "broken",
                                                               "masked",
                                                               "near",
                                                               "near_letter",
                                                               "by_ear",
                                                               "unspaced",
                                                               "foreign_most",
                                                               "reversed",
                                                               "turned",
                                                               "split",
                                                               "markup",
                                                               "code",
                                                               "letters_moved",
                                                               "moved_soft",
                                                               "reversed_asked",
                                                               "further_soft",
                                                               "soft_form",
                                                               "soft_inside",
                                                               "rest_loose",
                                                               "other_ending",
                                                               "term_as_word",
                                                               "plain_ending",
                                                               "soft_other",
                                                               "apostrophe",
                                                               "further_word",
                                                               "short_slip",
                                                               "hidden_gap",
                                                               "hidden_shown",
                                                               "hidden_sign",
                                                               "starred",
                                                               "foreign_guess",
                                                               "name_title",
                                                               "name_other",
                                                               "inside_other",
                                                               "companion_other",
                                                               "other_text",
                                                               "soft_script",
                                                               "soft_title",
                                                               "apostrophe_gap",
                                                               "same_gap"};

float number(const TableReader& table, std::size_t field) {
  const std::string& text = table.fields()[field];
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > -100 && value < 1000))
    table.fail(table.header()[field], "expected a number of nats, found '" + text + "'");
  return value;
}

// The position of a name that a table must have once.
template <typename Names, typename NameOf>
std::size_t place_of(const TableReader& table, const Names& names, NameOf name_of,
                     std::vector<bool>& seen) {
  seen.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (name_of(names[i]) != table.fields()[0]) continue;
    if (seen[i]) table.fail(table.header()[0], "'" + table.fields()[0] + "' appears twice");
    seen[i] = true;
    return i;
  }
  table.fail(table.header()[0], "unknown: '" + table.fields()[0] + "'");
}

std::u32string letters_of(std::string_view text) {
  std::u32string letters;
  for (std::size_t offset = 0; offset < text.size();) letters.push_back(decode(text, offset));
  return letters;
}

void expect_all(const TableReader& table, const std::vector<bool>& seen) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i])
      table.fail(table.header()[0],
                 "row " + std::to_string(i + 1) + " of the list that the program has is missing");
  }
}

}  // namespace

std::string_view rule_name(Rule rule) { return kRules[static_cast<std::size_t>(rule)].name; }

Steps steps_of(Rules rules) {
  Steps steps = 0;
  for (std::size_t i = 0; i < kRuleCount; ++i) {
    if (rules >> i & 1) steps |= kRules[i].steps;
  }
  return steps;
}

Rules rules_of(const CellReading& reading, const Cell& cell) {
  Rules rules = 0;
  if (reading.steps & kInvisible) rules |= bit(Rule::Invisible);
  if (reading.steps & kCompatibility) rules |= bit(Rule::Compatibility);
  if (reading.steps & kMarks) rules |= bit(reading.ornate ? Rule::Marks : Rule::Accent);
  if (reading.steps & kEnclosed) rules |= bit(Rule::Enclosed);
  if (reading.steps & kLeet) rules |= bit(Rule::Leet);
  if (reading.steps & kConfusables) {
    rules |= bit(reading.loose                                     ? Rule::Loose
                 : cell.source < 0x80 && reading.letters[0] < 0x80 ? Rule::Similar
                                                                   : Rule::Confusables);
  }
  return rules;
}

Channel::Channel(std::string_view rules, std::string_view prices, std::string_view sounds,
                 std::string_view companions) {
  TableReader rule("lexicon/channel/rules.tsv", rules);
  rule.expect_header({"rule", "first", "more", "ordinary_first", "ordinary_more"});
  std::vector<bool> seen;
  while (rule.next()) {
    const std::size_t i = place_of(
        rule, kRules, [](const NamedRule& named) { return named.name; }, seen);
    for (std::size_t field = 1; field < 5; ++field) {
      if (number(rule, field) < 0) rule.fail(rule.header()[field], "expected no less than 0");
    }
    hide_.first[i] = number(rule, 1);
    hide_.more[i] = number(rule, 2);
    write_.first[i] = number(rule, 3);
    write_.more[i] = number(rule, 4);
  }
  expect_all(rule, seen);
  TableReader price("lexicon/channel/prices.tsv", prices);
  price.expect_header({"price", "nats"});
  seen.clear();
  while (price.next()) {
    prices_[place_of(
        price, kPrices, [](std::string_view name) { return name; }, seen)] = number(price, 1);
  }
  expect_all(price, seen);
  TableReader sound("lexicon/channel/sound.tsv", sounds);
  sound.expect_header({"term", "written", "nats"});
  while (sound.next()) {
    Sound row{letters_of(sound.fields()[0]), letters_of(sound.fields()[1]), number(sound, 2)};
    if (row.term.empty()) sound.fail("term", "expected letters, found none");
    if (row.written.empty()) {
      silent_.push_back(std::move(row));
    } else if (row.written[0] >= U'a' && row.written[0] <= U'z') {
      sounds_[row.written[0] - U'a'].push_back(std::move(row));
    } else {
      sound.fail("written", "expected letters from a to z");
    }
  }
  TableReader words("lexicon/channel/companions.tsv", companions);
  words.expect_header({"words"});
  while (words.next()) {
    for (const std::string& word : split(words.fields()[0], ' ')) {
      if (word.empty()) words.fail("words", "expected words parted by single spaces");
      if (!companions_.insert(letters_of(word)).second)
        words.fail("words", "'" + word + "' appears twice");
    }
  }
}

namespace {

Channel& in_force() {
  static Channel channel(tables::lexicon_channel_rules_tsv, tables::lexicon_channel_prices_tsv,
                         tables::lexicon_channel_sound_tsv, tables::lexicon_channel_companions_tsv);
  return channel;
}

}  // namespace

const Channel& Channel::shipped() { return in_force(); }

void Channel::replace_shipped(Channel other) { in_force() = std::move(other); }

bool Channel::are_neighbours(char32_t a, char32_t b) {
  static const std::array<std::uint32_t, 26> kNeighbours = [] {
    constexpr std::array<std::string_view, 3> kRows = {"qwertyuiop", "asdfghjkl", "zxcvbnm"};
    std::array<std::uint32_t, 26> result{};
    const auto join = [&](char x, char y) {
      result[static_cast<std::size_t>(x - 'a')] |= 1u << (y - 'a');
      result[static_cast<std::size_t>(y - 'a')] |= 1u << (x - 'a');
    };
    for (std::size_t row = 0; row < kRows.size(); ++row) {
      for (std::size_t i = 0; i < kRows[row].size(); ++i) {
        if (i + 1 < kRows[row].size()) join(kRows[row][i], kRows[row][i + 1]);
        // A key lies below two of the row above: its own column and the next.
        for (std::size_t k = i; row > 0 && k <= i + 1 && k < kRows[row - 1].size(); ++k)
          join(kRows[row][i], kRows[row - 1][k]);
      }
    }
    return result;
  }();
  if (a < U'a' || a > U'z' || b < U'a' || b > U'z') return false;
  return kNeighbours[a - U'a'] >> (b - U'a') & 1;
}

Masking masking(const Cell& cell) {
  static constexpr CharacterSet kPlain(
      U"*#_•●■█✱★☆⁎∗×╳▮▓░…?%"
      U"◾◼▪🔞🍆🤬❤♥⭐✖❌○◯□♪");
  static constexpr CharacterSet kWeak(U"-.~^+=&@!$'’x");
  if (cell.kind == CellKind::Space) return Masking::None;
  if (kPlain.contains(cell.source)) return Masking::Plain;
  if (kWeak.contains(cell.source)) return Masking::Weak;
  return Masking::None;
}

}  // namespace glyphward::lexicon
