#include "lexicon/lexicon.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <iomanip>
#include <sstream>
#include <utility>

#include "base/config_error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "lexicon/lists/list.h"
#include "lexicon/matching/matcher.h"
#include "lexicon/reading/names.h"
#include "lexicon/reading/pieces.h"
#include "lexicon/reading/reader.h"
#include "lexicon/tables.h"
#include "lexicon/text/extraction.h"
#include "lexicon/written/written.h"

namespace glyphward::lexicon {
namespace {

class LexiconImpl : public Lexicon {
 public:
  LexiconImpl(Lists lists, float evidence_min, std::string revision)
      : entries_(std::move(lists.entries)),
        reader_(entries_, lists.allowed, evidence_min),
        evidence_min_(evidence_min),
        written_(entries_),
        revision_(std::move(revision)) {
    for (const Entry& entry : entries_) {
      terms_.push_back(entry.term);
      if (!entry.until.empty() && (holds_until_.empty() || entry.until < holds_until_))
        holds_until_ = entry.until;
    }
    // The tables that are read once are read now, not in the first request.
    analyze("warm: “ı” &amp;", Syntax::Plain);
    is_spelling_word("warm");
  }

  Analysis analyze(std::string_view prompt, Syntax syntax) const override {
    Analysis analysis;
    Extraction extraction = extract(prompt, syntax);
    std::erase_if(extraction.texts,
                  [](const RenderedText& text) { return text.certainty == Certainty::Described; });
    analysis.rendered = std::move(extraction.texts);
    const Asked asked = asked_of(prompt);
    const Reader::Hints hints{asked.acrostic, asks_for_mirror(prompt), effort_of(prompt), false};
    Reader::Hints others = hints;
    others.as_it_stands = !hints.effort.everywhere;
    std::vector<PlacedHit> shown;
    std::vector<PlacedHit> elsewhere;
    std::vector<NormalizedPart> parts;
    parts.reserve(analysis.rendered.size());
    std::size_t from = 0;
    const auto read_between = [&](std::size_t to) {
      if (to <= from) return;
      const Part part{prompt.substr(from, to - from), from};
      reader_.read(part, hints, elsewhere);
      search_written(part, elsewhere);
    };
    for (const RenderedText& text : analysis.rendered) {
      read_between(text.start);
      from = text.end;
      const Part part{prompt.substr(text.start, text.end - text.start), text.start};
      parts.push_back(
          {reader_.read_shown({text.text, text.origins}, text.start, hints, shown), text.start});
      search_written(part, shown);
      for (const TextReading& reading : other_readings(text))
        parts.back().text = reader_.read_shown(reading, text.start, others, shown);
    }
    read_between(prompt.size());
    reader_.read_joined(parts, hints, shown);
    reader_.read_codes(prompt, hints, shown);
    reader_.read_described(prompt, analysis.rendered, hints, shown);
    if (asked.ciphered) reader_.read_moved(prompt, hints, shown);
    reader_.resolve(shown);
    reader_.resolve(elsewhere);
    for (const PlacedHit& hit : shown) {
      analysis.findings.push_back(finding(prompt, hit, true));
      analysis.findings.back().certainty = certainty_of(analysis.rendered, hit);
    }
    for (const PlacedHit& hit : elsewhere) {
      // A finding over several quotes covers what stands between them.
      const auto next =
          std::lower_bound(shown.begin(), shown.end(), hit.start,
                           [](const PlacedHit& other, std::size_t at) { return other.end <= at; });
      const bool overlaps = next != shown.end() && next->start < hit.end;
      if (overlaps) continue;
      // When in doubt, it is drawn.
      Finding found = finding(prompt, hit, false);
      found.rendered = found.severity >= kGraveSeverityMin && in_doubt(extraction.doubtful, hit);
      found.certainty = found.rendered ? Certainty::Likely : Certainty::Described;
      analysis.findings.push_back(std::move(found));
    }
    std::sort(analysis.findings.begin(), analysis.findings.end(),
              [](const Finding& a, const Finding& b) { return a.start < b.start; });
    return analysis;
  }

  // Of the text that the hit begins in; Likely outside the texts, where codes are.
  static Certainty certainty_of(const std::vector<RenderedText>& texts, const PlacedHit& hit) {
    const auto next =
        std::upper_bound(texts.begin(), texts.end(), hit.start,
                         [](std::size_t at, const RenderedText& text) { return at < text.start; });
    const bool inside = next != texts.begin() && hit.start < std::prev(next)->end;
    return inside ? std::prev(next)->certainty : Certainty::Likely;
  }

  static bool in_doubt(const std::vector<ByteRange>& doubtful, const PlacedHit& hit) {
    const auto next =
        std::upper_bound(doubtful.begin(), doubtful.end(), hit.start,
                         [](std::size_t at, const ByteRange& range) { return at < range.first; });
    return next != doubtful.begin() && hit.end <= std::prev(next)->second;
  }

  std::vector<Finding> find(std::string_view text) const override {
    const Reader::Hints hints{false, false, effort_of(text), false};
    std::vector<PlacedHit> placed;
    std::vector<NormalizedPart> parts;
    parts.push_back({reader_.read_shown({std::string(text), {}}, 0, hints, placed), 0});
    search_written(Part{text, 0}, placed);
    reader_.read_joined(parts, hints, placed);
    reader_.read_codes(text, hints, placed);
    reader_.resolve(placed);
    std::vector<Finding> findings;
    findings.reserve(placed.size());
    for (const PlacedHit& hit : placed) findings.push_back(finding(text, hit, true));
    return findings;
  }

  const std::vector<Term>& terms() const override { return terms_; }
  const std::string& holds_until() const override { return holds_until_; }
  float evidence_min() const override { return evidence_min_; }
  const std::string& revision() const override { return revision_; }

 private:
  Finding finding(std::string_view prompt, const PlacedHit& hit, bool rendered) const {
    const Term& term = entries_[hit.entry].term;
    Finding result;
    result.term = term.term;
    result.category = term.category;
    result.severity = term.severity;
    result.language = term.language;
    result.list = term.list;
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

  // What is found as it is written, which no language and no name clears.
  void search_written(const Part& part, std::vector<PlacedHit>& out) const {
    std::vector<WrittenMatch> matches;
    written_.find(part.text, matches);
    for (const WrittenMatch& match : matches)
      out.push_back({match.entry,
                     match.start + part.offset,
                     match.end + part.offset,
                     0,
                     {},
                     kEvidenceWritten});
  }

  std::vector<Entry> entries_;
  Reader reader_;
  float evidence_min_;
  WrittenSearch written_;
  std::vector<Term> terms_;
  std::string holds_until_;
  std::string revision_;
};

// The same in every locale, and exact.
std::string decimal(float nats) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), nats);
  return {text.data(), error == std::errc() ? end : text.data()};
}

// Drops the rows that held until a day before `day`; what they were, for the revision.
std::string drop_ended(std::vector<Entry>& entries, const std::string& day) {
  std::string ended;
  std::erase_if(entries, [&](const Entry& entry) {
    if (entry.until.empty() || entry.until >= day) return false;
    ended += entry.term.list + '\t' + entry.term.term + '\n';
    return true;
  });
  return ended;
}

}  // namespace

std::string today() {
  const std::chrono::year_month_day day(
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  std::ostringstream out;
  out << std::setfill('0') << std::setw(4) << static_cast<int>(day.year()) << '-' << std::setw(2)
      << static_cast<unsigned>(day.month()) << '-' << std::setw(2)
      << static_cast<unsigned>(day.day());
  return out.str();
}

std::shared_ptr<const Lexicon> Lexicon::load(const std::vector<std::filesystem::path>& files,
                                             const LoadOptions& options) {
  Lists lists;
  lists.own_categories = options.own_categories;
  lists.any_category = options.any_category;
  std::vector<std::string> contents;
  for (const std::filesystem::path& file : files) {
    contents.push_back(read_file(file));
    read_list(file, contents.back(), lists);
  }
  if (lists.entries.empty()) {
    throw ConfigError(files.empty() ? std::filesystem::path("lexicon") : files.front(), 0, "",
                      "expected at least one term, found none in the files given");
  }
  std::vector<std::string_view> chunks = {Matcher::kVersion, WordTable::shipped().image()};
  for (const tables::Table& table : tables::lexicon_tables()) chunks.push_back(table.content);
  const std::string margin = decimal(options.evidence_min);
  chunks.push_back(margin);
  chunks.insert(chunks.end(), contents.begin(), contents.end());
  const std::string ended =
      drop_ended(lists.entries, options.today.empty() ? today() : options.today);
  if (!ended.empty()) chunks.push_back(ended);
  return std::make_shared<LexiconImpl>(std::move(lists), options.evidence_min,
                                       to_hex(sha256_of_chunks(chunks)));
}

}  // namespace glyphward::lexicon
