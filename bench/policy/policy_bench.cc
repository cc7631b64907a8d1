// Decisions about prompts that are full of terms: what costs per finding shows here. Each kind at
// two sizes; four times the prompt should take about four times as long.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>

#include "policy/policy.h"

namespace {

using glyphward::policy::Policy;

const Policy& shipped() {
  static const auto policy =
      Policy::load(std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "policy/default.toml");
  return *policy;
}

std::string hostile_prompt(int kind, std::size_t characters) {
  static const char* const kUnits[] = {
      "fuck ", "f*ck ", "fuck", "shit\n", "\" says \"fuck ", "fuck\" and \"bitch ", "FuCk, "};
  std::string prompt = "a sign that says \"";
  while (prompt.size() < characters) prompt += kUnits[kind];
  return prompt;
}

// The decision alone; how long the analysis takes, bench/lexicon tells. It has two analyses of the
// sanitized prompt in it at most.
void BM_Decide(benchmark::State& state) {
  const std::string prompt =
      hostile_prompt(static_cast<int>(state.range(0)), static_cast<std::size_t>(state.range(1)));
  const auto analysis = shipped().lexicon().analyze(prompt);
  for (auto _ : state) benchmark::DoNotOptimize(shipped().decide(prompt, analysis, ""));
  state.counters["findings"] = static_cast<double>(analysis.findings.size());
  state.counters["texts"] = static_cast<double>(analysis.rendered.size());
}
BENCHMARK(BM_Decide)
    ->ArgNames({"kind", "characters"})
    ->ArgsProduct({{0, 1, 2, 3, 4, 5, 6}, {8000, 32000}})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
