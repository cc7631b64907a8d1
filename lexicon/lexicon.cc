#include "lexicon/lexicon.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/config_error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "lexicon/lists/list.h"
#include "lexicon/matching/matcher.h"
#include "lexicon/text/extraction.h"
#include "lexicon/text/languages.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {
namespace {

using ByteRange = std::pair<std::size_t, std::size_t>;

// A finding on its way, with what decides between overlapping ones.
struct Candidate {
  std::uint32_t entry = 0;
  std::size_t start = 0;
  std::size_t end = 0;
  Steps steps = 0;
  std::vector<ByteRange> pieces;
};

// Text whose bytes are those of the prompt from `offset` on.
struct Part {
  std::string_view text;
  std::size_t offset = 0;
};

// The same, normalized.
struct NormalizedPart {
  NormalizedText text;
  std::size_t offset = 0;
};

// Quotes and lines put together in one text, whose offsets are the prompt's.
struct Pieces {
  NormalizedText text;
  std::vector<std::uint32_t> seams;  // the cell where each piece begins; last, the text's end
  std::vector<ByteRange> bytes;      // of each piece

  std::uint32_t add_readings(const NormalizedText& part) {
    const auto base = static_cast<std::uint32_t>(text.readings.size());
    text.ascii = part.ascii;
    text.readings.insert(text.readings.end(), part.readings.begin(), part.readings.end());
    return base;
  }
  void begin_piece(const Cell& cell, std::size_t offset) {
    seams.push_back(size());
    bytes.emplace_back(cell.start + offset, cell.end + offset);
  }
  void add(Cell cell, std::uint32_t base, std::size_t offset) {
    if (!cell.shared) cell.first += base;
    cell.start += static_cast<std::uint32_t>(offset);
    cell.end += static_cast<std::uint32_t>(offset);
    bytes.back().second = cell.end;
    text.cells.push_back(cell);
  }
  void add_gap() {
    if (text.cells.empty()) return;
    Cell gap = text.cells.back();
    gap.kind = CellKind::Space;
    gap.source = gap.plain = U' ';
    gap.count = 0;
    text.cells.push_back(gap);
  }
  void finish() { seams.push_back(size()); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(text.cells.size()); }

  // The piece that holds the cell.
  std::size_t piece(std::uint32_t cell) const {
    const auto next = std::upper_bound(seams.begin(), seams.end() - 1, cell);
    return static_cast<std::size_t>(next - seams.begin()) - 1;
  }
  // The bytes of the pieces that [start, end) runs through.
  std::vector<ByteRange> through(std::size_t start, std::size_t end) const {
    auto first = std::upper_bound(bytes.begin(), bytes.end(), start,
                                  [](std::size_t at, const ByteRange& r) { return at < r.first; });
    if (first != bytes.begin()) --first;
    auto last = first;
    while (last != bytes.end() && last->first < end) ++last;
    return {first, last};
  }
};

class LexiconImpl : public Lexicon {
 public:
  explicit LexiconImpl(Lists lists, std::string revision)
      : entries_(std::move(lists.entries)),
        matcher_(entries_),
        allowed_(lists.allowed),
        revision_(std::move(revision)) {
    for (const Entry& entry : entries_) terms_.push_back(entry.term);
    analyze("warm: “ı”");  // the tables that are made once are made now, not in the first request
  }

  Analysis analyze(std::string_view prompt) const override {
    Analysis analysis;
    analysis.rendered = extract(prompt);
    const LanguageIndex languages(prompt);
    const bool acrostic = asks_for_acrostic(prompt);
    std::vector<Candidate> shown;
    std::vector<Candidate> elsewhere;
    std::vector<NormalizedPart> parts;
    parts.reserve(analysis.rendered.size());
    std::size_t from = 0;
    const auto search_between = [&](std::size_t to) {
      if (to > from) search(Part{prompt.substr(from, to - from), from}, languages, elsewhere);
    };
    for (const RenderedText& text : analysis.rendered) {
      search_between(text.start);
      from = text.end;
      const Part part{prompt.substr(text.start, text.end - text.start), text.start};
      parts.push_back({normalize(part.text), part.offset});
      search_shown(parts.back().text, part, languages, acrostic, shown);
    }
    search_between(prompt.size());
    search_joined(parts, languages, shown);
    resolve(shown);
    resolve(elsewhere);
    for (const Candidate& candidate : shown)
      analysis.findings.push_back(finding(prompt, candidate, true));
    for (const Candidate& candidate : elsewhere) {
      // A finding over several quotes covers what stands between them.
      const auto next =
          std::lower_bound(shown.begin(), shown.end(), candidate.start,
                           [](const Candidate& other, std::size_t at) { return other.end <= at; });
      const bool overlaps = next != shown.end() && next->start < candidate.end;
      if (!overlaps) analysis.findings.push_back(finding(prompt, candidate, false));
    }
    std::sort(analysis.findings.begin(), analysis.findings.end(),
              [](const Finding& a, const Finding& b) { return a.start < b.start; });
    return analysis;
  }

  std::vector<Finding> find(std::string_view text) const override {
    std::vector<Candidate> candidates;
    const LanguageIndex languages(text);
    std::vector<NormalizedPart> parts;
    parts.push_back({normalize(text), 0});
    search_shown(parts.back().text, Part{text, 0}, languages, false, candidates);
    search_joined(parts, languages, candidates);
    resolve(candidates);
    std::vector<Finding> findings;
    findings.reserve(candidates.size());
    for (const Candidate& candidate : candidates)
      findings.push_back(finding(text, candidate, true));
    return findings;
  }

  const std::vector<Term>& terms() const override { return terms_; }
  const std::string& revision() const override { return revision_; }

 private:
  Finding finding(std::string_view prompt, const Candidate& candidate, bool rendered) const {
    const Term& term = entries_[candidate.entry].term;
    Finding result;
    result.term = term.term;
    result.category = term.category;
    result.severity = term.severity;
    result.language = term.language;
    result.start = candidate.start;
    result.end = candidate.end;
    result.matched = std::string(prompt.substr(candidate.start, candidate.end - candidate.start));
    result.rendered = rendered;
    result.steps = step_names(candidate.steps);
    result.pieces = candidate.pieces;
    return result;
  }

  // Drops what the allow list, a language or a name clears, and turns cells into bytes. What stands
  // near in the part tells the language.
  void keep(const NormalizedText& text, const Part& part, const LanguageIndex& languages,
            Steps view, const std::vector<Hit>& hits, std::vector<Candidate>& out,
            const std::vector<std::uint32_t>& seams = {}) const {
    if (hits.empty()) return;
    std::vector<AllowList::Range> allowed;
    if (!(view & (kTurned | kAcrostic)))
      allowed = allowed_.find(view & kReversed ? reverse(text) : text, seams);
    // The farthest end of an allowed range that begins at or before a cell: whether one covers a
    // hit is then one look.
    std::vector<std::uint32_t> reach(allowed.empty() ? 0 : text.cells.size() + 1);
    for (const AllowList::Range& range : allowed)
      reach[range.begin] = std::max(reach[range.begin], range.end);
    for (std::size_t i = 1; i < reach.size(); ++i) reach[i] = std::max(reach[i], reach[i - 1]);
    for (const Hit& hit : hits) {
      const auto size = static_cast<std::uint32_t>(text.cells.size());
      const bool backwards = view & kReversed;
      const std::uint32_t begin = backwards ? size - hit.end : hit.begin;
      const std::uint32_t last = backwards ? size - hit.begin : hit.end;
      const bool cleared = !reach.empty() && reach[begin] >= last;
      if (cleared) continue;
      const Entry& entry = entries_[hit.entry];
      const Cell& a = text.cells[hit.begin];
      const Cell& b = text.cells[hit.end - 1];
      const std::size_t start = std::min(a.start, b.start);
      const std::size_t end = std::max(a.end, b.end);
      if (!entry.harmless_in.empty() || (entry.flags & kLocal)) {
        const Languages around = languages.near(start + part.offset, end + part.offset, part.offset,
                                                part.offset + part.text.size());
        if (cleared_by_language(entry, languages.all(), around)) continue;
      }
      if ((entry.flags & kName) && is_name(text, hit)) continue;
      out.push_back({hit.entry, start + part.offset, end + part.offset, hit.steps | view, {}});
    }
  }

  static bool cleared_by_language(const Entry& entry, const Languages& prompt,
                                  const Languages& around) {
    const std::string& own = entry.term.language;
    if ((entry.flags & kLocal) && !around.has(own) && prompt.main() != own) return true;
    if (around.has(own)) return false;
    return std::any_of(
        entry.harmless_in.begin(), entry.harmless_in.end(), [&](const std::string& language) {
          return around.has(language) || (prompt.main() == language && !(prompt.main() == own));
        });
  }

  // Written as a name: beside a title, a first name or what places are called, or as an owner's.
  static bool is_name(const NormalizedText& text, const Hit& hit) {
    if (hit.steps & ~static_cast<Steps>(kInflection | kSpelling)) return false;
    const auto word = [&](std::uint32_t begin, std::uint32_t end) {
      std::u32string letters;
      for (std::uint32_t i = begin; i < end; ++i) letters.push_back(text.cells[i].plain);
      return encode(letters);
    };
    const auto is_letter_cell = [&](std::uint32_t i) {
      return text.cells[i].kind == CellKind::Letter;
    };
    const auto size = static_cast<std::uint32_t>(text.cells.size());
    const auto is_apostrophe = [](char32_t c) { return c == U'\'' || c == U'’'; };
    if (hit.end + 1 < size && is_apostrophe(text.cells[hit.end].source) &&
        text.cells[hit.end + 1].plain == U's') {
      return true;  // whose: "Dick's Drive-In"
    }
    if (!text.cells[hit.begin].upper) return false;
    std::uint32_t end = hit.begin;
    while (end > 0 && !is_letter_cell(end - 1) && hit.begin - end < 3) --end;
    std::uint32_t begin = end;
    while (begin > 0 && is_letter_cell(begin - 1)) --begin;
    if (begin < end && end < hit.begin && is_name_before(word(begin, end))) return true;
    std::uint32_t next = hit.end;
    while (next < size && is_letter_cell(next)) ++next;  // the ending
    const std::uint32_t gap = next;
    while (next < size && !is_letter_cell(next) && next - gap < 3) ++next;
    std::uint32_t stop = next;
    while (stop < size && is_letter_cell(stop)) ++stop;
    return stop > next && next > gap && is_name_after(word(next, stop));
  }

  void search(const Part& part, const LanguageIndex& languages, std::vector<Candidate>& out) const {
    const NormalizedText text = normalize(part.text);
    std::vector<Hit> hits;
    matcher_.find(text, Matcher::Scope::Words, hits);
    keep(text, part, languages, 0, hits, out);
  }

  // All ways to read a text that is shown: as it stands, backwards, upside down, down its lines.
  void search_shown(const NormalizedText& text, const Part& part, const LanguageIndex& languages,
                    bool acrostic, std::vector<Candidate>& out) const {
    std::vector<Hit> hits;
    matcher_.find(text, Matcher::Scope::Words, hits);
    keep(text, part, languages, 0, hits, out);
    if (text.cells.size() < 2) return;  // one letter, whichever way it is looked at
    const auto other_view = [&](const NormalizedText& view, Steps steps) {
      hits.clear();
      matcher_.find(view, steps == kReversed ? Matcher::Scope::Whole : Matcher::Scope::Turned,
                    hits);
      keep(view, part, languages, steps, hits, out);
    };
    other_view(reverse(text), kReversed);
    bool turned = false;
    const NormalizedText upside_down = turn(text, &turned);
    if (turned) {
      other_view(upside_down, kTurned);
      other_view(reverse(upside_down), kTurned | kReversed);
    }
    search_initials(text, part, languages, acrostic, out);
  }

  // The first letters of the lines, if each line is a word or the prompt asks for it; and of words
  // from a spelling alphabet.
  void search_initials(const NormalizedText& text, const Part& part, const LanguageIndex& languages,
                       bool acrostic, std::vector<Candidate>& out) const {
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
      if (!spelling_alphabet && !one_word_lines && !acrostic) return;
      if (line_start) lines.cells.push_back(cell);
      one_word_lines = one_word_lines && (line_start || ++in_line < 2);
      line_start = false;
    }
    const auto try_letters = [&](const NormalizedText& letters) {
      if (letters.cells.size() < 3 || letters.cells.size() > 40) return;
      std::vector<Hit> hits;
      const std::vector<std::uint32_t> seams = {0,
                                                static_cast<std::uint32_t>(letters.cells.size())};
      matcher_.find(letters, Matcher::Scope::Joined, hits, seams);
      std::erase_if(hits, [&](const Hit& hit) {
        return (hit.steps & ~static_cast<Steps>(kInflection | kSpelling)) != 0 ||
               (letters.cells.size() < 4 && !acrostic && !spelling_alphabet);
      });
      keep(letters, part, languages, kAcrostic, hits, out);
    };
    if (lines.cells.size() > 1 && (one_word_lines || acrostic)) try_letters(lines);
    if ((spelling_alphabet || acrostic) && words.cells.size() > 2) try_letters(words);
  }

  // Several quotes, or several lines of one, read together: "wan" and "ker".
  void search_joined(const std::vector<NormalizedPart>& parts, const LanguageIndex& languages,
                     std::vector<Candidate>& out) const {
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
      add_pieces(part, joined, false);
      add_pieces(part, spaced, true);
    }
    joined.finish();
    spaced.finish();
    if (joined.seams.size() < 3) return;
    std::vector<Hit> hits;
    matcher_.find(joined.text, Matcher::Scope::Joined, hits, joined.seams);
    keep_pieces(joined, languages, hits, out);
    hits.clear();
    matcher_.find(spaced.text, Matcher::Scope::Words, hits, spaced.seams);
    keep_pieces(spaced, languages, hits, out);
  }

  static void add_pieces(const NormalizedPart& part, Pieces& pieces, bool spaced) {
    const std::uint32_t base = pieces.add_readings(part.text);
    bool begins = true;
    for (const Cell& cell : part.text.cells) {
      if (cell.source == U'\n') {
        begins = true;
        continue;
      }
      if (begins) {
        if (spaced) pieces.add_gap();
        pieces.begin_piece(cell, part.offset);
        begins = false;
      }
      pieces.add(cell, base, part.offset);
    }
  }

  // Keeps the hits that begin in one piece and end in another.
  void keep_pieces(const Pieces& pieces, const LanguageIndex& languages, std::vector<Hit>& hits,
                   std::vector<Candidate>& out) const {
    constexpr std::size_t kPiecesMax = 24;
    std::erase_if(hits, [&](const Hit& hit) {
      const std::size_t count = pieces.piece(hit.end - 1) - pieces.piece(hit.begin);
      return count == 0 || count >= kPiecesMax;
    });
    const std::size_t before = out.size();
    keep(pieces.text, Part{}, languages, kSplit, hits, out, pieces.seams);
    for (std::size_t i = before; i < out.size(); ++i) {
      out[i].pieces = pieces.through(out[i].start, out[i].end);
    }
  }

  // Of overlapping candidates the most severe stays, then the longest, then the most plainly
  // written.
  void resolve(std::vector<Candidate>& candidates) const {
    const auto rank = [&](const Candidate& c) {
      const auto severity = static_cast<std::uint64_t>(entries_[c.entry].term.severity);
      const auto length = static_cast<std::uint64_t>(c.end - c.start);
      const auto plain = static_cast<std::uint64_t>(std::popcount(c.steps));
      return std::make_tuple((7 - severity) << 56 | ((1ull << 40) - 1 - length) << 8 | plain,
                             c.start, c.entry);
    };
    using Rank = decltype(rank(Candidate{}));
    std::vector<std::pair<Rank, std::size_t>> order;
    order.reserve(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) order.emplace_back(rank(candidates[i]), i);
    std::sort(order.begin(), order.end());
    // Kept ranges do not overlap, so only the neighbours in order of position need a look.
    std::map<std::size_t, std::size_t> kept;
    std::vector<Candidate> result;
    for (const auto& [_, index] : order) {
      Candidate& candidate = candidates[index];
      const auto next = kept.lower_bound(candidate.start);
      if (next != kept.end() && next->first < candidate.end) continue;
      if (next != kept.begin() && std::prev(next)->second > candidate.start) continue;
      kept.emplace(candidate.start, candidate.end);
      result.push_back(std::move(candidate));
    }
    std::sort(result.begin(), result.end(),
              [](const Candidate& a, const Candidate& b) { return a.start < b.start; });
    candidates = std::move(result);
  }

  std::vector<Entry> entries_;
  Matcher matcher_;
  AllowList allowed_;
  std::vector<Term> terms_;
  std::string revision_;
};

}  // namespace

std::shared_ptr<const Lexicon> Lexicon::load(const std::vector<std::filesystem::path>& files) {
  Lists lists;
  std::vector<std::string> contents;
  for (const std::filesystem::path& file : files) {
    contents.push_back(read_file(file));
    read_list(file, contents.back(), lists);
  }
  if (lists.entries.empty()) {
    throw ConfigError(files.empty() ? std::filesystem::path("lexicon") : files.front(), 0, "",
                      "expected at least one term, found none in the files given");
  }
  std::vector<std::string_view> chunks = {Matcher::kVersion};
  chunks.insert(chunks.end(), contents.begin(), contents.end());
  return std::make_shared<LexiconImpl>(std::move(lists), to_hex(sha256_of_chunks(chunks)));
}

}  // namespace glyphward::lexicon
