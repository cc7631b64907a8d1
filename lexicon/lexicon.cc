#include "lexicon/lexicon.h"

#include <algorithm>
#include <utility>

#include "base/config_error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "lexicon/lists/list.h"
#include "lexicon/matching/matcher.h"
#include "lexicon/names.h"
#include "lexicon/reader.h"
#include "lexicon/tables.h"
#include "lexicon/text/extraction.h"

namespace glyphward::lexicon {
namespace {

class LexiconImpl : public Lexicon {
 public:
  explicit LexiconImpl(Lists lists, std::string revision)
      : entries_(std::move(lists.entries)),
        reader_(entries_, lists.allowed),
        revision_(std::move(revision)) {
    for (const Entry& entry : entries_) terms_.push_back(entry.term);
    // The tables that are read once are read now, not in the first request.
    analyze("warm: “ı”");
    is_spelling_word("warm");
  }

  Analysis analyze(std::string_view prompt) const override {
    Analysis analysis;
    analysis.rendered = extract(prompt);
    const Reader::Hints hints{asks_for_acrostic(prompt), asks_for_mirror(prompt)};
    std::vector<PlacedHit> shown;
    std::vector<PlacedHit> elsewhere;
    std::vector<NormalizedPart> parts;
    parts.reserve(analysis.rendered.size());
    std::size_t from = 0;
    const auto read_between = [&](std::size_t to) {
      if (to > from) reader_.read(Part{prompt.substr(from, to - from), from}, elsewhere);
    };
    for (const RenderedText& text : analysis.rendered) {
      read_between(text.start);
      from = text.end;
      const Part part{prompt.substr(text.start, text.end - text.start), text.start};
      parts.push_back({reader_.read_shown(part, hints, shown), part.offset});
    }
    read_between(prompt.size());
    reader_.read_joined(parts, shown);
    reader_.resolve(shown);
    reader_.resolve(elsewhere);
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
    std::vector<NormalizedPart> parts;
    parts.push_back({reader_.read_shown(Part{text, 0}, {}, placed), 0});
    reader_.read_joined(parts, placed);
    reader_.resolve(placed);
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

  std::vector<Entry> entries_;
  Reader reader_;
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
  std::vector<std::string_view> chunks = {Matcher::kVersion,
                                          WordTable::shipped().image(),
                                          tables::lexicon_channel_rules_tsv,
                                          tables::lexicon_channel_companions_tsv,
                                          tables::lexicon_channel_prices_tsv,
                                          tables::lexicon_channel_sound_tsv,
                                          tables::lexicon_names_tsv,
                                          tables::lexicon_text_glyphs_tsv};
  chunks.insert(chunks.end(), contents.begin(), contents.end());
  return std::make_shared<LexiconImpl>(std::move(lists), to_hex(sha256_of_chunks(chunks)));
}

}  // namespace glyphward::lexicon
