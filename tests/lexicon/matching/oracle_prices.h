// What a term costs beside its letters, and what the letters cost that stick to it, for the oracle
// (oracle.h): once more, from docs/LEXICON.md and the names of the prices.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lexicon/channel/channel.h"
#include "lexicon/matching/entry.h"
#include "lexicon/matching/innocence.h"
#include "lexicon/matching/search.h"
#include "lexicon/text/normalization.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {

// One spelling in one text, from one cell.
class OraclePrices {
 protected:
  OraclePrices(const Pattern& pattern, const NormalizedText& text, const Innocence& innocence,
               Scope scope)
      : pattern_(pattern),
        text_(text),
        innocence_(innocence),
        scope_(scope),
        size_(static_cast<std::uint32_t>(text.cells.size())) {}

  struct Rest {
    float cost = kNever;
    bool any = false;
    bool affix = false;
    bool plural = false;
    bool companion = false;
    bool digits = false;
    bool loose = false;
    WordHash letters = 0;
  };

  float price(Price what) const { return channel_.price(what); }
  const Cell& cell(std::uint32_t i) const { return text_.cells[i]; }
  char32_t plain(std::uint32_t i) const { return fold_script(cell(i).plain); }
  bool unspaced(std::uint32_t i) const { return is_unspaced(cell(i).plain); }

  // Letters that stick to the term.
  Rest rest(std::uint32_t begin, std::uint32_t end, bool behind) const {
    Rest result;
    result.any = true;
    const auto count = static_cast<float>(end - begin);
    if (end - begin > kWordLettersMax) {
      result.cost = price(Price::StemFragment) + price(Price::Random) * count;
      result.loose = true;
      return result;
    }
    result.digits = std::all_of(text_.cells.begin() + begin, text_.cells.begin() + end,
                                [](const Cell& c) { return c.kind == CellKind::Digit; });
    if (result.digits) {
      result.cost = price(Price::Number) + price(Price::Digit) * count;
      return result;
    }
    const std::u32string letters = innocence_.plain(begin, end);
    const WordTable& table = innocence_.table();
    result.letters = 0;
    enum class Kind { Fragment, Companion, Word, Affix };
    std::vector<std::pair<float, Kind>> ways = {
        {price(Price::StemFragment) + innocence_.fragment(letters), Kind::Fragment}};
    if (channel_.is_companion(letters)) ways.push_back({price(Price::Companion), Kind::Companion});
    if (letters.size() > 1 && letters == std::u32string(letters.size(), letters[0]))
      ways.push_back({price(Price::Companion) + count, Kind::Word});
    if (letters.size() >= 3)
      ways.push_back(
          {innocence_.run_together(letters, price(Price::WordBeside), kNever), Kind::Word});
    const auto affix = [&](std::u32string_view ending) {
      return behind ? table.suffix(hash_of(ending)) : table.prefix(hash_of(ending));
    };
    ways.push_back({affix(letters) + price(Price::Affix), Kind::Affix});
    if (behind && (letters == U"'s" || letters == U"'"))
      ways.push_back({price(Price::Apostrophe), Kind::Affix});
    if (behind && letters.size() > 1 && begin > 0 && letters[0] == plain(begin - 1))
      ways.push_back({affix(std::u32string_view(letters).substr(1)) + price(Price::Affix) + 0.5f,
                      Kind::Affix});
    const auto best = std::min_element(
        ways.begin(), ways.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    result.cost = best->first;
    result.affix = best->second == Kind::Affix;
    result.companion = best->second == Kind::Companion;
    // Like a word run together, a doubled letter is neither ending nor companion.
    result.loose = !result.affix && !result.companion;
    result.letters = hash_of(letters);
    result.plural = letters == U"s" || letters == U"z" || letters == U"es" || letters == U"'s" ||
                    letters == U"’s";
    return result;
  }

  Rest behind(std::uint32_t at, bool hidden) const {
    Rest none;
    none.cost = 0;
    if (at >= size_ || !innocence_.in_word(at) || unspaced(at)) return none;
    const bool boundary = at == 0 || !innocence_.in_word(at - 1) || innocence_.word_begin(at) == at;
    if (boundary && !hidden) return none;
    if (innocence_.listed(at)) return {};
    return rest(at, innocence_.word_end(at), true);
  }

  // What the term costs beside its letters.
  float term(Rules rules, int known, std::uint32_t at, const Rest& after) const {
    const Pattern& p = pattern_;
    const bool cjk = unspaced(start_);
    const bool english = p.language == innocence_.table().language_number("en");
    const bool joined = inside_ || after.any;
    const bool whole = scope_ == Scope::Whole || scope_ == Scope::Turned;
    if (joined && (p.flags & kExact)) return kNever;
    if (known < 2 && p.letters > 1 && !cjk) return kNever;
    if (whole && ((p.letters < 4 && !cjk) || inside_ || (after.any && !after.affix))) return kNever;
    if (scope_ == Scope::Whole &&
        ((p.flags & kNoReverse) || ((p.steps & kSpelling) && p.letters < 5)))
      return kNever;
    float cost = price(Price::Term) + p.cost;
    if (p.numeric) {
      const bool alone = innocence_.bound(start_) < 3 &&
                         innocence_.total() - innocence_.bound(std::min(at, size_)) < 3 &&
                         !Search::is_amount(text_, start_, at);
      const bool spaced_out = (rules & ~(bit(Rule::Gap) | bit(Rule::SpaceGap))) == 0;
      return alone && !joined && spaced_out ? cost - 6 : kNever;
    }
    const bool written = rules == 0;
    const int soft = __builtin_popcount(rules & kSoft);
    const auto pay = [&](bool when, Price what) { cost += when ? price(what) : 0; };
    pay(written && !joined, Price::Plain);
    pay(written && after.affix && !inside_, Price::PlainEnding);
    pay(after.affix && !after.plural && p.language != 0 &&
            !innocence_.table().is_suffix_in(p.language, after.letters),
        Price::OtherEnding);
    pay(inside_ && after.any && !(p.flags & kStem), Price::BothSides);
    pay((p.flags & kPlural) && !(p.flags & kStem) && (inside_ || (after.any && !after.plural)),
        Price::PluralOnly);
    const bool in_a_word = inside_ || (after.any && !after.affix);
    pay(in_a_word && p.letters < 4 && !cjk, Price::ShortInside);
    if (p.flags & kStem) {
      pay(joined, Price::Stem);
    } else {
      const float fragment = price(Price::Fragment) - price(Price::StemFragment);
      cost += (loose_ ? fragment : 0) + (after.loose ? fragment : 0);
    }
    if (soft > 1) cost += price(Price::FurtherSoft) * static_cast<float>(soft - 1);
    pay(soft > 0 && (p.steps & kSpelling), Price::SoftForm);
    pay(soft > 0 && !english, Price::SoftOther);
    const char32_t first = plain(start_);
    pay(soft > 0 && first >= 0x370 && !is_cyrillic(first), Price::SoftScript);
    pay(soft > 0 && innocence_.titled(start_), Price::SoftTitle);
    const bool within = inside_ || (after.any && !after.affix && !after.digits);
    pay(within && (soft > 0 || (p.steps & kSpelling)), Price::SoftInside);
    pay(inside_ && !p.inside, Price::InsideOther);
    pay(after.loose && !english && !(p.flags & kStem), Price::RestLoose);
    const auto katakana = [&](std::uint32_t i) { return is_katakana(cell(i).source); };
    pay((start_ > 0 && katakana(start_ - 1) && katakana(start_)) ||
            (at < size_ && at > 0 && katakana(at - 1) && katakana(at)),
        Price::Fragment);
    pay(after.companion && !english, Price::CompanionOther);
    pay(after.any && soft > 0, Price::SlipAndRest);
    pay((rules & (bit(Rule::Accent) | bit(Rule::Marks))) && innocence_.listed(start_),
        Price::OtherWord);
    const bool spoken = (innocence_.languages() & language_bit(p.language)).any();
    pay((p.flags & kLocal) && !spoken, Price::Local);
    pay(scope_ == Scope::Words && p.language != 0 && !spoken &&
            innocence_.other_words() > (written ? 0u : 1u),
        Price::OtherText);
    pay((p.flags & kName) && p.severity < kGraveSeverityMin && innocence_.titled(start_),
        Price::Name);
    pay((p.flags & kNoLeet) && (rules & bit(Rule::Leet)), Price::NoLeet);
    pay((p.flags & kNoSound) && soft > 0, Price::NoSound);
    pay(p.letters <= 3 && !written, Price::Short);
    if (rules & kSlips) {
      if (p.letters < 4) return kNever;
      pay(p.letters == 4, Price::ShortSlip);
    }
    return cost;
  }

  const Pattern& pattern_;
  const NormalizedText& text_;
  const Innocence& innocence_;
  const Channel& channel_ = Channel::shipped();
  Scope scope_;
  std::uint32_t size_;
  std::uint32_t start_ = 0;
  bool inside_ = false;  // it begins within a word,
  bool loose_ = false;   // behind letters that are neither beginning nor companion
};

}  // namespace glyphward::lexicon
