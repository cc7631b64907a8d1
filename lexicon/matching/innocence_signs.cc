// Ordinary words with signs among their letters: masked, drawn, spelled, broken, codes.
#include <algorithm>
#include <cctype>
#include <string>

#include "lexicon/channel/drawn_letters.h"
#include "lexicon/matching/innocence.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {

void Innocence::add_stretches() {
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  Cells cells;
  for (std::uint32_t i = 0; i < size;) {
    if (text_.cells[i].kind == CellKind::Space || unspaced(i)) {
      ++i;
      continue;
    }
    std::uint32_t end = i;
    bool signs = false;
    while (end < size && text_.cells[end].kind != CellKind::Space && !unspaced(end)) {
      signs = signs || !words_[end].inside;
      ++end;
    }
    const std::uint32_t next = end;
    static constexpr CharacterSet kClosing(U"!?)]},.;:'\"");
    while (end > i && !words_[end - 1].inside && kClosing.contains(text_.cells[end - 1].source))
      --end;
    // What only closes behind a word is no sign in it.
    signs = signs && words_[i].end < end;
    if (signs && end - i > 2 && end - i <= 30) {
      cells.clear();
      for (std::uint32_t k = i; k < end; ++k) cells.push_back(k);
      add(i, end, price_run(cells));
      add_drawn(i, end);
      add_masked(i, end);
    }
    i = next;
  }
}

// Letters that signs draw together, read as such wherever they stand.
void Innocence::add_drawn(std::uint32_t begin, std::uint32_t end) {
  std::u32string letters;
  std::uint32_t drawn = 0;
  for (std::uint32_t i = begin; i < end;) {
    std::size_t longest = 0;
    char32_t letter = letter_of(text_.cells[i]);
    for (std::uint32_t rest = drawn_at(text_, i); rest != 0; rest &= rest - 1) {
      const Drawn& one = kDrawn[static_cast<std::size_t>(__builtin_ctz(rest))];
      if (one.signs.size() <= longest || i + one.signs.size() > end) continue;
      longest = one.signs.size();
      letter = one.letter;
    }
    if (longest == 0 && !words_[i].inside) return;
    drawn += longest > 0 ? 1 : 0;
    letters.push_back(letter);
    i += std::max<std::uint32_t>(1, static_cast<std::uint32_t>(longest));
  }
  if (drawn == 0) return;
  const Priced priced = price_word(letters);
  add(begin, end,
      {priced.cost + channel_.write(bit(Rule::Drawn), 0) +
           static_cast<float>(drawn - 1) * channel_.write(bit(Rule::Drawn), bit(Rule::Drawn)),
       How::Broken});
}

void Innocence::add_masked(std::uint32_t begin, std::uint32_t end) {
  while (begin < end && !words_[begin].inside) ++begin;
  while (end > begin && !words_[end - 1].inside) --end;
  if (end - begin < 3) return;
  WordHash hash = 0;
  std::uint32_t hidden = 0;
  std::uint32_t stars = 0;
  float shown = 0;
  for (std::uint32_t i = begin; i < end; ++i) {
    const bool mask = !words_[i].inside;
    if (mask && masking(text_.cells[i]) == Masking::None) return;
    hidden += mask ? 1 : 0;
    stars += text_.cells[i].source == U'*' ? 1 : 0;
    shown += mask ? 0 : price(Price::HiddenShown);
    hash = hash_append(hash, mask ? kHiddenLetter : letter_of(text_.cells[i]));
  }
  if (hidden == 0) return;
  // Whoever writes stars for letters hides what should not be written.
  const float starred = stars >= 2 && stars == hidden ? price(Price::Starred) : 0;
  // Whatever word it is: of a long one so few letters tell nothing.
  if (hidden >= 4 && end - begin >= 6)
    add(begin, end,
        {price(Price::Masked) + starred + shown +
             price(Price::HiddenSign) * static_cast<float>(hidden),
         How::Masked});
  if (end - begin > 12) return;
  add(begin, end,
      {table_.near(Key::Hidden, hash) + price(Price::Masked) + starred + static_cast<float>(hidden),
       How::Masked});
}

// Single letters with the same signs between: "O P E N".
void Innocence::add_spelled() {
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  const auto single = [&](std::uint32_t i) {
    return is_word(text_.cells[i]) && !unspaced(i) && (i == 0 || !is_word(text_.cells[i - 1])) &&
           (i + 1 >= size || !is_word(text_.cells[i + 1]));
  };
  Cells cells;
  for (std::uint32_t i = 0; i < size;) {
    if (!single(i)) {
      ++i;
      continue;
    }
    cells.assign(1, i);
    std::uint32_t gap_begin = 0;
    std::uint32_t gap_size = 0;
    float odd = 0;
    bool spaces = false;
    for (std::uint32_t at = i + 1; cells.size() < kRunMax - 2;) {
      std::uint32_t to = at;
      while (to < size && !is_word(text_.cells[to]) && to - at < 5) ++to;
      if (to >= size || to == at || !single(to)) break;
      bool same = gap_size == to - at;
      bool blank = true;
      for (std::uint32_t k = 0; k < to - at; ++k) {
        same = same && text_.cells[gap_begin + k].source == text_.cells[at + k].source;
        blank = blank && text_.cells[at + k].kind == CellKind::Space;
      }
      if (cells.size() == 1) {
        gap_begin = at;
        gap_size = to - at;
        spaces = blank;
      } else if (!same) {
        odd += blank == spaces ? 1.5f : 2.5f;
      }
      cells.push_back(to);
      at = to + 1;
    }
    const std::uint32_t end = cells.back() + 1;
    if (cells.size() >= 3) {
      Priced priced = price_run(cells);
      priced.cost += price(Price::Spelled) + odd + (spaces ? 0 : 0.5f);
      priced.how = How::Spelled;
      add(i, end, priced);
      i = end;
    } else {
      ++i;
    }
  }
}

// Listed words broken by signs or by one space: "choco-late", "pass\nion".
void Innocence::add_broken() {
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  constexpr std::size_t kLettersMax = 16;
  for (std::uint32_t i = 0; i < size;) {
    if (!words_[i].inside || unspaced(i)) {
      ++i;
      continue;
    }
    if (words_[i].quiet) {
      i = words_[i].end;
      continue;
    }
    WordHash hash = 0;
    std::size_t letters = 0;
    float gaps = 0;
    float spaces = 0;
    for (std::uint32_t at = i; at < size && letters < kLettersMax && gaps < 12;) {
      const std::uint32_t end = words_[at].end;
      for (; at < end && letters < kLettersMax; ++at, ++letters)
        hash = hash_append(hash, letter_of(text_.cells[at]));
      if (at < end) break;
      if (gaps > 0 && letters >= 4) {
        const WordTable::Word word = vocabulary_.listed(hash, languages_);
        if (word.cost < kNever)
          add(i, end, {word.cost + price(Price::Broken) + gaps + 3 * spaces, How::Broken});
      }
      std::uint32_t next = end;
      bool blank = false;
      bool stars = true;  // as in a masked word
      for (; next < size && !words_[next].inside && next - end < 3; ++next) {
        blank = blank || text_.cells[next].kind == CellKind::Space;
        stars = stars && text_.cells[next].source == U'*';
      }
      if (next >= size || next == end || !words_[next].inside || unspaced(next)) break;
      if (blank && spaces > 0) break;
      gaps += stars && next - end >= 2 ? 1 + price(Price::Starred) : 1;
      spaces += blank ? 1 : 0;
      at = next;
    }
    i = words_[i].end;
  }
}

// A colour of a web page: "#FA6600".
void Innocence::add_colours() {
  constexpr std::uint32_t kDigits = 6;
  constexpr float kHexDigit = 2.77f;  // one of sixteen
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  const auto is_hex = [&](std::uint32_t i) {
    return text_.cells[i].source < 0x80 && std::isxdigit(static_cast<int>(text_.cells[i].source));
  };
  for (std::uint32_t i = 0; i + kDigits < size; ++i) {
    if (text_.cells[i].source != U'#') continue;
    std::uint32_t end = i + 1;
    while (end < size && is_hex(end)) ++end;
    if (end - i == kDigits + 1 && (end == size || !is_word(text_.cells[end])))
      add(i, end, {price(Price::Sign) + kHexDigit * kDigits, How::Code});
  }
}

// Capitals, digits and hyphens: a number plate, a part's number.
void Innocence::add_codes() {
  add_colours();
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  for (std::uint32_t i = 0; i < size;) {
    if (text_.cells[i].kind == CellKind::Space ||
        (i > 0 && text_.cells[i - 1].kind != CellKind::Space)) {
      ++i;
      continue;
    }
    float cost = 4;
    bool hyphen = false;
    std::uint32_t end = i;
    for (; end < size && end - i < 13; ++end) {
      const Cell& cell = text_.cells[end];
      const bool sign = cell.source == U'-' || cell.source == U'.';
      if (!sign && cell.kind != CellKind::Digit && !cell.upper) break;
      hyphen = hyphen || cell.source == U'-';
      cost += sign ? 0.7f : cell.kind == CellKind::Digit ? 2.0f : price(Price::Random);
    }
    if (hyphen && end - i > 2 && end - i <= 12 &&
        (end == size || text_.cells[end].kind == CellKind::Space))
      add(i, end, {cost, How::Code});
    i = std::max(end, i + 1);
  }
}

}  // namespace glyphward::lexicon
