#include "lexicon/matching/search.h"

#include <algorithm>
#include <array>

#include "lexicon/categories.h"
#include "lexicon/channel/drawn_letters.h"
#include "lexicon/matching/entry.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

constexpr std::uint32_t kGapMax = 250;

}  // namespace

Search::Search(const Terms& terms, const Shapes& shapes, const NormalizedText& text,
               const Innocence& innocence, Scope scope, const std::vector<std::uint32_t>& seams,
               Effort effort)
    : terms_(terms),
      shapes_(shapes),
      text_(text),
      innocence_(innocence),
      scope_(scope),
      effort_(effort),
      seams_(seams) {
  look_at_letters();
  for (const Channel::Sound& silent : channel_.silent())
    silent_letters_ |= silent.term.size() == 1 ? letter_bit(silent.term[0]) : 0;
}

void Search::look_at_letters() {
  letters_.assign(size() + 4, 0);
  ahead_.assign(size() + 4, 0);
  for (std::uint32_t i = size(); i-- > 0;) {
    const Cell& cell = text_.cells[i];
    for (const CellReading* r = text_.begin(cell); r != text_.end(cell); ++r) {
      if (!(r->steps & kSound))
        letters_[i] |=
            r->size > 1 ? letter_bit(r->letters[0]) | kOtherLetters : letter_bit(r->letters[0]);
    }
    if (!is_word(cell) && drawn_at(text_, i) != 0) letters_[i] = kAllLetters;
    ahead_[i] = letters_[i];
    // Signs part the words of a phrase, too.
    if (!is_word(cell)) ahead_[i] |= ahead_[i + 1] | kSpaceLetter;
    if (masking(cell) != Masking::None) ahead_[i] = kAllLetters;
  }
}

std::vector<Search::Found> Search::run(float least) {
  least_ = least;
  look_ahead();
  look_around();
  blocks_at_.assign(2 * (size() + 1), kNoBlock);
  ceilings_.resize(2 * (size() + 1));
  set_ceilings(0, size());
  walk(0, size());
  if (scope_ == Scope::Words && seams_.empty()) search_shapes();
  return std::move(found_);
}

void Search::set_ceilings(std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t at = from; at <= to; ++at) {
    for (const Age age : kAges) ceilings_[place(at, age)] = innocence_.bound(at) + kSlack;
  }
}

// Passes over the cells [from, to].
void Search::walk(std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t at = from; at <= to; ++at) {
    const std::optional<State> first = at < to ? seed(at) : std::nullopt;
    const bool any = std::any_of(kAges.begin(), kAges.end(),
                                 [&](Age age) { return blocks_at_[place(at, age)] != kNoBlock; });
    if (!any && !first) continue;
    look_at_cell(at);
    // Behind dear writing a beginning would be the dearest of the cell's states.
    if (first) advance(*first, at);
    for (const Age age : kAges) walk_block(blocks_at_[place(at, age)], at, to);
  }
}

void Search::walk_block(std::uint32_t& number, std::uint32_t at, std::uint32_t to) {
  if (number == kNoBlock) return;
  const Block& block = *blocks_[number];
  for (std::size_t i = 0; i < block.count; ++i) {
    const State& state = block.states[i];
    if (terms_.words.has_values(state.node)) end(state, at);
    if (at < to) advance(state, at);
  }
  free_blocks_.push_back(number);
  number = kNoBlock;
}

// What all states at the cell ask: the gap that begins there, the spellings by ear.
void Search::look_at_cell(std::uint32_t at) {
  heard_.clear();
  heard_first_ = 0;
  gap_ = {};
  if (at >= size()) return;
  if (!is_word(text_.cells[at])) {
    std::uint32_t signature = 2166136261u;
    gap_.end = at;
    gap_.blank = true;
    while (gap_.end < size() && !is_word(text_.cells[gap_.end]) && gap_.end - at < kGapMax) {
      signature = (signature ^ text_.cells[gap_.end].source) * 16777619u;
      gap_.blank = gap_.blank && text_.cells[gap_.end].kind == CellKind::Space;
      gap_.masks += masking(text_.cells[gap_.end]) == Masking::Plain ? 1 : 0;
      ++gap_.end;
    }
    if (gap_.masks < gap_.end - at) gap_.masks = 0;
    gap_.signature = signature | 1;
  } else if (!innocence_.quiet(at) && soft_[at]) {
    for (const Channel::Sound& sound : channel_.sounds(plain(at))) {
      std::uint32_t to = at;
      std::size_t k = 0;
      while (k < sound.written.size() && to < size() && plain(to) == sound.written[k]) ++to, ++k;
      if (k < sound.written.size()) continue;
      heard_.push_back({&sound, letter_bit(sound.term[0]), to});
      heard_first_ |= heard_.back().first;
    }
  }
}

// ----- beginnings -----

// Whether a stem may begin within a word at the cell, by the letters of it and the next two.
bool Search::may_begin(std::uint32_t at) const {
  // A sign may hide a letter or part two.
  const auto sign = [&](std::uint32_t i) {
    return i < size() && !innocence_.in_word(i) && text_.cells[i].kind == CellKind::Sign;
  };
  const LetterSet first = letters_[at];
  const LetterSet second = sign(at + 1) ? kAllLetters : letters_[at + 1];
  const LetterSet third = sign(at + 1) || sign(at + 2) ? kAllLetters : letters_[at + 2];
  return first != 0 &&
         (((first | third) & second) != 0 || terms_.stems.may_begin(first, second, third));
}

std::optional<Search::State> Search::seed(std::uint32_t at) const {
  const Cell& cell = text_.cells[at];
  if (cell.kind == CellKind::Space || letters_[at] == 0) return {};
  if (begins_ != nullptr && !(*begins_)[at]) return {};
  State state;
  state.start = at;
  if (scope_ == Scope::Joined) {
    // From a piece's first letter.
    const auto seam = std::upper_bound(seams_.begin(), seams_.end(), at);
    if (seam == seams_.begin() || seam == seams_.end()) return {};
    for (std::uint32_t i = *std::prev(seam); i < at; ++i) {
      if (is_word(text_.cells[i])) return {};
    }
    state.cost = innocence_.bound(at);
  } else if (!innocence_.in_word(at) || innocence_.word_begin(at) == at || unspaced(at)) {
    state.cost = innocence_.before(at);
  } else if (is_apostrophe(text_.cells[at - 1].source)) {
    // "l'anus", and not "Shinto's".
    if (innocence_.word_end(at) < at + 3) return {};
    const std::uint32_t begin = innocence_.word_begin(at);
    state.cost = innocence_.before(begin) + innocence_.word(innocence_.plain(begin, at - 1)) +
                 price(Price::Apostrophe);
  } else {
    if (scope_ != Scope::Words || innocence_.listed(at) || !may_begin(at)) return {};
    const Residue rest = residue(innocence_.word_begin(at), at, false);
    state.cost = innocence_.before(innocence_.word_begin(at)) + rest.cost;
    state.inside = true;
    state.loose = rest.loose;
  }
  if (state.cost >= kNever || state.cost > innocence_.bound(at) + kSlack) return {};
  return state;
}

// ----- states -----

void Search::look_ahead() {
  constexpr std::size_t kWords = 4;  // a term broken into more pieces is spelled
  const float first =
      std::min(channel_.hide(bit(Rule::Gap), 0), channel_.hide(bit(Rule::SpaceGap), 0));
  const float more = channel_.hide(bit(Rule::Gap), bit(Rule::Gap));
  limits_.assign(size() + 1, innocence_.total());
  if (scope_ == Scope::Joined) return;
  // The costs up to the ends of the next words, the nearest first.
  std::array<float, kWords> ends;
  ends.fill(innocence_.total());
  for (std::uint32_t i = size(); i-- > 0;) {
    const bool inside = innocence_.in_word(i);
    if (inside && innocence_.word_end(i) == i + 1) {
      std::copy_backward(ends.begin(), ends.end() - 1, ends.end());
      ends[0] = innocence_.bound(i + 1);
    }
    // At a sign, the word before may end, too.
    float limit = inside ? ends[0] : std::max(innocence_.bound(i), ends[0]);
    float gaps = inside ? first : 0;
    for (std::size_t k = inside ? 1 : 0; k < kWords; ++k) {
      limit = std::max(limit, ends[k] - gaps);
      gaps += more;
    }
    limits_[i] = limit;
  }
}

void Search::look_around() {
  soft_.assign(size(), effort_.everywhere);
  if (effort_.everywhere) return;
  bool beside = true;
  std::uint32_t before = 0;  // the word before, with the signs around it
  for (std::uint32_t at = 0; at < size();) {
    const std::uint32_t end = std::max(innocence_.word_end(at), at + 1);
    if (innocence_.in_word(at)) {
      const bool quiet = innocence_.quiet(at);
      if (quiet) std::fill(soft_.begin() + before, soft_.begin() + at, true);
      if (beside) std::fill(soft_.begin() + at, soft_.begin() + end, true);
      beside = quiet;
      before = at;
    }
    at = end;
  }
  std::fill(soft_.begin() + before, soft_.end(), true);
}

void Search::push(const State& state, std::uint32_t at) {
  if (!admits(state.cost, state.rules, state.node, state.read, state.spelled || state.fragment <= 1,
              state.start, at))
    return;
  // What began in words before has not paid for them, and would leave no room for this word's own.
  const std::size_t here = place_of(state.start, at);
  std::uint32_t& number = blocks_at_[here];
  if (number == kNoBlock) {
    if (free_blocks_.empty()) {
      free_blocks_.push_back(static_cast<std::uint32_t>(blocks_.size()));
      blocks_.push_back(std::make_unique<Block>());
    }
    number = free_blocks_.back();
    free_blocks_.pop_back();
    blocks_[number]->count = blocks_[number]->turn = 0;
  }
  Block& block = *blocks_[number];
  const std::uint64_t key = static_cast<std::uint64_t>(state.node) << 32 | state.separator;
  const float score = state.cost + outlook(state.read);
  const auto put = [&](std::uint32_t place) {
    block.keys[place] = key;
    block.scores[place] = score;
    block.turns[place] = block.turn++;
    block.states[place] = state;
    if (block.count < effort_.terms) return;
    block.worst = 0;
    for (std::uint32_t i = 1; i < block.count; ++i) {
      // Of equals the last goes: the likelier came first.
      const float more = block.scores[i] - block.scores[block.worst];
      if (more > 0 || (more == 0 && block.turns[i] > block.turns[block.worst])) block.worst = i;
    }
    ceilings_[here] = std::min(ceilings_[here], block.scores[block.worst]);
  };
  for (std::uint32_t i = 0; i < block.count; ++i) {
    if (block.keys[i] != key) continue;
    if (score < block.scores[i]) put(i);
    return;
  }
  if (block.count < effort_.terms) {
    ++block.count;
    put(block.count - 1);
  } else {
    put(block.worst);
  }
}

void Search::advance(const State& state, std::uint32_t at) {
  const Cell& cell = text_.cells[at];
  if (state.node == Trie::kRoot && at != state.start) return;
  if (cell.kind != CellKind::Space) {
    read_cell(state, at);
    if (!innocence_.quiet(at)) {
      if (!is_word(cell)) read_drawn(state, at);
      if (state.read > 0) read_mask(state, at);
      if (soft_[at]) {
        if (!heard_.empty()) read_heard(state, at);
        if (state.read > 0 && innocence_.in_word(at)) read_slip(state, at);
        if (state.read > 0 && state.fragment > 0) leave_out(state, at);
      }
    }
  }
  if (state.read == 0 || state.fragment == 0) return;
  if (gap_.end > at && gap_.end < size()) {
    cross(state, at);
  } else if (innocence_.in_word(at)) {
    join_words(state, at);
  }
}

// ----- ends -----

Search::Residue Search::residue(std::uint32_t begin, std::uint32_t end, bool behind) const {
  Residue result;
  if (begin >= end) {
    result.cost = 0;
    return result;
  }
  result.any = true;
  if (end - begin > kWordLettersMax) {
    result.cost =
        price(Price::StemFragment) + price(Price::Random) * static_cast<float>(end - begin);
    result.loose = true;
    return result;
  }
  bool digits = true;
  for (std::uint32_t i = begin; i < end; ++i)
    digits = digits && text_.cells[i].kind == CellKind::Digit;
  // "fuck24"
  if (digits) {
    result.cost = price(Price::Number) + price(Price::Digit) * static_cast<float>(end - begin);
    result.digits = true;
    return result;
  }
  const std::u32string letters = innocence_.plain(begin, end);
  const WordTable& table = innocence_.table();
  // For a stem; price_of() adds what it costs more for another term.
  result.cost = price(Price::StemFragment) + innocence_.fragment(letters);
  result.loose = true;
  const auto offer = [&](float cost, bool affix, bool companion) {
    if (cost >= result.cost) return;
    result.cost = cost;
    result.affix = affix;
    result.companion = companion;
    result.loose = !affix && !companion;
  };
  if (channel_.is_companion(letters)) offer(price(Price::Companion), false, true);
  // "xxtermxx"
  if (letters.size() > 1 && letters.find_first_not_of(letters[0]) == letters.npos)
    offer(price(Price::Companion) + static_cast<float>(letters.size()), false, false);
  if (letters.size() >= 3)
    offer(innocence_.run_together(letters, price(Price::WordBeside), result.cost), false, false);
  const WordHash hash = hash_of(letters);
  result.letters = hash;
  offer((behind ? table.suffix(hash) : table.prefix(hash)) + price(Price::Affix), true, false);
  // An owner, as in innocence.cc.
  if (behind && (letters == U"'s" || letters == U"'")) offer(price(Price::Apostrophe), true, false);
  // shit -> shitt+ing
  if (behind && letters.size() > 1 && begin > 0 && letters[0] == plain(begin - 1))
    offer(
        table.suffix(hash_of(std::u32string_view(letters).substr(1))) + price(Price::Affix) + 0.5f,
        true, false);
  result.plural = letters == U"s" || letters == U"z" || letters == U"es" || letters == U"'s" ||
                  letters == U"’s";
  return result;
}

// What sticks to a term that ends before cell `at`, with a mask if `hidden`.
Search::Residue Search::behind(std::uint32_t at, bool hidden) const {
  if (scope_ == Scope::Joined) {
    const auto seam = std::lower_bound(seams_.begin(), seams_.end(), at);
    if (seam == seams_.end()) return {};
    std::uint32_t end = at;
    while (end < *seam && is_word(text_.cells[end])) ++end;
    for (std::uint32_t i = end; i < *seam; ++i) {
      if (is_word(text_.cells[i])) return {};
    }
    return residue(at, end, true);
  }
  const bool word_ends = at == 0 || !innocence_.in_word(at - 1) || innocence_.word_begin(at) == at;
  if (at >= size() || !innocence_.in_word(at) || (word_ends && !hidden) || unspaced(at)) {
    Residue none;
    none.cost = 0;
    return none;
  }
  // A listed word that holds no term is read whole.
  if (innocence_.listed(at)) return {};
  return residue(at, innocence_.word_end(at), true);
}

// What the pattern costs beside the letters; kNever where it may not stand so.
float Search::price_of(const Pattern& pattern, const State& state, std::uint32_t at,
                       const Residue& rest) const {
  const bool joined = state.inside || rest.any;
  const std::uint32_t flags = pattern.flags;
  if (joined && (flags & kExact)) return kNever;
  if (state.known < 2 && pattern.letters > 1 && !unspaced(state.start)) return kNever;
  const bool whole = scope_ == Scope::Whole || scope_ == Scope::Turned;
  if (whole) {
    if (pattern.letters < 4 && !unspaced(state.start)) return kNever;
    if (state.inside || (rest.any && !rest.affix)) return kNever;
    if (scope_ == Scope::Whole &&
        ((flags & kNoReverse) || ((pattern.steps & kSpelling) && pattern.letters < 5)))
      return kNever;
  }
  float cost = price(Price::Term) + pattern.cost;
  const int soft = static_cast<int>(count_bits(state.rules & kSoft));
  if (pattern.numeric) {
    const bool spaced_out = (state.rules & ~(bit(Rule::Gap) | bit(Rule::SpaceGap))) == 0;
    return stands_alone(state.start, at) && !joined && spaced_out ? cost - 6 : kNever;
  }
  if (state.rules == 0 && !joined) cost += price(Price::Plain);
  if (state.rules == 0 && rest.affix && !state.inside) cost += price(Price::PlainEnding);
  if (rest.affix && !rest.plural &&
      !innocence_.table().is_suffix_in(pattern.language, rest.letters) && pattern.language != 0)
    cost += price(Price::OtherEnding);
  if (state.inside && rest.any && !(flags & kStem)) cost += price(Price::BothSides);
  if ((flags & kPlural) && !(flags & kStem) && (state.inside || (rest.any && !rest.plural)))
    cost += price(Price::PluralOnly);
  if ((state.inside || (rest.any && !rest.affix)) && pattern.letters < 4 && !unspaced(state.start))
    cost += price(Price::ShortInside);
  // A stem is found whatever it stands in: the letters beside it are no sign against it.
  if (flags & kStem) {
    if (joined) cost += price(Price::Stem);
  } else {
    cost += (price(Price::Fragment) - price(Price::StemFragment)) *
            static_cast<float>((state.loose ? 1 : 0) + (rest.loose ? 1 : 0));
  }
  if (soft > 1) cost += price(Price::FurtherSoft) * static_cast<float>(soft - 1);
  if (soft > 0 && (pattern.steps & kSpelling)) cost += price(Price::SoftForm);
  // Where words differ by a vowel or an ending, as in most languages but English, a likeness is
  // another word.
  if (soft > 0 && pattern.language != english_) cost += price(Price::SoftOther);
  // Nobody has counted slips in other scripts.
  if (soft > 0 && plain(state.start) >= 0x370 && !is_cyrillic(plain(state.start)))
    cost += price(Price::SoftScript);
  // A word with a capital that resembles a term is mostly a name: "Pajet".
  if (soft > 0 && innocence_.titled(state.start)) cost += price(Price::SoftTitle);
  // Within a longer word a likeness is chance.
  const bool within = state.inside || (rest.any && !rest.affix && !rest.digits);
  if (within && (soft > 0 || (pattern.steps & kSpelling))) cost += price(Price::SoftInside);
  if (state.inside && !pattern.inside) cost += price(Price::InsideOther);
  if (rest.loose && pattern.language != english_ && !(flags & kStem))
    cost += price(Price::RestLoose);
  if (is_within_katakana(state.start, at)) cost += price(Price::Fragment);
  if (rest.companion && pattern.language != english_) cost += price(Price::CompanionOther);
  if (rest.any && soft > 0) cost += price(Price::SlipAndRest);
  // "thốt" is a word, and no "thot" with marks on it.
  if ((state.rules & (bit(Rule::Accent) | bit(Rule::Marks))) &&
      innocence_.listed(std::min(state.start, size() - 1)))
    cost += price(Price::OtherWord);
  if ((flags & kLocal) && (innocence_.languages() & language_bit(pattern.language)).none())
    cost += price(Price::Local);
  // Amid words of other languages it is likelier to be another of theirs.
  const std::uint32_t own = state.rules == 0 ? 0 : 1;  // disguised it counts as another word, too
  if (scope_ == Scope::Words && pattern.language != 0 && innocence_.other_words() > own &&
      (innocence_.languages() & language_bit(pattern.language)).none())
    cost += price(Price::OtherText);
  if ((flags & kName) && pattern.severity < kGraveSeverityMin && innocence_.titled(state.start))
    cost += price(Price::Name);
  if ((flags & kNoLeet) && (state.rules & bit(Rule::Leet))) cost += price(Price::NoLeet);
  if ((flags & kNoSound) && (state.rules & kSoft)) cost += price(Price::NoSound);
  if (pattern.letters <= 3 && state.rules != 0) cost += price(Price::Short);
  // Of four letters one word in ten is a slip away from another.
  if (state.rules & kSlips) {
    if (pattern.letters < 4) return kNever;
    if (pattern.letters == 4) cost += price(Price::ShortSlip);
  }
  return cost;
}

// A number is meant only where it is all that stands there, and no amount.
bool Search::stands_alone(std::uint32_t begin, std::uint32_t end) const {
  return innocence_.bound(begin) < 3 &&
         innocence_.total() - innocence_.bound(std::min(end, size())) < 3 &&
         !is_amount(text_, begin, end);
}

bool Search::is_amount(const NormalizedText& text, std::uint32_t begin, std::uint32_t end) {
  const auto cells = text.cells.begin();
  const bool decimal = std::any_of(cells + begin, cells + end, [](const Cell& cell) {
    return cell.source == U'.' || cell.source == U',';
  });
  return decimal || std::any_of(cells, text.cells.end(),
                                [](const Cell& cell) { return is_currency_sign(cell.source); });
}

// Katakana are written for one foreign word at a time.
bool Search::is_within_katakana(std::uint32_t begin, std::uint32_t end) const {
  const auto katakana = [&](std::uint32_t i) { return is_katakana(text_.cells[i].source); };
  return (begin > 0 && katakana(begin - 1) && katakana(begin)) ||
         (end < size() && end > 0 && katakana(end - 1) && katakana(end));
}

void Search::end(const State& state, std::uint32_t at) {
  if (state.known == 0 || state.fragment == 0) return;
  const Residue rest = behind(at, state.last == kHidden);
  if (rest.cost == kNever) return;
  std::uint32_t to = at;
  float tail = 0;
  if (scope_ == Scope::Joined) {
    tail =
        innocence_.total() - innocence_.bound(*std::lower_bound(seams_.begin(), seams_.end(), at));
  } else {
    if (rest.any) to = innocence_.word_end(at);
    tail = innocence_.from(to);
    if (tail == kNever) return;
  }
  const float read = state.cost + rest.cost + tail;
  const Trie& trie = terms_.words;
  for (const std::uint32_t* v = trie.values_begin(state.node); v != trie.values_end(state.node);
       ++v) {
    const Pattern& pattern = terms_.patterns[*v];
    const float cost = price_of(pattern, state, at, rest);
    if (cost == kNever) continue;
    float evidence = innocence_.total() - read - cost;
    // A phrase that is listed means what it says, however often its words are written.
    const bool phrase = ((pattern.spaced && !pattern.spelled) || pattern.letters == 1) &&
                        (state.rules & ~bit(Rule::Compatibility)) == 0 && !rest.any &&
                        !state.inside;
    if (phrase && !(pattern.flags & (kLocal | kName)))
      evidence = std::max(evidence, kEvidenceMin + 1);
    if (evidence < least_) continue;
    Steps steps = pattern.steps;
    if (rest.any) steps |= rest.affix ? kInflection : kCompound;
    if (state.inside) steps |= kCompound;
    found_.push_back({*v, state.start, at, state.rules, steps, evidence});
    if (explains_) found_links_.push_back(state.link);
  }
}

std::string Search::explain(const Found& found) {
  if (found.rules == 0) return "";
  explains_ = true;
  links_.assign(1, Link{});
  found_links_.clear();
  found_.clear();
  std::vector<bool> begins(size(), false);
  begins[found.begin] = true;
  begin_only(begins);
  set_ceilings(found.begin, found.end);
  walk(found.begin, found.end);
  begins_ = nullptr;
  explains_ = false;
  std::uint32_t link = 0;
  for (std::size_t i = 0; i < found_links_.size(); ++i) {
    if (found_[i].pattern == found.pattern && found_[i].end == found.end &&
        found_[i].rules == found.rules)
      link = found_links_[i];
  }
  std::vector<std::string> parts;
  for (; link != 0; link = links_[link].before) {
    const Link& step = links_[link];
    std::string part(rule_name(step.rule));
    if (step.letter != 0)
      part.append("(").append(encode(std::u32string_view(&step.letter, 1))).append(")");
    parts.push_back(part + "@" + std::to_string(step.cell));
  }
  std::string result;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    result += (result.empty() ? "" : " ") + *part;
  return result;
}

}  // namespace glyphward::lexicon
