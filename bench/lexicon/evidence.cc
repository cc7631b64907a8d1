// What the lexicon says of many texts, for those who fit its prices and read its judgements.
//
//   glyphward_evidence prompts FILE    rows {"text": ...}: the prompts' rendered findings
//   glyphward_evidence texts FILE      rows {"text": ...}: texts that are shown
//   glyphward_evidence words FILE      one word a line, each as a sign that says it
//   ... --list TERMS                   instead of lexicon/default.tsv
//
// Writes each row again, with the finding of most evidence: "ev", "term", "severity", "steps",
// "reading", "ordinary". Of words, those that are flagged.
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "lexicon/lexicon.h"

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

int run(const std::string& mode, const char* file, const std::filesystem::path& list) {
  const std::filesystem::path folder =
      std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon";
  const auto lexicon =
      Lexicon::load({list.empty() ? folder / "default.tsv" : list, folder / "allow.tsv"});
  std::ifstream in(file);
  if (!in) {
    std::cerr << file << ": cannot be read\n";
    return 1;
  }
  std::size_t rows = 0;
  std::size_t flagged = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::string line; std::getline(in, line); ++rows) {
    boost::json::object row;
    if (mode == "words") {
      line = line.substr(0, line.find('/'));
      row["text"] = line;
    } else {
      row = boost::json::parse(line).as_object();
    }
    std::string text(row["text"].as_string());
    if (mode == "words") text = "a sign that says \"" + text + "\"";
    const std::vector<Finding> findings =
        mode == "texts" ? lexicon->find(text) : lexicon->analyze(text).findings;
    const Finding* best = best_of(findings);
    flagged += best != nullptr ? 1 : 0;
    if (mode == "words" && best == nullptr) continue;
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
  const std::string mode = argc > 1 ? argv[1] : "";
  const bool with_list = argc == 5 && std::string(argv[3]) == "--list";
  if ((argc != 3 && !with_list) || (mode != "prompts" && mode != "texts" && mode != "words")) {
    std::fprintf(stderr, "usage: glyphward_evidence prompts|texts|words FILE [--list TERMS]\n");
    return 2;
  }
  return glyphward::lexicon::run(mode, argv[2], with_list ? argv[4] : "");
}
