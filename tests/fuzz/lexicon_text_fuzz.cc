// Any bytes as a prompt: extraction, normalization, decoders and the whole search. Offsets are the
// user's bytes through every step, and a text costs no more than its length.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexicon/lexicon.h"
#include "lexicon/text/codes.h"
#include "lexicon/text/decoders.h"
#include "lexicon/text/extraction.h"
#include "lexicon/text/normalization.h"

namespace {

using namespace glyphward::lexicon;

constexpr std::size_t kPromptMax = 4096;
// Processor time that the sanitizers need for the search of one prompt: ten times what was seen, so
// that only what grows faster than the text comes so far.
constexpr double kSecondsMax = 3;

const Lexicon& lexicon() {
  static const auto loaded =
      Lexicon::load({std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon/default.tsv",
                     std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon/allow.tsv"});
  return *loaded;
}

#define require(holds)                                                         \
  do {                                                                         \
    if (!(holds)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds); \
      std::abort();                                                            \
    }                                                                          \
  } while (false)

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
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

// `ascends`: the origins are in the order of the text; letters moved within a word are not.
template <typename Origins>
void check_decoded(const std::string& text, const Origins& origins, std::size_t size,
                   bool ascends) {
  require(!text.empty() && origins.size() == text.size());
  std::size_t last = 0;
  for (const auto& [start, end] : origins) {
    require(start < end && end <= size && (!ascends || start >= last));
    last = start;
  }
}

void check_decoders(std::string_view prompt) {
  for (const DecodedRun& run : find_codes(prompt)) {
    require(run.text.size() >= 3);
    check_decoded(run.text, run.origins, prompt.size(), true);
  }
  for (const Decoded& decoded : decode_all(prompt))
    check_decoded(decoded.text, decoded.from, prompt.size(), false);
  const std::string_view word = prompt.substr(0, prompt.find(' '));
  const bool ascii = std::all_of(word.begin(), word.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii || word.empty()) return;
  for (const Decoded& decoded : decode_word(word))
    check_decoded(decoded.text, decoded.from, word.size(), false);
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
  std::size_t last = 0;
  for (const Finding& finding : findings) {
    require(finding.start >= last && finding.start < finding.end && finding.end <= prompt.size());
    require(finding.matched == prompt.substr(finding.start, finding.end - finding.start));
    require(finding.evidence >= lexicon().evidence_min());
    // Whole pieces, of which the finding runs through each.
    std::size_t behind = 0;
    for (const auto& [start, end] : finding.pieces) {
      require(start >= behind && start < end && end <= prompt.size());
      require(start < finding.end && finding.start < end);
      behind = end;
    }
    last = finding.start;
  }
}

void check_analysis(std::string_view prompt, const Analysis& analysis) {
  check_findings(prompt, analysis.findings);
  std::size_t last = 0;
  for (const RenderedText& text : analysis.rendered) {
    require(text.start >= last && text.start < text.end && text.end <= prompt.size());
    require(text.certainty != Certainty::Described);
    last = text.end;
  }
}

// What is found in a text that is shown does not depend on who asks: between quotation marks it is
// the same text. Only for letters and digits, which no grammar reads otherwise.
void check_quoted(std::string_view prompt) {
  static constexpr std::string_view kBefore = "a sign that says \"";
  std::string text;
  for (const char c : prompt.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z') || byte >= 0x80;
    text.push_back(letter ? c : ' ');
  }
  const Extraction extraction = extract(std::string(kBefore) + text + "\"");
  if (extraction.texts.size() != 1 || extraction.texts[0].text != text) return;
  const std::vector<Finding> shown = lexicon().find(text);
  const Analysis quoted = lexicon().analyze(std::string(kBefore) + text + "\"");
  std::vector<Finding> found;
  for (const Finding& finding : quoted.findings) {
    if (finding.rendered) found.push_back(finding);
  }
  const auto print = [&](const char* who, const std::vector<Finding>& findings, std::size_t from) {
    for (const Finding& f : findings)
      std::fprintf(stderr, "  %s: %s [%zu, %zu) %.3f\n", who, f.term.c_str(), f.start - from,
                   f.end - from, f.evidence);
  };
  bool same = found.size() == shown.size();
  for (std::size_t i = 0; same && i < shown.size(); ++i)
    same = found[i].term == shown[i].term && found[i].start == shown[i].start + kBefore.size() &&
           found[i].end == shown[i].end + kBefore.size();
  if (!same) {
    print("find", shown, 0);
    print("analyze", found, kBefore.size());
  }
  require(same);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  lexicon();  // it takes longer than a prompt may
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lexicon();
  if (size > kPromptMax) return 0;
  const std::string_view prompt(reinterpret_cast<const char*>(data), size);
  for (const NamedSyntax& named : kSyntaxes) check_extraction(prompt, named.syntax);
  asked_of(prompt);
  check_normalization(prompt);
  check_decoders(prompt);
  const double begun = processor_seconds();
  for (const NamedSyntax& named : kSyntaxes)
    check_analysis(prompt, lexicon().analyze(prompt, named.syntax));
  const std::vector<Finding> shown = lexicon().find(prompt);
  require(processor_seconds() - begun < kSecondsMax);
  check_findings(prompt, shown);
  for (const Finding& finding : shown) require(finding.rendered);
  check_quoted(prompt);
  return 0;
}
