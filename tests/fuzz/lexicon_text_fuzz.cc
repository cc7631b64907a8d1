// Any bytes as a prompt: extraction, normalization and the whole search. Offsets are the user's
// bytes through every step.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexicon/lexicon.h"
#include "lexicon/text/extraction.h"
#include "lexicon/text/normalization.h"

namespace {

using namespace glyphward::lexicon;

void require(bool holds) {
  if (!holds) std::abort();
}

// Origins ascend, and stay in the text's own bytes.
void check_origins(const RenderedText& text, const std::string& reading,
                   const std::vector<std::pair<std::uint32_t, std::uint32_t>>& origins) {
  require(origins.size() == reading.size());
  std::uint32_t last = 0;
  for (const auto& [start, end] : origins) {
    require(start >= last && start < end && start >= text.start && end <= text.end);
    last = start;
  }
}

void check_extraction(std::string_view prompt, Syntax syntax) {
  std::size_t last = 0;
  const Extraction extraction = extract(prompt, syntax);
  for (const RenderedText& text : extraction.texts) {
    require(text.start >= last && text.start < text.end && text.end <= prompt.size());
    if (text.origins.empty()) {
      require(text.text == prompt.substr(text.start, text.end - text.start));
    } else {
      check_origins(text, text.text, text.origins);
    }
    for (const TextReading& reading : other_readings(text))
      check_origins(text, reading.text, reading.origins);
    last = text.end;
  }
  last = 0;
  for (const auto& [start, end] : extraction.doubtful) {
    require(start >= last && start < end && end <= prompt.size());
    last = end;
  }
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
  for (const NamedSyntax& named : kSyntaxes) check_extraction(prompt, named.syntax);
  asked_of(prompt);
  check_normalization(prompt);
  check_findings(prompt, lexicon->analyze(prompt).findings);
  check_findings(prompt, lexicon->find(prompt));
  return 0;
}
