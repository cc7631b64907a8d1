// Any bytes as a prompt: extraction, normalization and the whole search. Offsets are the user's
// bytes through every step.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "lexicon/lexicon.h"
#include "lexicon/text/extraction.h"
#include "lexicon/text/normalization.h"

namespace {

using namespace glyphward::lexicon;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_extraction(std::string_view prompt) {
  std::size_t last = 0;
  for (const RenderedText& text : extract(prompt)) {
    require(text.start >= last && text.start < text.end && text.end <= prompt.size());
    require(text.text == prompt.substr(text.start, text.end - text.start));
    last = text.end;
  }
  asks_for_acrostic(prompt);
}

void check_normalization(std::string_view prompt) {
  const NormalizedText text = normalize(prompt);
  std::size_t last = 0;
  for (const Cell& cell : text.cells) {
    require(cell.start >= last && cell.start < cell.end && cell.end <= prompt.size());
    for (const CellReading* r = text.begin(cell); r != text.end(cell); ++r)
      require(r->size >= 1 && r->size <= 3);
    last = cell.end;
  }
  bool turned = false;
  require(reverse(text).cells.size() == text.cells.size());
  turn(text, &turned);
}

void check_findings(std::string_view prompt, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    require(finding.start < finding.end && finding.end <= prompt.size());
    require(finding.matched == prompt.substr(finding.start, finding.end - finding.start));
    for (const auto& [start, end] : finding.pieces) require(start < end && end <= prompt.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto lexicon =
      Lexicon::load({std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon/default.tsv",
                     std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon/allow.tsv"});
  if (size > 4096) return 0;
  const std::string_view prompt(reinterpret_cast<const char*>(data), size);
  check_extraction(prompt);
  check_normalization(prompt);
  check_findings(prompt, lexicon->analyze(prompt).findings);
  check_findings(prompt, lexicon->find(prompt));
  return 0;
}
