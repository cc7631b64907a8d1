// Context: whether what a walk came to is the term or only reads like it. A reading that leads to a
// pattern is cheap to find, and most are chance ("as she" holds "ass"), so each is asked, from the
// cheap questions to the dear ones:
//
//   1. its own letters: how many were digits, signs, sounds, doubled    (acceptable_letters)
//   2. its gaps: do they part letters of one word, or words             (acceptable_gaps)
//   3. the letters that stick to it: an ending, a compound, another word (acceptable_rest)
//
// The limits are judgements, tuned on tests/data/lexicon/dev.jsonl and on the dictionaries of
// innocent_test.cc.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "lexicon/matching/entry.h"
#include "lexicon/matching/walk.h"
#include "lexicon/matching/word_lists.h"

namespace glyphward::lexicon {
namespace {

// ----- the letters read -----

// Whether the pattern's letters were written so that it is meant. A walk counts how each letter was
// written (WalkState::count); too much of one kind and it is another word.
bool acceptable_letters(const Walk& walk, const WalkState& state, const Pattern& pattern) {
  const std::uint32_t n = pattern.letters;
  const bool short_word = is_short(pattern);
  // A number is meant only where it is all that stands there: "1488", not "1488 Oak Lane".
  if (pattern.numeric) return state.natives == n && walk.alone(state.pos);
  if (state.natives == 0) return false;
  if ((pattern.flags & kNoLeet) && state.digits + state.signs > 0) return false;
  // A few accents make another word: "râpe" and "höre" are not "rape" and "hore".
  const bool accented = state.accents > 0 && state.ornate == 0 && state.accents * 2u <= n;
  const bool picky = (pattern.flags & kNoLeet) || (pattern.steps & kSpelling);
  if (accented && picky && pattern.english) return false;
  if (state.digits > (n == 3 ? 1u : n == 4 ? 2u : (n + 1) / 2)) return false;
  if (state.weak > 0 && (short_word || state.weak > kWeakMax || pattern.severity < 3 ||
                         (pattern.flags & kNoSound) || state.natives < 2)) {
    return false;
  }
  if (state.weak > 0 && (pattern.steps & kSpelling)) return false;
  // A phrase written as one word: "killyourself", but not "goodie".
  if ((state.steps & kCompound) && n < 7) return false;
  if (state.surplus > 0 && !state.long_run) {
    // "fuuck" is no English word; "rapper" and "moose" are.
    if (short_word || state.weak > 0 || (pattern.steps & kSpelling)) return false;
    const bool many = state.doubles >= 2 && state.doubles + 1u >= n;
    if (state.steps & kCompound) return false;
    if (!state.odd_double && !many && (state.doubles > 1 || n < 5 || pattern.severity < 5)) {
      return false;
    }
  }
  if (state.gaps > 0 && walk.inside) return false;
  if (walk.scope == Scope::Whole || walk.scope == Scope::Turned) {
    if (state.weak > 0) return false;
    if (walk.scope == Scope::Whole &&
        ((pattern.flags & kNoReverse) || ((pattern.steps & kSpelling) && n < 5))) {
      return false;
    }
    if (pattern.spaced && state.gaps > 0) return false;
  }
  return true;
}

// ----- the gaps -----

// Spelled out, letter by letter: the run goes on as long as the same separators do, and all of it
// must be the term.
bool acceptable_spelling(const Walk& walk, const WalkState& state, Letters& left, Letters& right) {
  const std::uint32_t begin = walk.start;
  const std::uint32_t end = state.pos;
  const std::uint32_t gap_first = begin + state.gap_begin[0];
  const std::uint32_t gap_last = begin + state.gap_end[0];
  const bool spelled_end = walk.single_letter(end - 1);
  if (!right.empty() && spelled_end) return false;
  // To the left, one gap and one letter at a time, as long as the gap is the term's own.
  for (std::uint32_t at = begin; at > 0 && left.size() < Letters::kMax;) {
    std::uint32_t gap_begin = at;
    while (gap_begin > 0 && !is_word(walk.cell(gap_begin - 1)) &&
           at - gap_begin <= kSeparatorRunMax)
      --gap_begin;
    if (gap_begin == 0 || gap_begin == at || !walk.single_letter(gap_begin - 1)) break;
    if (!walk.same_gap(gap_begin, at, gap_first, gap_last)) break;
    left.push_back(walk.cell(gap_begin - 1).plain);
    at = gap_begin - 1;
  }
  // The same to the right.
  for (std::uint32_t at = end; spelled_end && at < walk.size() && right.size() < Letters::kMax;) {
    std::uint32_t gap_end = at;
    while (gap_end < walk.size() && !is_word(walk.cell(gap_end)) &&
           gap_end - at <= kSeparatorRunMax)
      ++gap_end;
    if (gap_end >= walk.size() || gap_end == at || !walk.single_letter(gap_end)) break;
    if (!walk.same_gap(at, gap_end, gap_first, gap_last)) break;
    right.push_back(walk.cell(gap_end).plain);
    at = gap_end + 1;
  }
  left.reverse();
  // "a f u c k": an article before it.
  if (state.space_gap && (left.view() == U"a" || left.view() == U"i")) left.clear();
  return true;
}

// 's, 'd, 'm, 'll, 're, 've: what is, had, am, will, are and have leave. The letters are those from
// `from` on, up to the word's end.
bool shortened(const Walk& walk, std::uint32_t from, std::uint32_t to, const Letters& right) {
  static constexpr std::array<std::u32string_view, 6> kShort = {U"s",  U"d",  U"m",
                                                                U"ll", U"re", U"ve"};
  std::u32string letters;
  for (std::uint32_t c = from; c < to && is_word(walk.cell(c)); ++c)
    letters.push_back(walk.cell(c).plain);
  letters += right.view();
  return std::find(kShort.begin(), kShort.end(), letters) != kShort.end();
}

// Whether what was stepped over parted letters of one word, and not words. Gives the word's other
// letters.
bool acceptable_gaps(const Walk& walk, const WalkState& state, bool grave, Letters& left,
                     Letters& right) {
  const std::uint32_t begin = walk.start;
  const std::uint32_t end = state.pos;
  walk.letters_before(begin, left);
  if (!left.empty()) return false;
  walk.letters_after(end, right);
  if (state.single) return acceptable_spelling(walk, state, left, right);
  if (!state.space_gap) {
    // An apostrophe shortens words, it does not part letters: "Dumas's". But it hides no grave
    // term, unless what stands behind it is a shortened word.
    for (std::uint8_t i = 0; i < std::min<std::size_t>(state.gaps, state.gap_begin.size()); ++i) {
      for (std::uint32_t c = begin + state.gap_begin[i]; c < begin + state.gap_end[i]; ++c) {
        if (!is_apostrophe(walk.cell(c).source)) continue;
        if (!grave || walk.scope != Scope::Words ||
            shortened(walk, begin + state.gap_end[i], end, right))
          return false;
      }
    }
    // Within one stretch without spaces, the whole stretch must be the term.
    if (walk.terrain.spots[begin].amid) return false;
    for (std::uint32_t i = end + static_cast<std::uint32_t>(right.size());
         i < walk.size() && walk.cell(i).kind != CellKind::Space; ++i) {
      if (is_word(walk.cell(i))) return false;
    }
    return true;
  }
  // Across spaces only if what they part are no words, and not backwards, where no fragment is one.
  if (walk.scope != Scope::Words) return false;
  if (begin > 0 && is_apostrophe(walk.cell(begin - 1).source)) return false;
  if (!right.empty() || state.gaps > state.gap_begin.size()) return false;
  bool broken = false;
  std::uint32_t from = begin;
  for (std::uint8_t i = 0; i <= state.gaps; ++i) {
    const std::uint32_t to = i < state.gaps ? begin + state.gap_begin[i] : end;
    Letters fragment;
    for (std::uint32_t c = from; c < to; ++c) fragment.push_back(walk.cell(c).plain);
    broken = broken ||
             (fragment.size() <= 3 ? !is_short_word(fragment.view()) : !has_vowel(fragment.view()));
    if (i < state.gaps) {
      from = begin + state.gap_end[i];
      // An apostrophe, a comma or a full stop ends a word.
      for (std::uint32_t c = to; c < from; ++c) {
        if (walk.cell(c).kind != CellKind::Space) return false;
      }
    }
  }
  // Two long pieces of a grave term are seldom two words by chance.
  return broken || (state.gaps == 1 && state.natives >= 7 && grave);
}

// ----- the letters around -----

// A plural, a participle ... of the term's language.
bool is_ending(const Pattern& pattern, std::u32string_view letters) {
  if (letters.empty()) return true;
  if (letters == U"es" && pattern.english) {
    return std::u32string_view(U"sxzho").find(pattern.back) != std::u32string_view::npos;
  }
  if (pattern.flags & kPlural) return letters == U"s" || letters == U"z";
  if (pattern.russian) return !(pattern.steps & kSpelling) && russian_endings().contains(letters);
  if ((pattern.steps & kSpelling) && !pattern.coined) {
    // Another spelling is often a harmless word but for an ending: "hoar" and "hoard".
    return letters == U"s" || (pattern.letters >= 4 && plain_endings().contains(letters));
  }
  if (!pattern.english) return other_endings().contains(letters);
  if (english_endings().contains(letters)) return true;
  // shit -> shitt+ing
  return letters.size() > 2 && letters.front() == pattern.back &&
         english_endings().contains(letters.substr(1));
}

}  // namespace

bool acceptable_rest(const Pattern& pattern, std::u32string_view left, std::u32string_view right,
                     Steps& steps) {
  if (left.empty() && right.empty()) return true;
  if (is_unspaced(pattern.front)) {
    // Nothing parts words there, so a term is found wherever it stands; one syllable is too little
    // for that.
    if (pattern.letters < 2) return false;
    const bool hangul = pattern.front >= 0xAC00 && pattern.front <= 0xD7A3;
    return !hangul || pattern.letters > 2 || left.empty() || !is_unspaced(left.back());
  }
  if ((!left.empty() && is_unspaced(left.back()) && right.empty()) ||
      (!right.empty() && is_unspaced(right.front()) && left.empty())) {
    return true;  // a Latin word between kana or Hangul
  }
  if (pattern.flags & kExact) return false;
  if (left.empty() && is_ending(pattern, right)) {
    steps |= kInflection;
    return true;
  }
  steps |= kCompound;
  if (pattern.steps & kSpelling) {
    return pattern.coined && (left.empty() || companions().contains(left)) &&
           (is_ending(pattern, right) || companions().contains(right));
  }
  if (pattern.flags & kStem) return true;
  if (pattern.flags & kHead) {
    // A vowel after it begins no new word: "shitake", "Shitov".
    return (left.empty() || companions().contains(left)) &&
           (is_ending(pattern, right) || !is_vowel(right.front()) || companions().contains(right));
  }
  if (pattern.english && left.empty() && (pattern.flags & kPlural) && pattern.severity >= 3 &&
      insults().contains(right)) {
    return true;
  }
  if (pattern.letters < 4 || (pattern.flags & kPlural) || !pattern.english) return false;
  return (left.empty() || companions().contains(left)) &&
         (is_ending(pattern, right) || companions().contains(right));
}

// ----- the judgement -----

void judge(Walk& walk, const WalkState& state) {
  const std::uint32_t* value = walk.trie.values_begin(state.node);
  const std::uint32_t* last = walk.trie.values_end(state.node);
  // Most states fall here, before anything around them is looked at.
  const bool any = std::any_of(value, last, [&](std::uint32_t id) {
    return acceptable_letters(walk, state, walk.patterns[id]);
  });
  if (!any) return;
  // What stands around it: up to the next seam, beyond the gaps, or directly beside it.
  Letters left;
  Letters right;
  if (walk.scope == Scope::Joined) {
    if (!walk.letters_to_seam(state.pos, right)) return;
  } else if (state.gaps > 0) {
    const bool grave =
        std::any_of(value, last, [&](std::uint32_t id) { return walk.patterns[id].severity >= 5; });
    if (!acceptable_gaps(walk, state, grave, left, right)) return;
  } else {
    walk.letters_before(walk.start, left);
    walk.letters_after(state.pos, right);
  }
  // "fuck24": digits beside a term that has none are no part of its word.
  if (state.digits == 0) {
    if (all_digits(left.view())) left.clear();
    if (all_digits(right.view())) right.clear();
  }
  for (; value != last; ++value) {
    const Pattern& pattern = walk.patterns[*value];
    Steps steps = state.steps | pattern.steps;
    if (!acceptable_letters(walk, state, pattern)) continue;
    if (pattern.letters == 2 && is_hiragana(pattern.front) && !walk.kana_boundary(state.pos))
      continue;
    if (pattern.disguised &&
        (steps & (kConfusables | kLeet | kSeparators | kEnclosed | kRepeats)) == 0)
      continue;
    const bool whole = walk.scope == Scope::Whole || walk.scope == Scope::Turned;
    if (!acceptable_rest(pattern, left.view(), right.view(), steps)) continue;
    if (whole && (!left.empty() ||
                  (!right.empty() && (!(steps & kInflection) || (pattern.steps & kSpelling))))) {
      continue;
    }
    // Within a longer word, look-alikes are chance.
    const bool chance = state.weak > 0 || (state.digits > 0 && !(pattern.flags & kStem)) ||
                        (state.steps & kConfusables);
    const bool longer = (steps & kCompound) && !(left.empty() && right.empty());
    if (chance && longer) continue;
    walk.hits.push_back({pattern.entry, walk.start, state.pos, steps});
  }
}

}  // namespace glyphward::lexicon
