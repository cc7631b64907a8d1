#include "lexicon/lexicon.h"

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>
#include <utility>

#include "base/config_error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "lexicon/lists/list.h"
#include "lexicon/matching/allow_list.h"
#include "lexicon/matching/matcher.h"
#include "lexicon/names.h"
#include "lexicon/pieces.h"
#include "lexicon/tables.h"
#include "lexicon/text/extraction.h"
#include "lexicon/text/languages.h"
#include "lexicon/text/normalization.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

// A hit by its bytes in the prompt: what decides between overlapping ones, and becomes a finding.
struct PlacedHit {
  std::uint32_t entry = 0;
  std::size_t start = 0;  // [start, end)
  std::size_t end = 0;
  Steps steps = 0;
  std::vector<ByteRange> pieces;
  double evidence = 0;
  std::string reading;
  std::string ordinary;
};

// Text whose bytes are those of the prompt from `offset` on.
struct Part {
  std::string_view text;
  std::size_t offset = 0;
};

class LexiconImpl : public Lexicon {
 public:
  explicit LexiconImpl(Lists lists, std::string revision)
      : entries_(std::move(lists.entries)),
        matcher_(entries_, lists.allowed),
        allowed_(lists.allowed),
        revision_(std::move(revision)) {
    for (const Entry& entry : entries_) terms_.push_back(entry.term);
    // The tables that are read once are read now, not in the first request.
    analyze("warm: “ı”");
    LanguageIndex("warm").all();
    is_spelling_word("warm");
  }

  Analysis analyze(std::string_view prompt) const override {
    Analysis analysis;
    analysis.rendered = extract(prompt);
    const LanguageIndex languages(prompt);
    const bool acrostic = asks_for_acrostic(prompt);
    std::vector<PlacedHit> shown;
    std::vector<PlacedHit> elsewhere;
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
    for (const PlacedHit& hit : shown) analysis.findings.push_back(finding(prompt, hit, true));
    for (const PlacedHit& hit : elsewhere) {
      // A finding over several quotes covers what stands between them.
      const auto next =
          std::lower_bound(shown.begin(), shown.end(), hit.start,
                           [](const PlacedHit& other, std::size_t at) { return other.end <= at; });
      const bool overlaps = next != shown.end() && next->start < hit.end;
      if (!overlaps) analysis.findings.push_back(finding(prompt, hit, false));
    }
    std::sort(analysis.findings.begin(), analysis.findings.end(),
              [](const Finding& a, const Finding& b) { return a.start < b.start; });
    return analysis;
  }

  std::vector<Finding> find(std::string_view text) const override {
    std::vector<PlacedHit> placed;
    const LanguageIndex languages(text);
    std::vector<NormalizedPart> parts;
    parts.push_back({normalize(text), 0});
    search_shown(parts.back().text, Part{text, 0}, languages, false, placed);
    search_joined(parts, languages, placed);
    resolve(placed);
    std::vector<Finding> findings;
    findings.reserve(placed.size());
    for (const PlacedHit& hit : placed) findings.push_back(finding(text, hit, true));
    return findings;
  }

  const std::vector<Term>& terms() const override { return terms_; }
  const std::string& revision() const override { return revision_; }

 private:
  Finding finding(std::string_view prompt, const PlacedHit& hit, bool rendered) const {
    const Term& term = entries_[hit.entry].term;
    Finding result;
    result.term = term.term;
    result.category = term.category;
    result.severity = term.severity;
    result.language = term.language;
    result.start = hit.start;
    result.end = hit.end;
    result.matched = std::string(prompt.substr(hit.start, hit.end - hit.start));
    result.rendered = rendered;
    result.steps = step_names(hit.steps);
    result.pieces = hit.pieces;
    result.evidence = hit.evidence;
    result.reading = hit.reading;
    result.ordinary = hit.ordinary;
    return result;
  }

  // Drops what the allow list, a language or a name clears, and turns cells into bytes. What stands
  // near in the part tells the language.
  void keep(const NormalizedText& text, const Part& part, const LanguageIndex& languages,
            Steps view, const std::vector<Hit>& hits, std::vector<PlacedHit>& out,
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
      out.push_back({hit.entry,
                     start + part.offset,
                     end + part.offset,
                     hit.steps | view,
                     {},
                     hit.evidence,
                     hit.reading,
                     hit.ordinary});
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

  void search(const Part& part, const LanguageIndex& languages, std::vector<PlacedHit>& out) const {
    const NormalizedText text = normalize(part.text);
    std::vector<Hit> hits;
    matcher_.find(text, Scope::Words, hits);
    keep(text, part, languages, 0, hits, out);
  }

  // All ways to read a text that is shown: as it stands, backwards, upside down, down its lines.
  void search_shown(const NormalizedText& text, const Part& part, const LanguageIndex& languages,
                    bool acrostic, std::vector<PlacedHit>& out) const {
    std::vector<Hit> hits;
    matcher_.find(text, Scope::Words, hits);
    keep(text, part, languages, 0, hits, out);
    if (text.cells.size() < 2) return;  // one letter, whichever way it is looked at
    const auto other_view = [&](const NormalizedText& view, Steps steps) {
      hits.clear();
      matcher_.find(view, steps == kReversed ? Scope::Whole : Scope::Turned, hits);
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
                       bool acrostic, std::vector<PlacedHit>& out) const {
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
      matcher_.find(letters, Scope::Joined, hits, seams);
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
    std::vector<Hit> hits;
    matcher_.find(joined.text, Scope::Joined, hits, joined.seams);
    keep_pieces(joined, languages, hits, out);
    hits.clear();
    matcher_.find(spaced.text, Scope::Words, hits, spaced.seams);
    keep_pieces(spaced, languages, hits, out);
  }

  // Keeps the hits that begin in one piece and end in another.
  void keep_pieces(const Pieces& pieces, const LanguageIndex& languages, std::vector<Hit>& hits,
                   std::vector<PlacedHit>& out) const {
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

  // Of overlapping hits the most severe stays, then the longest, then the most plainly
  // written.
  void resolve(std::vector<PlacedHit>& hits) const {
    const auto rank = [&](const PlacedHit& c) {
      const auto severity = static_cast<std::uint64_t>(entries_[c.entry].term.severity);
      const auto length = static_cast<std::uint64_t>(c.end - c.start);
      const auto plain = static_cast<std::uint64_t>(std::popcount(c.steps));
      return std::make_tuple((7 - severity) << 56 | ((1ull << 40) - 1 - length) << 8 | plain,
                             c.start, c.entry);
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
  std::vector<std::string_view> chunks = {Matcher::kVersion, tables::lexicon_names_tsv,
                                          tables::lexicon_text_glyphs_tsv,
                                          tables::lexicon_text_languages_tsv};
  chunks.insert(chunks.end(), contents.begin(), contents.end());
  return std::make_shared<LexiconImpl>(std::move(lists), to_hex(sha256_of_chunks(chunks)));
}

}  // namespace glyphward::lexicon
