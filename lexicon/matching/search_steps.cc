// The ways on from a state: what the next cells may be read as, and what that costs.
#include <algorithm>

#include "lexicon/channel/drawn_letters.h"
#include "lexicon/matching/search.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {

void Search::read_cell(const State& state, std::uint32_t at) {
  const Cell& cell = text_.cells[at];
  const Trie& trie = terms_.words;
  const bool quiet = innocence_.quiet(at);
  for (const CellReading* r = text_.begin(cell); r != text_.end(cell); ++r) {
    if (r->steps & kSound) continue;
    if (quiet && r->steps != 0) continue;
    std::uint32_t node = state.node;
    for (std::uint8_t i = 0; i < r->size && node != Trie::kNone; ++i)
      node = trie.child(node, r->letters[i]);
    const bool repeats = r->size == 1 && r->letters[0] == state.last && state.read > 0;
    if (node == Trie::kNone && !repeats) continue;
    const Rules rules = rules_of(*r, cell);
    const float cost = state.cost + channel_.hide(rules, state.rules);
    if (cost + outlook(state.read) >= ceilings_[place_of(state.start, at + 1)]) continue;
    State next = state;
    next.cost = cost;
    next.rules |= rules;
    if (rules != 0 && explains_) {
      for (Rules rest = rules; rest != 0; rest &= rest - 1) {
        links_.push_back({next.link, static_cast<Rule>(__builtin_ctz(rest)), r->letters[0], at});
        next.link = static_cast<std::uint32_t>(links_.size() - 1);
      }
    }
    next.last = r->letters[r->size - 1];
    if (state.spelled && state.fragment > 0) next = with(next, Rule::Irregular, r->letters[0], at);
    if (repeats) {
      State again = with(next, cell.long_run ? Rule::Repeat : Rule::Double, r->letters[0], at);
      push(again, at + 1);
    }
    if (node == Trie::kNone) continue;
    next.node = node;
    next.read = static_cast<std::uint8_t>(std::min(250, next.read + r->size));
    ++next.known;
    ++next.fragment;
    push(next, at + 1);
    if (cell.long_run && r->size == 1) read_long_run(next, at);
  }
}

// A cell that stands for several letters, read as so many: "KKK".
void Search::read_long_run(State state, std::uint32_t at) {
  constexpr std::uint32_t kLettersMax = 6;
  const Cell& cell = text_.cells[at];
  if (cell.source >= 0x80 || cell.end - cell.start > kLettersMax) return;
  for (std::uint32_t i = 1; i < cell.end - cell.start; ++i) {
    state.node = terms_.words.child(state.node, state.last);
    if (state.node == Trie::kNone) return;
    ++state.read;
    ++state.known;
  }
  push(state, at + 1);
}

void Search::read_drawn(const State& state, std::uint32_t at) {
  for (std::uint32_t rest = drawn_at(text_, at); rest != 0; rest &= rest - 1) {
    const Drawn& drawn = kDrawn[static_cast<std::size_t>(__builtin_ctz(rest))];
    const std::uint32_t node = terms_.words.child(state.node, drawn.letter);
    if (node == Trie::kNone) continue;
    State next = with(state, Rule::Drawn, drawn.letter, at);
    next.node = node;
    next.last = drawn.letter;
    ++next.read;
    ++next.known;
    ++next.fragment;
    push(next, at + static_cast<std::uint32_t>(drawn.signs.size()));
  }
}

void Search::read_heard(const State& state, std::uint32_t at) {
  if (!(terms_.words.next_letters(state.node) & heard_first_)) return;
  for (const Heard& heard : heard_) {
    if (!(terms_.words.next_letters(state.node) & heard.first) ||
        !admits_rule(state, Rule::Sound, static_cast<std::uint32_t>(heard.sound->term.size()),
                     heard.sound->cost, heard.end))
      continue;
    std::uint32_t node = state.node;
    for (const char32_t c : heard.sound->term) {
      node = terms_.words.child(node, c);
      if (node == Trie::kNone) break;
    }
    if (node == Trie::kNone || !goes_on(node, heard.end)) continue;
    State next =
        with(state, Rule::Sound, heard.sound->term[0], at, heard.sound->cost + other_word(at));
    next.node = node;
    next.last = heard.sound->written.back();
    next.read = static_cast<std::uint8_t>(next.read + heard.sound->term.size());
    ++next.known;
    ++next.fragment;
    push(next, heard.end);
  }
}

void Search::read_mask(const State& state, std::uint32_t at) {
  const Masking mask = masking(text_.cells[at]);
  if (mask == Masking::None || is_percent(text_, at)) return;
  const bool plain_mask = mask == Masking::Plain;
  // A sign that parts the letters around hides none: "N'G" of "C'O'N'N'I'N'G".
  const auto same = [&](std::uint32_t i) {
    return i < size() && text_.cells[i].source == text_.cells[at].source;
  };
  if (!plain_mask && (same(at + 2) || (at >= 2 && same(at - 2)))) return;
  if (state.last == kHidden) {
    // More signs than letters are hidden.
    if (plain_mask && text_.cells[at - 1].source == text_.cells[at].source) {
      State next = state;
      next.cost += channel_.hide(bit(Rule::MaskRun), bit(Rule::MaskRun)) / 2;
      push(next, at + 1);
    }
    return;
  }
  const Rule rule = plain_mask ? Rule::Mask : Rule::WeakMask;
  if (!admits_rule(state, rule, 1, 0, at + 1)) return;
  const bool run =
      plain_mask && (at + 1 >= size() || text_.cells[at + 1].source != text_.cells[at].source);
  const auto hide = [&](char32_t c, std::uint32_t node) {
    const float cost = state.cost + channel_.hide(rule, state.rules);
    const bool alone = follows(node, at + 1) &&
                       admits(cost, bit(rule), node, state.read + 1u, false, state.start, at + 1);
    const bool more_hidden =
        run && admits(cost + channel_.hide(Rule::MaskRun, state.rules), bit(rule), node,
                      state.read + 2u, false, state.start, at + 1);
    if (!alone && !more_hidden) return;
    // A vowel mostly: where many terms fit, its readings must not be crowded out.
    const float consonant = plain_mask ? 0.3f : 0.8f;
    State next = with(state, rule, c, at, is_vowel(c) ? 0.0f : consonant);
    next.node = node;
    next.last = kHidden;
    ++next.read;
    ++next.fragment;
    if (alone) push(next, at + 1);
    if (!more_hidden) return;
    const float cost2 = next.cost + channel_.hide(Rule::MaskRun, next.rules);
    if (!admits(cost2, next.rules, node, next.read + 1u, next.spelled || next.fragment <= 1,
                state.start, at + 1))
      return;
    each_letter(node, at + 1, [&](char32_t c2, std::uint32_t node2) {
      if (!follows(node2, at + 1)) return;
      State more = with(next, Rule::MaskRun, c2, at);
      more.node = node2;
      ++more.read;
      push(more, at + 1);
    });
  };
  each_letter(state.node, at + 1, hide);
}

void Search::read_slip(const State& state, std::uint32_t at) {
  if ((state.rules & kSlips) || state.separator != 0 || unspaced(at)) return;
  const Trie& trie = terms_.words;
  const char32_t c = plain(at);
  const bool vowel = is_vowel(c);
  // Whether any letter in place of this one leads on.
  const bool leads = trie.letters_after(state.node) & (ahead_[at + 1] | kSpaceLetter | Trie::kEnds);
  const bool slips = leads && admits_rule(state, Rule::Slip, 1, 0, at + 1);
  const bool vowels = leads && vowel && admits_rule(state, Rule::Vowel, 1, 0, at + 1);
  const auto misspell = [&](char32_t meant, std::uint32_t node) {
    if (meant == c || !leads_on(node, at + 1)) return;
    const bool both = vowel && is_vowel(meant);
    const Rule rule = both ? Rule::Vowel : Rule::Slip;
    const float extra = both || Channel::are_neighbours(meant, c) ? 0.0f : 1.5f;
    State next = with(state, rule, meant, at, extra + other_word(at));
    next.node = node;
    next.last = c;
    ++next.read;
    ++next.fragment;
    push(next, at + 1);
  };
  const LetterSet letters =
      (vowels ? kVowels : 0) | (slips ? ~(vowel ? kVowels : 0) : 0) | kOtherLetters;
  if (slips || vowels) trie.each_child(state.node, letters & ~kSpaceLetter, misspell);
  if (innocence_.word_end(at) > at + 1 && plain(at + 1) != c) {
    const std::uint32_t meant = trie.child(state.node, plain(at + 1));
    const std::uint32_t swapped = meant == Trie::kNone ? Trie::kNone : trie.child(meant, c);
    if (swapped != Trie::kNone && goes_on(swapped, at + 2)) {
      State next = with(state, Rule::Swap, plain(at + 1), at, other_word(at));
      next.node = swapped;
      next.last = c;
      next.read = static_cast<std::uint8_t>(next.read + 2);
      next.known = static_cast<std::uint8_t>(next.known + 2);
      next.fragment = static_cast<std::uint8_t>(next.fragment + 2);
      push(next, at + 2);
    }
  }
  if (follows(state.node, at + 1) && admits_rule(state, Rule::Extra, 0, 0, at + 1)) {
    const float extra = Channel::are_neighbours(c, state.last) ? 0.0f : 1.0f;
    push(with(state, Rule::Extra, c, at, extra + other_word(at)), at + 1);
  }
}

void Search::follow(const State& state, std::uint32_t node, std::uint32_t at, Rule rule,
                    char32_t letter, float extra) {
  const Cell& cell = text_.cells[at];
  const bool soft = rule == Rule::Drop || rule == Rule::Sound;  // not several, as vowels left out
  for (const CellReading* r = text_.begin(cell); r != text_.end(cell); ++r) {
    if (r->size != 1 || (r->steps & kSound)) continue;
    if (innocence_.quiet(at) && r->steps != 0) continue;
    const std::uint32_t next_node = terms_.words.child(node, r->letters[0]);
    if (next_node == Trie::kNone || (soft && !goes_on(next_node, at + 1)) ||
        !admits(state.cost + channel_.hide(rule, state.rules) + extra, bit(rule), next_node,
                state.read + 2u, false, state.start, at + 1))
      continue;
    State next = with(state, rule, letter, at, extra);
    const Rules rules = rules_of(*r, cell);
    next.cost += channel_.hide(rules, next.rules);
    next.rules |= rules;
    next.node = next_node;
    next.last = r->letters[0];
    next.read = static_cast<std::uint8_t>(next.read + 2);
    ++next.known;
    ++next.fragment;
    push(next, at + 1);
  }
}

// Letters of the term that the text does not have.
void Search::leave_out(const State& state, std::uint32_t at) {
  if (unspaced(at)) return;
  const float other = other_word(at);
  const bool leads = terms_.words.letters_after(state.node) & letters_[at];
  const bool vowels = leads && admits_rule(state, Rule::DropVowel, 2, other, at + 1);
  const bool slips = leads && !(state.rules & kSlips) && state.separator == 0 &&
                     admits_rule(state, Rule::Drop, 2, other, at + 1);
  const auto drop = [&](char32_t c, std::uint32_t node) {
    if (!(terms_.words.next_letters(node) & letters_[at])) return;
    const bool vowel = is_vowel(c);
    if (vowel ? vowels : slips)
      follow(state, node, at, vowel ? Rule::DropVowel : Rule::Drop, c, other);
  };
  const LetterSet letters = (vowels ? kVowels : 0) | (slips ? ~kVowels : 0) | kOtherLetters;
  if (vowels || slips) terms_.words.each_child(state.node, letters & ~kSpaceLetter, drop);
  if (!leads || !(terms_.words.next_letters(state.node) & silent_letters_)) return;
  for (const Channel::Sound& silent : channel_.silent()) {
    if (silent.term.size() != 1 ||
        !(terms_.words.next_letters(state.node) & letter_bit(silent.term[0])) ||
        !admits_rule(state, Rule::Sound, 2, silent.cost, at + 1))
      continue;
    const std::uint32_t node = terms_.words.child(state.node, silent.term[0]);
    if (node != Trie::kNone) follow(state, node, at, Rule::Sound, silent.term[0], silent.cost);
  }
}

// Over the signs and spaces that stand at the cell.
void Search::cross(const State& state, std::uint32_t at) {
  if (scope_ == Scope::Joined) return;
  // An owner's s is none of the word's letters.
  if (is_apostrophe(text_.cells[at].source) && gap_.end == at + 1 && plain(gap_.end) == U's' &&
      innocence_.word_end(at) == at + 2)
    return;
  const std::uint32_t signature = gap_.signature;
  const bool was_spelled = state.spelled;
  const auto go = [&](State next, bool spelled, std::uint32_t separator) {
    next.spelled = spelled;
    next.separator = separator;
    next.fragment = 0;
    push(next, gap_.end);
  };
  // Between the words of a term.
  const std::uint32_t word = terms_.words.child(state.node, U' ');
  if (word != Trie::kNone) {
    State next = state;
    next.node = word;
    next.cost += gap_.blank ? 0 : 1;
    next.last = U' ';
    next.fragment = 0;
    push(next, gap_.end);
  }
  if (innocence_.quiet(at > 0 ? at - 1 : 0) && innocence_.quiet(gap_.end)) return;
  if (state.fragment == 1 && (state.separator == 0 || was_spelled)) {
    // The last letter of a word is none of those that stand alone between spaces.
    if (state.inside && gap_.blank && state.separator == 0) return;
    if (state.separator == 0) {
      go(with(state, Rule::Spelled, 0, at, 0.02f * static_cast<float>(gap_.end - at)), true,
         signature);
    } else if (state.separator == signature) {
      State next = state;
      next.cost += channel_.hide(bit(Rule::Spelled), bit(Rule::Spelled));
      go(next, true, signature);
    } else {
      go(with(state, Rule::Irregular, 0, at), true, state.separator);
    }
    return;
  }
  if (was_spelled) {
    go(with(state, Rule::Irregular, 0, at), true, state.separator);
    return;
  }
  // Signs that hide letters part none: "cu****p".
  const bool other = state.separator != 0 && state.separator != signature;
  if (state.separator == signature && !gap_.blank) {  // the same sign again: "d!c.k.h.3.a.d"
    State next = state;
    next.cost += price(Price::SameGap);
    go(next, false, signature);
    return;
  }
  // An apostrophe within a word parts nothing that people read.
  const bool apostrophe = is_apostrophe(text_.cells[at].source) && gap_.end == at + 1;
  const float extra =
      (other ? 1.0f : 0.0f) + (apostrophe ? price(Price::ApostropheGap) : 0.0f) +
      (gap_.masks > 1 ? price(Price::HiddenGap) * static_cast<float>(gap_.masks) : 0.0f);
  go(with(state, gap_.blank ? Rule::SpaceGap : Rule::Gap, 0, at, extra), false, signature);
}

void Search::join_words(const State& state, std::uint32_t at) {
  if (innocence_.word_begin(at) == at || state.last == U' ') return;
  const std::uint32_t word = terms_.words.child(state.node, U' ');
  if (word == Trie::kNone || !(terms_.words.next_letters(word) & letters_[at])) return;
  follow(state, word, at, Rule::Joined, U' ', 0);
}

}  // namespace glyphward::lexicon
