#include "lexicon/reading/reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "lexicon/categories.h"
#include "lexicon/reading/names.h"
#include "lexicon/text/codes.h"
#include "lexicon/text/instructions/instructions.h"
#include "lexicon/text/normalization.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

Steps step_of(Decoded::Kind kind) { return kind == Decoded::Kind::Markup ? kMarkup : kCode; }

Price price_of(Decoded::Kind kind) {
  switch (kind) {
    case Decoded::Kind::Markup:
      return Price::Markup;
    case Decoded::Kind::Code:
      return Price::Code;
    case Decoded::Kind::LettersMoved:
      return Price::LettersMoved;
  }
  return Price::Code;
}

std::uint32_t size_of(const NormalizedText& text) {
  return static_cast<std::uint32_t>(text.cells.size());
}

// The stretch without spaces that holds the cells.
std::pair<std::uint32_t, std::uint32_t> stretch(const NormalizedText& text, std::uint32_t begin,
                                                std::uint32_t end) {
  while (begin > 0 && text.cells[begin - 1].kind != CellKind::Space) --begin;
  while (end < text.cells.size() && text.cells[end].kind != CellKind::Space) ++end;
  return {begin, end};
}

// Whether all words of a stretch are listed. It makes sense as it stands, then, and is not meant
// otherwise: "Lana" is a name, whatever it is backwards.
bool is_listed(const Innocence& ordinary, std::uint32_t begin, std::uint32_t end) {
  constexpr std::uint32_t kLettersMin = 3;
  bool words = false;
  for (std::uint32_t i = begin; i < end; ++i) {
    if (!ordinary.in_word(i)) continue;
    words = ordinary.listed(i) && ordinary.word_end(i) - ordinary.word_begin(i) >= kLettersMin;
    if (!words) return false;
  }
  return words;
}

// Letters that stand by themselves, one after the other, are one stretch: "K C U F".
std::uint32_t end_of_letters(const NormalizedText& text, std::uint32_t begin, std::uint32_t end) {
  const std::vector<Cell>& cells = text.cells;
  const auto lone = [&](std::uint32_t i) {
    return is_word(cells[i]) && (i + 1 == cells.size() || cells[i + 1].kind == CellKind::Space);
  };
  if (end != begin + 1 || !lone(begin)) return end;
  while (end + 1 < cells.size() && lone(end + 1)) end += 2;
  return end;
}

// The stretches of a text that cost so much as they stand that they may be meant otherwise, put
// together with spaces between; of a short text, all. `asked`: the prompt says that it is.
class Senseless {
 public:
  Senseless(const NormalizedText& text, const Innocence& ordinary, float least, bool asked) {
    constexpr std::size_t kShort = 12;
    bool any = false;
    std::vector<Stretch> all;
    for (std::uint32_t i = 0; i < text.cells.size();) {
      if (text.cells[i].kind == CellKind::Space) {
        ++i;
        continue;
      }
      const std::uint32_t end = end_of_letters(text, i, stretch(text, i, i + 1).second);
      const float cost = ordinary.bound(end) - ordinary.bound(i);
      all.push_back({i, end, 0, cost});
      any = any || (cost >= least && (asked || !is_listed(ordinary, i, end)));
      i = end;
    }
    if (!any) return;
    for (Stretch& one : all) {
      if (all.size() > kShort && one.cost < least) continue;
      one.at = size_;
      size_ += one.end - one.begin + 1;
      stretches_.push_back(one);
    }
    --size_;  // no space behind the last
  }

  bool empty() const { return stretches_.empty(); }

  // The cells of these stretches; `opposite`: of a text whose cells stand in the opposite order.
  NormalizedText pick(const NormalizedText& text, bool opposite) const {
    NormalizedText result;
    result.readings = text.readings;
    result.ascii = text.ascii;
    result.cells.reserve(size_);
    const std::uint32_t size = size_of(text);
    Cell space;
    space.kind = CellKind::Space;
    space.source = space.plain = U' ';
    for (std::size_t i = 0; i < stretches_.size(); ++i) {
      const Stretch& one = stretches_[opposite ? stretches_.size() - 1 - i : i];
      const auto first = text.cells.begin() + (opposite ? size - one.end : one.begin);
      if (i > 0) result.cells.push_back(space);
      result.cells.insert(result.cells.end(), first, first + (one.end - one.begin));
    }
    return result;
  }

  // Of the picked cells, in the same or the opposite order: the stretch that holds one.
  Matcher::Around around(std::uint32_t cell, bool opposite) const {
    const std::uint32_t at = opposite ? size_ - 1 - cell : cell;
    const auto next =
        std::upper_bound(stretches_.begin(), stretches_.end(), at,
                         [](std::uint32_t i, const Stretch& one) { return i < one.at; });
    const Stretch& one = *std::prev(next);
    const std::uint32_t end = one.at + one.end - one.begin;
    return {opposite ? size_ - end : one.at, opposite ? size_ - one.at : end, one.cost};
  }

 private:
  struct Stretch {
    std::uint32_t begin = 0;  // cells of the text
    std::uint32_t end = 0;
    std::uint32_t at = 0;  // where it begins among the picked ones
    float cost = 0;
  };
  std::vector<Stretch> stretches_;
  std::uint32_t size_ = 0;
};

Matcher::View as_it_stands(const Reader::Hints& hints) {
  Matcher::View view;
  view.effort = hints.effort;
  return view;
}

Decoded decoded(const DecodedRun& run) {
  return {Decoded::Kind::Code, run.text, {run.origins.begin(), run.origins.end()}};
}

}  // namespace

Effort effort_of(std::string_view prompt) {
  constexpr std::size_t kLettersMax = 8000;
  const auto letters = std::count_if(prompt.begin(), prompt.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // no further byte of one
  });
  return static_cast<std::size_t>(letters) > kLettersMax ? kLittleEffort : Effort{};
}

bool asks_for_mirror(std::string_view prompt) {
  static constexpr std::array<std::string_view, 12> kSigns = {
      "mirror",    "revers", "backward", "from behind", "inside out", "spiegel",
      "rückwärts", "espejo", "miroir",   "envers",      "зеркал",     "наоборот"};
  std::string folded(prompt);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return folded.find(sign) != folded.npos; });
}

// Turns cells into bytes; a name beside a light word clears it.
void Reader::place(const NormalizedText& text, std::size_t offset, Steps view,
                   std::vector<Hit>& hits, std::vector<PlacedHit>& out) const {
  for (Hit& hit : hits) {
    const Entry& entry = entries_[hit.entry];
    if ((entry.flags & kName) && entry.term.severity < kGraveSeverityMin && is_name(text, hit))
      continue;
    const Cell& a = text.cells[hit.begin];
    const Cell& b = text.cells[hit.end - 1];
    out.push_back({hit.entry,
                   std::min(a.start, b.start) + offset,
                   std::max(a.end, b.end) + offset,
                   hit.steps | view,
                   {},
                   hit.evidence,
                   std::move(hit.reading),
                   std::move(hit.ordinary)});
  }
  hits.clear();
}

void Reader::read(const Part& part, const Hints& hints, std::vector<PlacedHit>& out) const {
  const NormalizedText text = normalize(part.text);
  std::vector<Hit> hits;
  matcher_.find(text, as_it_stands(hints), hits);
  place(text, part.offset, 0, hits, out);
}

NormalizedText Reader::read_shown(const TextReading& reading, std::size_t offset,
                                  const Hints& hints, std::vector<PlacedHit>& out) const {
  const std::size_t before = out.size();
  NormalizedText text = normalize(reading.text);
  if (text.cells.empty()) return text;
  std::vector<Hit> hits;
  const Innocence ordinary = matcher_.innocence(text, hints.effort);
  matcher_.find(text, ordinary, as_it_stands(hints), hits);
  place(text, 0, 0, hits, out);
  // One letter is the same, whichever way it is looked at.
  if (text.cells.size() > 1 && !hints.as_it_stands) {
    read_turned(text, ordinary, hints, out);
    read_decoded(reading.text, text, ordinary, hints, out);
    read_initials(text, hints, out);
  }
  if (reading.origins.empty()) {
    for (std::size_t i = before; i < out.size(); ++i) {
      out[i].start += offset;
      out[i].end += offset;
    }
    return text;
  }
  const auto put_back = [&](auto& range, std::size_t from) {
    const std::size_t last = std::max<std::size_t>(range.end, range.start + 1) - 1;
    range.start = static_cast<decltype(range.start)>(reading.origins[range.start].first - from);
    range.end = static_cast<decltype(range.end)>(reading.origins[last].second - from);
  };
  for (std::size_t i = before; i < out.size(); ++i) put_back(out[i], 0);
  for (Cell& cell : text.cells) put_back(cell, offset);
  return text;
}

void Reader::read_codes(std::string_view prompt, const Hints& hints,
                        std::vector<PlacedHit>& out) const {
  for (const DecodedRun& run : find_codes(prompt)) {
    const std::size_t start = run.origins.front().first;
    const NormalizedText source =
        normalize(prompt.substr(start, run.origins.back().second - start));
    // Nobody writes letters that show nothing.
    const float cost =
        source.cells.empty() ? kNever : matcher_.innocence(source, hints.effort).total();
    read_as(decoded(run), 0, cost, hints, out);
  }
}

void Reader::read_described(std::string_view prompt, const std::vector<RenderedText>& shown,
                            const Hints& hints, std::vector<PlacedHit>& out) const {
  for (const DecodedRun& run : follow_instructions(prompt, shown))
    read_as(decoded(run), 0, kNever, hints, out);
}

// Backwards and upside down: where the text makes no sense as it stands.
void Reader::read_turned(const NormalizedText& text, const Innocence& ordinary, const Hints& hints,
                         std::vector<PlacedHit>& out) const {
  const Channel& channel = Channel::shipped();
  const Price backwards = hints.mirrored ? Price::ReversedAsked : Price::Reversed;
  const float term = channel.price(Price::Term) + channel.price(Price::Plain) + matcher_.least();
  bool turned = false;
  const NormalizedText upside_down = turn(text, &turned);
  const float least = channel.price(turned ? Price::Turned : backwards) + term;
  const Senseless senseless(text, ordinary, least, hints.mirrored);
  if (senseless.empty()) return;
  const auto look = [&](const NormalizedText& cells, bool opposite, Steps steps, Price price) {
    Matcher::View view;
    view.scope = steps == kReversed ? Scope::Whole : Scope::Turned;
    view.cost = channel.price(price);
    view.effort = hints.effort;
    view.around = [&](std::uint32_t begin, std::uint32_t) {
      return senseless.around(begin, opposite);
    };
    std::vector<Hit> hits;
    matcher_.find(cells, view, hits);
    place(cells, 0, steps, hits, out);
  };
  const NormalizedText as_it_stands = senseless.pick(text, false);
  look(reverse(as_it_stands), true, kReversed, backwards);
  if (!turned) return;
  const NormalizedText opposite = senseless.pick(upside_down, true);
  look(opposite, true, kTurned, Price::Turned);
  look(reverse(opposite), false, kTurned | kReversed, Price::Turned);
}

void Reader::read_as(const Decoded& decoded, std::size_t offset, float source, const Hints& hints,
                     std::vector<PlacedHit>& out) const {
  NormalizedText text = normalize(decoded.text);
  if (text.cells.empty()) return;
  Matcher::View view;
  view.scope = decoded.kind == Decoded::Kind::LettersMoved ? Scope::Whole : Scope::Words;
  view.cost = Channel::shipped().price(price_of(decoded.kind));
  view.effort = hints.effort;
  const std::uint32_t size = size_of(text);
  view.around = [=](std::uint32_t, std::uint32_t) { return Matcher::Around{0, size, source}; };
  std::vector<Hit> hits;
  matcher_.find(text, view, hits);
  for (Cell& cell : text.cells) {
    cell.start = static_cast<std::uint32_t>(decoded.from[cell.start].first);
    cell.end = static_cast<std::uint32_t>(decoded.from[cell.end - 1].second);
  }
  place(text, offset, step_of(decoded.kind), hits, out);
}

void Reader::read_decoded(std::string_view source, const NormalizedText& text,
                          const Innocence& ordinary, const Hints& hints,
                          std::vector<PlacedHit>& out) const {
  for (const Decoded& decoded : decode_all(source))
    read_as(decoded, 0, ordinary.total(), hints, out);
  read_moved(source, text, ordinary, hints, out);
}

void Reader::read_moved(std::string_view prompt, const Hints& hints,
                        std::vector<PlacedHit>& out) const {
  const NormalizedText text = normalize(prompt);
  read_moved(prompt, text, matcher_.innocence(text, hints.effort), hints, out);
}

void Reader::read_moved(std::string_view source, const NormalizedText& text,
                        const Innocence& ordinary, const Hints& hints,
                        std::vector<PlacedHit>& out) const {
  // Word by word, where a word makes no sense; the first of them tell enough.
  const std::size_t words_max = hints.effort.everywhere ? 64 : 8;
  constexpr std::size_t kLettersMax = 40;
  const Channel& channel = Channel::shipped();
  const float least = channel.price(Price::LettersMoved) + channel.price(Price::Term) +
                      channel.price(Price::Plain) + matcher_.least();
  std::size_t words = 0;
  for (std::uint32_t i = 0; i < text.cells.size() && words < words_max;) {
    const std::uint32_t end = stretch(text, i, i).second;
    if (end > i + 3) {
      const float cost = ordinary.bound(end) - ordinary.bound(i);
      const std::size_t start = text.cells[i].start;
      const std::string_view word = source.substr(start, text.cells[end - 1].end - start);
      if (cost >= least && word.size() <= kLettersMax && !is_listed(ordinary, i, end)) {
        ++words;
        for (const Decoded& decoded : decode_word(word)) read_as(decoded, start, cost, hints, out);
      }
    }
    i = std::max(end, i + 1);
  }
}

// The first letters of the lines, if each line is a word or the prompt asks for it; and of words
// from a spelling alphabet.
void Reader::read_initials(const NormalizedText& text, const Hints& hints,
                           std::vector<PlacedHit>& out) const {
  NormalizedText lines;
  NormalizedText words;
  lines.readings = words.readings = text.readings;
  lines.ascii = words.ascii = text.ascii;
  bool one_word_lines = true;
  bool spelling_alphabet = true;
  bool line_start = true;
  std::size_t in_line = 0;
  for (std::size_t i = 0; i < text.cells.size(); ++i) {
    const Cell& cell = text.cells[i];
    if (cell.source == U'\n' || cell.source == U'/' || cell.source == U'|') {
      line_start = true;
      in_line = 0;
      continue;
    }
    const bool starts =
        cell.kind == CellKind::Letter && (i == 0 || text.cells[i - 1].kind != CellKind::Letter);
    if (!starts) continue;
    words.cells.push_back(cell);
    std::u32string word;
    for (std::size_t j = i;
         spelling_alphabet && j < text.cells.size() && text.cells[j].kind == CellKind::Letter;
         ++j) {
      word.push_back(text.cells[j].plain);
    }
    spelling_alphabet = spelling_alphabet && is_spelling_word(encode(word));
    if (!spelling_alphabet && !one_word_lines && !hints.acrostic) return;
    if (line_start) lines.cells.push_back(cell);
    one_word_lines = one_word_lines && (line_start || ++in_line < 2);
    line_start = false;
  }
  const auto try_letters = [&](const NormalizedText& letters) {
    if (letters.cells.size() < 3 || letters.cells.size() > 40) return;
    std::vector<Hit> hits;
    const std::vector<std::uint32_t> seams = {0, size_of(letters)};
    matcher_.find(letters, Scope::Joined, hits, seams);
    std::erase_if(hits, [&](const Hit& hit) {
      return (hit.steps & ~static_cast<Steps>(kInflection | kSpelling)) != 0 ||
             (letters.cells.size() < 4 && !hints.acrostic && !spelling_alphabet);
    });
    place(letters, 0, kAcrostic, hits, out);
  };
  if (lines.cells.size() > 1 && (one_word_lines || hints.acrostic)) try_letters(lines);
  if ((spelling_alphabet || hints.acrostic) && words.cells.size() > 2) try_letters(words);
}

void Reader::read_joined(const std::vector<NormalizedPart>& parts, const Hints& hints,
                         std::vector<PlacedHit>& out) const {
  const bool lines = std::any_of(parts.begin(), parts.end(), [](const NormalizedPart& part) {
    return std::any_of(part.text.cells.begin(), part.text.cells.end(),
                       [](const Cell& cell) { return cell.source == U'\n'; });
  });
  if (parts.size() < 2 && !lines) return;
  Pieces joined;  // one after the other
  Pieces spaced;  // with a space between
  std::size_t cells = parts.size();
  for (const NormalizedPart& part : parts) cells += part.text.cells.size();
  joined.text.cells.reserve(cells);
  spaced.text.cells.reserve(cells);
  for (const NormalizedPart& part : parts) {
    joined.add(part, false);
    spaced.add(part, true);
  }
  joined.finish();
  spaced.finish();
  if (joined.seams.size() < 3) return;
  const Innocence ordinary = matcher_.innocence(spaced.text, hints.effort);
  std::vector<Hit> hits;
  Matcher::View view;
  view.scope = Scope::Joined;
  view.cost = Channel::shipped().price(Price::Split);
  view.effort = hints.effort;
  // The pieces that hold the cells: joined they have no spaces between, else one each.
  view.around = [&](std::uint32_t begin, std::uint32_t end) {
    const std::size_t first = joined.piece(begin);
    const std::size_t last = joined.piece(end - 1);
    const std::uint32_t spaced_end =
        last + 2 < spaced.seams.size() ? spaced.seams[last + 1] - 1 : spaced.seams.back();
    return Matcher::Around{joined.seams[first], joined.seams[last + 1],
                           ordinary.bound(spaced_end) - ordinary.bound(spaced.seams[first])};
  };
  matcher_.find(joined.text, view, hits, joined.seams);
  keep_pieces(joined, hits, out);
  matcher_.find(spaced.text, ordinary, as_it_stands(hints), hits, spaced.seams);
  keep_pieces(spaced, hits, out);
}

// Keeps the hits that begin in one piece and end in another.
void Reader::keep_pieces(const Pieces& pieces, std::vector<Hit>& hits,
                         std::vector<PlacedHit>& out) const {
  constexpr std::size_t kPiecesMax = 24;
  std::erase_if(hits, [&](const Hit& hit) {
    const std::size_t count = pieces.piece(hit.end - 1) - pieces.piece(hit.begin);
    return count == 0 || count >= kPiecesMax;
  });
  const std::size_t before = out.size();
  place(pieces.text, 0, kSplit, hits, out);
  for (std::size_t i = before; i < out.size(); ++i)
    out[i].pieces = pieces.through(out[i].start, out[i].end);
}

void Reader::resolve(std::vector<PlacedHit>& hits) const {
  const auto rank = [&](const PlacedHit& c) {
    return std::make_tuple(-c.evidence - kEvidenceOfSeverity * entries_[c.entry].term.severity,
                           -static_cast<double>(c.end - c.start), c.start, c.entry);
  };
  using Rank = decltype(rank(PlacedHit{}));
  std::vector<std::pair<Rank, std::size_t>> order;
  order.reserve(hits.size());
  for (std::size_t i = 0; i < hits.size(); ++i) order.emplace_back(rank(hits[i]), i);
  std::sort(order.begin(), order.end());
  // Kept ranges do not overlap, so only the neighbours in order of position need a look.
  std::map<std::size_t, std::size_t> kept;
  std::vector<PlacedHit> result;
  for (const auto& [_, index] : order) {
    PlacedHit& hit = hits[index];
    const auto next = kept.lower_bound(hit.start);
    if (next != kept.end() && next->first < hit.end) continue;
    if (next != kept.begin() && std::prev(next)->second > hit.start) continue;
    kept.emplace(hit.start, hit.end);
    result.push_back(std::move(hit));
  }
  std::sort(result.begin(), result.end(),
            [](const PlacedHit& a, const PlacedHit& b) { return a.start < b.start; });
  hits = std::move(result);
}

}  // namespace glyphward::lexicon
