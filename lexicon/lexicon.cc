#include "lexicon/lexicon.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/config_error.h"
#include "lexicon/extraction.h"
#include "lexicon/languages.h"
#include "lexicon/matcher.h"
#include "lexicon/normalization.h"

namespace glyphward::lexicon {
namespace {

constexpr std::array<std::string_view, 9> kCategories = {
    "profanity", "sexual", "insult", "racial", "religious", "lgbtq", "ableist", "hate", "violence"};

const std::map<std::string, std::uint32_t, std::less<>>& flag_names() {
  static const std::map<std::string, std::uint32_t, std::less<>> names = {
      {"stem", kStem},       {"head", kHead},     {"plural", kPlural},
      {"exact", kExact},     {"noleet", kNoLeet}, {"noreverse", kNoReverse},
      {"nosound", kNoSound}, {"accent", kAccent}, {"local", kLocal},
      {"name", kName}};
  return names;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    std::size_t end = std::min(text.find(separator, start), text.size());
    std::string_view part = text.substr(start, end - start);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.emplace_back(part);
    start = end + 1;
  }
  return parts;
}

std::string sha256(const std::vector<std::string_view>& chunks) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  bool ok = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const std::string_view chunk : chunks) {
    // The length first, so that no two sequences of chunks look the same.
    const std::string length = std::to_string(chunk.size()) + ":";
    ok = ok && EVP_DigestUpdate(context.get(), length.data(), length.size()) == 1 &&
         EVP_DigestUpdate(context.get(), chunk.data(), chunk.size()) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1;
  if (!ok) throw std::runtime_error("SHA-256 failed");
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    static constexpr char kDigits[] = "0123456789abcdef";
    hex.push_back(kDigits[digest[i] >> 4]);
    hex.push_back(kDigits[digest[i] & 15]);
  }
  return hex;
}

struct Lists {
  std::vector<Entry> entries;
  std::vector<std::string> allowed;
};

class ListReader {
 public:
  ListReader(std::filesystem::path file, Lists& lists) : file_(std::move(file)), lists_(lists) {}

  void read(const std::string& content) {
    std::istringstream stream(content);
    std::string line;
    std::vector<std::string> header;
    std::size_t rows = 0;
    for (line_ = 1; std::getline(stream, line); ++line_) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.empty() || line.front() == '#') continue;
      std::vector<std::string> fields = split(line, '\t');
      if (header.empty()) {
        header = fields;
        allow_ = is_allow_header(header);
        continue;
      }
      if (fields.size() > header.size()) {
        fail("", "expected at most " + std::to_string(header.size()) + " fields, found " +
                     std::to_string(fields.size()));
      }
      fields.resize(header.size());
      ++rows;
      allow_ ? add_allowed(fields) : add_term(fields);
    }
    line_ = 0;
    if (rows == 0) fail("", "expected at least one row, found an empty list");
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& message) const {
    throw ConfigError(file_, line_, field, message);
  }

  bool is_allow_header(const std::vector<std::string>& header) const {
    if (header == std::vector<std::string>{"phrase", "language", "note"}) return true;
    if (header ==
        std::vector<std::string>{"term", "category", "severity", "language", "flags", "forms"})
      return false;
    fail("header",
         "expected the fields 'term category severity language flags forms' or 'phrase language "
         "note', parted by tabs");
  }

  void add_allowed(const std::vector<std::string>& fields) {
    if (fold_term(fields[0]).empty()) fail("phrase", "expected a word or phrase, found none");
    lists_.allowed.push_back(fields[0]);
  }

  void add_term(const std::vector<std::string>& fields) {
    Entry entry;
    entry.term.term = fields[0];
    if (fold_term(fields[0]).empty()) fail("term", "expected a word or phrase, found none");
    entry.term.category = fields[1];
    if (std::find(kCategories.begin(), kCategories.end(), fields[1]) == kCategories.end()) {
      fail("category",
           "expected one of profanity, sexual, insult, racial, religious, lgbtq, ableist, hate, "
           "violence; found '" +
               fields[1] + "'");
    }
    if (fields[2].size() != 1 || fields[2][0] < '0' || fields[2][0] > '7') {
      fail("severity", "expected 0 to 7, found '" + fields[2] + "'");
    }
    entry.term.severity = fields[2][0] - '0';
    entry.term.language = fields[3].empty() ? "und" : fields[3];
    for (const std::string& flag : split(fields[4], ' ')) add_flag(entry, flag);
    for (std::string& form : split(fields[5], '|')) {
      if (form.empty()) continue;
      const bool plain = form.find_first_of("+*@$!#%&()[]{}<>^~=\"") == std::string::npos;
      if (fold_term(form).empty() || !plain)
        fail("forms", "expected letters, digits and spaces, found '" + form + "'");
      entry.forms.push_back(std::move(form));
    }
    const auto [it, fresh] = seen_.emplace(entry.term.term + '\t' + entry.term.language, line_);
    if (!fresh)
      fail("term",
           "'" + entry.term.term + "' stands in line " + std::to_string(it->second) + " already");
    lists_.entries.push_back(std::move(entry));
  }

  void add_flag(Entry& entry, const std::string& flag) const {
    if (flag.empty()) return;
    if (flag.starts_with("not:")) {
      for (std::string& language : split(std::string_view(flag).substr(4), ',')) {
        entry.harmless_in.push_back(std::move(language));
      }
      return;
    }
    const auto it = flag_names().find(flag);
    if (it == flag_names().end()) {
      std::string known;
      for (const auto& [name, bit] : flag_names()) known += name + ", ";
      fail("flags", "expected " + known + "or not:LANGUAGE; found '" + flag + "'");
    }
    entry.flags |= it->second;
  }

  std::filesystem::path file_;
  Lists& lists_;
  int line_ = 0;
  bool allow_ = false;
  std::unordered_map<std::string, int> seen_;
};

// A finding on its way, with what decides between overlapping ones.
struct Candidate {
  std::uint32_t entry = 0;
  std::size_t start = 0;
  std::size_t end = 0;
  Steps steps = 0;
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
};

// The prompt's languages, looked for only when a finding depends on them.
class LazyLanguages {
 public:
  explicit LazyLanguages(std::string_view text) : text_(text) {}
  const Languages& get() const {
    if (!languages_) languages_ = guess_languages(text_);
    return *languages_;
  }

 private:
  std::string_view text_;
  mutable std::optional<Languages> languages_;
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
        matcher_(entries_),
        allowed_(lists.allowed),
        revision_(std::move(revision)) {
    for (const Entry& entry : entries_) terms_.push_back(entry.term);
    analyze("warm: “ı”");  // the tables that are made once are made now, not in the first request
  }

  Analysis analyze(std::string_view prompt) const override {
    Analysis analysis;
    analysis.rendered = extract(prompt);
    std::vector<Candidate> shown;
    std::vector<Part> parts;
    for (const RenderedText& text : analysis.rendered) {
      parts.push_back({prompt.substr(text.start, text.end - text.start), text.start});
    }
    const LazyLanguages languages(prompt);
    const bool acrostic = asks_for_acrostic(prompt);
    for (const Part& part : parts) search_shown(part, languages, acrostic, shown);
    search_joined(parts, languages, shown);
    resolve(shown);
    std::vector<Candidate> elsewhere;
    // What stands between the rendered texts; they themselves are judged already.
    std::size_t from = 0;
    for (const Part& part : parts) {
      if (part.offset > from)
        search(Part{prompt.substr(from, part.offset - from), from}, languages, elsewhere);
      from = part.offset + part.text.size();
    }
    if (from < prompt.size()) search(Part{prompt.substr(from), from}, languages, elsewhere);
    resolve(elsewhere);
    for (const Candidate& candidate : shown)
      analysis.findings.push_back(finding(prompt, candidate, true));
    for (const Candidate& candidate : elsewhere) {
      const bool overlaps = std::any_of(shown.begin(), shown.end(), [&](const Candidate& other) {
        return candidate.start < other.end && other.start < candidate.end;
      });
      if (!overlaps) analysis.findings.push_back(finding(prompt, candidate, false));
    }
    std::sort(analysis.findings.begin(), analysis.findings.end(),
              [](const Finding& a, const Finding& b) { return a.start < b.start; });
    return analysis;
  }

  std::vector<Finding> find(std::string_view text) const override {
    std::vector<Candidate> candidates;
    const LazyLanguages languages(text);
    search_shown(Part{text, 0}, languages, false, candidates);
    search_joined({Part{text, 0}}, languages, candidates);
    resolve(candidates);
    std::vector<Finding> findings;
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

  // Drops what the allow list, a language or a name clears, and turns cells into bytes.
  void keep(const NormalizedText& text, std::size_t offset, std::string_view bytes,
            const LazyLanguages& languages, Steps view, const std::vector<Hit>& hits,
            std::vector<Candidate>& out) const {
    if (hits.empty()) return;
    std::vector<AllowList::Range> allowed;
    if (!(view & (kTurned | kAcrostic)))
      allowed = allowed_.find(view & kReversed ? reverse(text) : text);
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
        // What stands near tells the language; a long text must not be read again for each finding.
        constexpr std::size_t kNear = 200;
        const std::size_t near = start - std::min(start, kNear);
        const Languages around =
            guess_languages(bytes.substr(std::min(near, bytes.size()), end - near + kNear),
                            start - near, end - near);
        if (cleared_by_language(entry, languages.get(), around)) continue;
      }
      if ((entry.flags & kName) && is_name(text, hit)) continue;
      out.push_back({hit.entry, start + offset, end + offset, hit.steps | view, {}});
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

  // Written as a name, beside a title, a first name or what places are called.
  static bool is_name(const NormalizedText& text, const Hit& hit) {
    if (hit.steps & ~static_cast<Steps>(kInflection)) return false;
    const auto word = [&](std::uint32_t begin, std::uint32_t end) {
      std::u32string letters;
      for (std::uint32_t i = begin; i < end; ++i) letters.push_back(text.cells[i].plain);
      return encode(letters);
    };
    const auto is_letter_cell = [&](std::uint32_t i) {
      return text.cells[i].kind == CellKind::Letter;
    };
    const auto size = static_cast<std::uint32_t>(text.cells.size());
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

  void search(const Part& part, const LazyLanguages& languages, std::vector<Candidate>& out) const {
    const NormalizedText text = normalize(part.text);
    std::vector<Hit> hits;
    matcher_.find(text, Matcher::Scope::Words, hits);
    keep(text, part.offset, part.text, languages, 0, hits, out);
  }

  // All ways to read a text that is shown: as it stands, backwards, upside down, down its lines.
  void search_shown(const Part& part, const LazyLanguages& languages, bool acrostic,
                    std::vector<Candidate>& out) const {
    const NormalizedText text = normalize(part.text);
    std::vector<Hit> hits;
    matcher_.find(text, Matcher::Scope::Words, hits);
    keep(text, part.offset, part.text, languages, 0, hits, out);
    const auto other_view = [&](const NormalizedText& view, Steps steps) {
      hits.clear();
      matcher_.find(view, steps == kReversed ? Matcher::Scope::Whole : Matcher::Scope::Turned,
                    hits);
      keep(view, part.offset, part.text, languages, steps, hits, out);
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
  void search_initials(const NormalizedText& text, const Part& part, const LazyLanguages& languages,
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
      matcher_.find(letters, Matcher::Scope::Joined, hits);
      std::erase_if(hits, [&](const Hit& hit) {
        return (hit.steps & ~static_cast<Steps>(kInflection | kSpelling)) != 0 ||
               (letters.cells.size() < 4 && !acrostic && !spelling_alphabet);
      });
      keep(letters, part.offset, part.text, languages, kAcrostic, hits, out);
    };
    if (lines.cells.size() > 1 && (one_word_lines || acrostic)) try_letters(lines);
    if ((spelling_alphabet || acrostic) && words.cells.size() > 2) try_letters(words);
  }

  // Several quotes, or several lines of one, read together: "wan" and "ker".
  void search_joined(const std::vector<Part>& parts, const LazyLanguages& languages,
                     std::vector<Candidate>& out) const {
    std::vector<Part> pieces;
    for (const Part& part : parts) {
      std::size_t start = 0;
      while (start <= part.text.size()) {
        const std::size_t end = std::min(part.text.find('\n', start), part.text.size());
        if (end > start)
          pieces.push_back({part.text.substr(start, end - start), part.offset + start});
        start = end + 1;
      }
    }
    if (pieces.size() < 2) return;
    constexpr std::size_t kPiecesMax = 6;
    constexpr std::size_t kPieceBytesMax = 64;
    std::vector<NormalizedText> normalized;
    for (const Part& piece : pieces) {
      normalized.push_back(piece.text.size() > kPieceBytesMax ? NormalizedText()
                                                              : normalize(piece.text));
    }
    for (std::size_t first = 0; first < pieces.size(); ++first) {
      NormalizedText joined;
      NormalizedText spaced;
      std::vector<std::pair<std::size_t, std::size_t>> used;
      for (std::size_t last = first; last < std::min(first + kPiecesMax, pieces.size()); ++last) {
        if (normalized[last].cells.empty()) break;
        append(joined, normalized[last], pieces[last].offset, false);
        append(spaced, normalized[last], pieces[last].offset, last > first);
        used.emplace_back(pieces[last].offset, pieces[last].offset + pieces[last].text.size());
        if (last == first) continue;
        std::vector<Hit> hits;
        matcher_.find(joined, Matcher::Scope::Joined, hits);
        std::vector<Candidate> found;
        keep(joined, 0, {}, languages, kSplit, hits, found);
        hits.clear();
        matcher_.find(spaced, Matcher::Scope::Words, hits);
        const std::size_t seam = spaced.cells.empty() ? 0 : pieces[last].offset;
        std::erase_if(hits, [&](const Hit& hit) {
          // Only what begins in the first piece and ends in the last.
          return spaced.cells[hit.begin].start >= used.front().second ||
                 spaced.cells[hit.end - 1].start < seam;
        });
        keep(spaced, 0, {}, languages, kSplit, hits, found);
        for (Candidate& candidate : found) {
          candidate.pieces = used;
          out.push_back(std::move(candidate));
        }
      }
    }
  }

  // Adds a piece's cells, with offsets into the prompt.
  static void append(NormalizedText& text, const NormalizedText& piece, std::size_t offset,
                     bool space) {
    if (space && !text.cells.empty()) {
      Cell gap = text.cells.back();
      gap.kind = CellKind::Space;
      gap.source = gap.plain = U' ';
      gap.count = 0;
      text.cells.push_back(gap);
    }
    text.append(piece, offset);
  }

  // Of overlapping candidates the most severe stays, then the longest, then the most plainly
  // written.
  void resolve(std::vector<Candidate>& candidates) const {
    const auto rank = [&](const Candidate& c) {
      return std::make_tuple(-entries_[c.entry].term.severity,
                             -static_cast<std::ptrdiff_t>(c.end - c.start), std::popcount(c.steps),
                             c.start, c.entry);
    };
    std::sort(candidates.begin(), candidates.end(),
              [&](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
    // Kept ranges do not overlap, so only the neighbours in order of position need a look.
    std::map<std::size_t, std::size_t> kept;
    std::vector<Candidate> result;
    for (Candidate& candidate : candidates) {
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

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw ConfigError(file, 0, "", "expected a readable lexicon file, found none");
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream.good() && !stream.eof()) throw ConfigError(file, 0, "", "cannot be read");
  return content.str();
}

}  // namespace

std::shared_ptr<const Lexicon> Lexicon::load(const std::vector<std::filesystem::path>& files) {
  Lists lists;
  std::vector<std::string> contents;
  for (const std::filesystem::path& file : files) {
    contents.push_back(read_file(file));
    ListReader(file, lists).read(contents.back());
  }
  if (lists.entries.empty()) {
    throw ConfigError(files.empty() ? std::filesystem::path("lexicon") : files.front(), 0, "",
                      "expected at least one term, found none in the files given");
  }
  std::vector<std::string_view> chunks = {Matcher::kVersion};
  chunks.insert(chunks.end(), contents.begin(), contents.end());
  return std::make_shared<LexiconImpl>(std::move(lists), sha256(chunks));
}

std::string_view openai_category(std::string_view category) {
  if (category == "racial" || category == "religious" || category == "lgbtq" ||
      category == "ableist" || category == "hate") {
    return "hate";
  }
  if (category == "sexual") return "sexual";
  if (category == "violence") return "violence";
  return "harassment";
}

}  // namespace glyphward::lexicon
