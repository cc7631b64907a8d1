// Analysis of prompts against lexicons of several sizes. The 100,000 terms are made up of
// syllables, so that they resemble words and share prefixes, as a real list's do; they are written
// to a temporary file and loaded as any list is.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "lexicon/lexicon.h"

namespace {

using glyphward::lexicon::Lexicon;

const std::filesystem::path kFolder = std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon";

std::string made_up_word(std::mt19937& random, int syllables) {
  static const char* const kSyllables[] = {"ba",  "co",  "der", "fi",  "gul", "han", "ish", "jo",
                                           "kem", "lu",  "mor", "nat", "op",  "pra", "que", "ris",
                                           "sta", "tor", "un",  "vel", "wan", "xi",  "yor", "zu"};
  std::string word;
  for (int i = 0; i < syllables; ++i) word += kSyllables[random() % std::size(kSyllables)];
  return word;
}

std::filesystem::path large_list() {
  static const std::filesystem::path file = [] {
    const auto path = std::filesystem::temp_directory_path() /
                      ("glyphward-bench-" + std::to_string(getpid()) + ".tsv");
    std::mt19937 random(1);
    std::set<std::string> words;
    while (words.size() < 100000)
      words.insert(made_up_word(random, 3 + static_cast<int>(random() % 3)));
    std::ofstream out(path);
    out << "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
    for (const std::string& word : words) out << word << "\tinsult\t3\ten\t\t\n";
    return path;
  }();
  return file;
}

std::shared_ptr<const Lexicon> lexicon(bool large) {
  static const auto small = Lexicon::load({kFolder / "default.tsv", kFolder / "allow.tsv"});
  static const auto big =
      Lexicon::load({kFolder / "default.tsv", kFolder / "allow.tsv", large_list()});
  return large ? big : small;
}

std::string ordinary_prompt(std::size_t bytes) {
  std::mt19937 random(2);
  std::string prompt = "a poster that says \"";
  while (prompt.size() + 12 < bytes)
    prompt += made_up_word(random, 1 + static_cast<int>(random() % 2)) + " ";
  return prompt + "\"";
}

std::string english_prompt(std::size_t bytes) {
  static const char* const kSentences[] = {
      "The harbour market opens at seven, when the first boats come in with mackerel and crab. ",
      "Visitors are asked to leave bicycles by the old customs house and walk along the quay. ",
      "Fresh bread, honey from the hills and twelve kinds of cheese are sold beside the fountain. ",
      "On Saturdays a brass band plays until noon, whatever the weather thinks of it. ",
      "Parking is free after six; please keep the gate closed and the dogs on a lead. ",
      "Our bakery has used the same oven, the same flour and the same recipes since 1884. "};
  std::string prompt = "a poster that says \"";
  for (std::size_t i = 0; prompt.size() + 90 < bytes; ++i)
    prompt += kSentences[i % std::size(kSentences)];
  return prompt + "\"";
}

std::string hostile_prompt(int kind, std::size_t bytes) {
  static const char* const kUnits[] = {"f*ck* ",   "1!|l",  "f-u-c-", "a s s ", "(f)(u)",
                                       "sshhiitt", "\"'`«", "п1з∂",   "x*x*",   "says "};
  std::string prompt = "a sign that says \"";
  while (prompt.size() < bytes) prompt += kUnits[kind];
  return prompt;
}

// Runs the prompt through, and reports the median and the 99th percentile beside the mean.
void analyze(benchmark::State& state, const Lexicon& list, const std::string& prompt) {
  std::vector<double> times;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(list.analyze(prompt));
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(times.begin(), times.end());
  state.counters["p50_ms"] = times[times.size() / 2];
  state.counters["p99_ms"] = times[times.size() * 99 / 100];
}

void BM_ShortPrompt(benchmark::State& state) {
  analyze(state, *lexicon(state.range(0) != 0),
          "a wooden sign at a trailhead that reads \"Mind the gap\", film grain");
}
BENCHMARK(BM_ShortPrompt)->ArgName("large")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_Prompt4KiB(benchmark::State& state) {
  analyze(state, *lexicon(state.range(0) != 0), ordinary_prompt(4096));
}
BENCHMARK(BM_Prompt4KiB)
    ->ArgName("large")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(200);

void BM_English4KiB(benchmark::State& state) {
  analyze(state, *lexicon(state.range(0) != 0), english_prompt(4096));
}
BENCHMARK(BM_English4KiB)
    ->ArgName("large")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(200);

void BM_Hostile32000(benchmark::State& state) {
  analyze(state, *lexicon(false), hostile_prompt(static_cast<int>(state.range(0)), 32000));
}
BENCHMARK(BM_Hostile32000)
    ->ArgName("kind")
    ->DenseRange(0, 9)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(20);

void BM_Load100000Terms(benchmark::State& state) {
  large_list();
  for (auto _ : state) benchmark::DoNotOptimize(Lexicon::load({large_list()}));
}
BENCHMARK(BM_Load100000Terms)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace

BENCHMARK_MAIN();
