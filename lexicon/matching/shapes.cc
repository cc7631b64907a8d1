// Words with several hidden letters, by their shape.
#include <algorithm>

#include "lexicon/matching/entry.h"
#include "lexicon/matching/search.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

// Length and first letter.
std::uint32_t key_of_shape(std::uint32_t length, char32_t first) {
  return length << 24 | (static_cast<std::uint32_t>(first) & 0xFFFFFF);
}

}  // namespace

void Shapes::add(std::uint32_t pattern, std::u32string_view letters) {
  if (letters.size() > kLettersMax) return;
  shapes_.push_back({key_of_shape(static_cast<std::uint32_t>(letters.size()), letters[0]), pattern,
                     static_cast<std::uint32_t>(letters_.size())});
  letters_ += letters;
}

void Shapes::finish() {
  std::sort(shapes_.begin(), shapes_.end(), [](const Shape& a, const Shape& b) {
    return a.key != b.key ? a.key < b.key : a.pattern < b.pattern;
  });
}

std::pair<const Shapes::Shape*, const Shapes::Shape*> Shapes::of(std::uint32_t length,
                                                                 char32_t first) const {
  const std::uint32_t key = key_of_shape(length, first);
  const auto begin = std::lower_bound(shapes_.begin(), shapes_.end(), key,
                                      [](const Shape& s, std::uint32_t k) { return s.key < k; });
  auto end = begin;
  while (end != shapes_.end() && end->key == key) ++end;
  return {shapes_.data() + (begin - shapes_.begin()), shapes_.data() + (end - shapes_.begin())};
}

// Stretches that begin with a letter and have one sign in place of several: "f**k", "c***".
void Search::search_shapes() {
  for (std::uint32_t i = 0; i < size();) {
    if (!innocence_.in_word(i) || unspaced(i)) {
      ++i;
      continue;
    }
    std::uint32_t end = i;
    std::uint32_t hidden = 0;
    std::uint32_t last_hidden = 0;
    char32_t sign = 0;
    for (; end < size() && end - i <= Shapes::kLettersMax; ++end) {
      const Cell& cell = text_.cells[end];
      if (cell.kind == CellKind::Space) break;
      if (is_word(cell) || masking(cell) == Masking::None) continue;
      if (sign != 0 && cell.source != sign) break;
      sign = cell.source;
      last_hidden = end;
      ++hidden;
    }
    const std::uint32_t stretch = end;
    if (hidden >= 2) {
      // To the end of the stretch or another sign, and as far as the signs and a letter behind
      // them.
      if (stretch - i <= Shapes::kLettersMax) compare_shapes(i, stretch, hidden);
      if (last_hidden + 1 < stretch) compare_shapes(i, last_hidden + 1, hidden);
      if (last_hidden + 2 < stretch) compare_shapes(i, last_hidden + 2, hidden);
    }
    i = std::max(end, i + 1);
  }
}

void Search::compare_shapes(std::uint32_t begin, std::uint32_t end, std::uint32_t signs) {
  while (end > begin && !is_word(text_.cells[end - 1]) &&
         masking(text_.cells[end - 1]) == Masking::None)
    --end;
  const std::uint32_t length = end - begin;
  if (length < 4 || length < signs + 1 || (length < signs + 2 && length != 4)) return;
  Rule rule = Rule::Mask;
  bool alternate = true;
  for (std::uint32_t i = begin; i < end; ++i) {
    alternate = alternate && (i == begin || is_word(text_.cells[i]) != is_word(text_.cells[i - 1]));
    if (is_word(text_.cells[i])) continue;
    const Masking mask = masking(text_.cells[i]);
    if (mask == Masking::None) return;
    if (mask == Masking::Weak) rule = Rule::WeakMask;
  }
  if (rule == Rule::WeakMask && alternate) return;  // initials: "F.C."
  const Residue rest = behind(end, !is_word(text_.cells[end - 1]));
  const std::uint32_t to = rest.any ? innocence_.word_end(end) : end;
  if (innocence_.before(begin) == kNever || rest.cost == kNever || innocence_.from(to) == kNever)
    return;
  const auto reads_as = [&](std::uint32_t i, char32_t letter) {
    const Cell& cell = text_.cells[i];
    for (const CellReading* r = text_.begin(cell); r != text_.end(cell); ++r) {
      if (r->size == 1 && r->letters[0] == letter && !(r->steps & kSound)) return true;
    }
    return false;
  };
  const auto [first, last] = shapes_.of(length, plain(begin));
  for (const Shapes::Shape* shape = first; shape != last; ++shape) {
    const char32_t* letters = shapes_.letters(*shape);
    bool fits = true;
    for (std::uint32_t i = 1; fits && i < length; ++i) {
      const bool hidden = !is_word(text_.cells[begin + i]);
      fits = hidden || reads_as(begin + i, letters[i]);
    }
    if (!fits) continue;
    State state;
    state.start = begin;
    state.known = static_cast<std::uint8_t>(std::max(2u, length - signs));
    state.cost = innocence_.before(begin);
    state = with(state, rule, letters[1], begin);
    state.cost +=
        std::min(1.0f, channel_.hide(bit(rule), bit(rule))) * static_cast<float>(signs - 1);
    const Pattern& pattern = terms_.patterns[shape->pattern];
    const float cost = price_of(pattern, state, end, rest);
    const float evidence =
        innocence_.total() - (state.cost + rest.cost + innocence_.from(to)) - cost;
    if (cost == kNever || evidence < least_) continue;
    Steps steps = pattern.steps;
    if (rest.any) steps |= rest.affix ? kInflection : kCompound;
    found_.push_back({shape->pattern, begin, end, state.rules, steps, evidence});
  }
}

}  // namespace glyphward::lexicon
