// What the lexicon says of many texts, for those who fit its prices and read its judgements.
//
//   glyphward_evidence prompts FILE    rows {"text": ...}: the prompts' rendered findings
//   glyphward_evidence texts FILE      rows {"text": ...}: texts that are shown
//   glyphward_evidence words FILE      one word a line, each as a sign that says it
//   ... --list TERMS                   instead of lexicon/default.tsv
//   ... --least NATS                   less evidence than counts, too: of each text for itself
//
// Writes each row again, with the finding of most evidence: "ev", "term", "severity", "steps",
// "reading", "ordinary". Of words, those that are flagged.
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "lexicon/lexicon.h"
#include "lexicon/lists/list.h"
#include "lexicon/reading/reader.h"
#include "lexicon/text/extraction.h"

namespace glyphward::lexicon {
namespace {

const Finding* best_of(const std::vector<Finding>& findings) {
  const Finding* best = nullptr;
  for (const Finding& finding : findings) {
    if (finding.flags() && (best == nullptr || finding.evidence > best->evidence)) best = &finding;
  }
  return best;
}

void add_finding(boost::json::object& row, const Finding* finding) {
  row["ev"] = finding == nullptr ? -9.0 : finding->evidence;
  if (finding == nullptr) return;
  row["term"] = finding->term;
  row["severity"] = finding->severity;
  row["matched"] = finding->matched;
  boost::json::array steps;
  for (const std::string& step : finding->steps) steps.emplace_back(step);
  row["steps"] = steps;
  row["reading"] = finding->reading;
  row["ordinary"] = finding->ordinary;
}

struct Options {
  std::string mode;
  std::string file;
  std::string list;
  float least = kEvidenceMin;
};

// As Lexicon::find() does, from whatever evidence on.
class Texts {
 public:
  Texts(const std::filesystem::path& terms, const std::filesystem::path& allowed, float least) {
    read_list(terms, read_file(terms), lists_);
    read_list(allowed, read_file(allowed), lists_);
    reader_ = std::make_unique<Reader>(lists_.entries, lists_.allowed, least);
  }

  std::vector<Finding> find(std::string_view text) const {
    std::vector<PlacedHit> hits;
    std::vector<NormalizedPart> parts;
    parts.push_back({reader_->read_shown({std::string(text), {}}, 0, {}, hits), 0});
    reader_->read_joined(parts, {}, hits);
    std::vector<Finding> findings;
    for (const PlacedHit& hit : hits) {
      const Term& term = lists_.entries[hit.entry].term;
      Finding finding;
      finding.term = term.term;
      finding.severity = term.severity;
      finding.matched = std::string(text.substr(hit.start, hit.end - hit.start));
      finding.rendered = true;
      finding.steps = step_names(hit.steps);
      finding.evidence = hit.evidence;
      finding.reading = hit.reading;
      finding.ordinary = hit.ordinary;
      findings.push_back(std::move(finding));
    }
    return findings;
  }

 private:
  Lists lists_;
  std::unique_ptr<Reader> reader_;
};

int run(const Options& options) {
  const std::filesystem::path folder = std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon";
  const std::filesystem::path terms =
      options.list.empty() ? folder / "default.tsv" : std::filesystem::path(options.list);
  const bool texts = options.mode == "texts";
  const bool words = options.mode == "words";
  const auto lexicon = Lexicon::load({terms, folder / "allow.tsv"});
  const Texts shown(terms, folder / "allow.tsv", options.least);
  std::ifstream in(options.file);
  if (!in) {
    std::cerr << options.file << ": cannot be read\n";
    return 1;
  }
  std::size_t rows = 0;
  std::size_t flagged = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::string line; std::getline(in, line); ++rows) {
    boost::json::object row;
    if (words) {
      row["text"] = line.substr(0, line.find('/'));
    } else {
      row = boost::json::parse(line).as_object();
    }
    std::string text(row["text"].as_string());
    if (words) text = "a sign that says \"" + text + "\"";
    std::vector<Finding> findings;
    if (texts) {
      findings = shown.find(text);
    } else if (options.least == kEvidenceMin) {
      findings = lexicon->analyze(text).findings;
    } else {
      for (const RenderedText& one : extract(text).texts) {
        for (Finding& finding : shown.find(one.text)) findings.push_back(std::move(finding));
      }
    }
    const Finding* best = best_of(findings);
    flagged += best != nullptr ? 1 : 0;
    if (words && best == nullptr) continue;
    add_finding(row, best);
    std::cout << boost::json::serialize(row) << "\n";
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::fprintf(stderr, "%zu rows, %zu flagged, %.4f %%, %.1f us a row\n", rows, flagged,
               100.0 * static_cast<double>(flagged) / static_cast<double>(rows),
               1e6 * took.count() / static_cast<double>(rows));
  return 0;
}

}  // namespace
}  // namespace glyphward::lexicon

int main(int argc, char** argv) {
  glyphward::lexicon::Options options;
  bool good = argc >= 3 && argc % 2 == 1;
  if (good) {
    options.mode = argv[1];
    options.file = argv[2];
    good = options.mode == "prompts" || options.mode == "texts" || options.mode == "words";
  }
  for (int i = 3; good && i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--list") {
      options.list = argv[i + 1];
    } else if (option == "--least") {
      options.least = std::strtof(argv[i + 1], nullptr);
    } else {
      good = false;
    }
  }
  if (!good) {
    std::fprintf(
        stderr,
        "usage: glyphward_evidence prompts|texts|words FILE [--list TERMS] [--least NATS]\n");
    return 2;
  }
  return glyphward::lexicon::run(options);
}
