// What the guard costs: guarded against plain generation of the same prompt and seed, in turn in
// one process, so that each ratio compares neighbours in time. A machine's drift cancels out; its
// absolute speed does not matter.
//
// usage: glyphward_bench_overhead [--model DIR] [--runs N] [--threads N] [--json]
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "guard/guard.h"
#include "model/profile.h"

namespace {

using glyphward::model::GenerationRequest;
using glyphward::model::Pipeline;
using glyphward::model::TextStream;

constexpr const char* kPrompt = R"(a red sign on a blue wall that says "bitch")";

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void generate(Pipeline& pipeline, const GenerationRequest& request) {
  if (auto generation = pipeline.generate(request, {}); !generation) {
    throw std::runtime_error(generation.error().message);
  }
}

// The ways of one prompt. "plain" is what the others are divided by.
struct Way {
  std::string name;
  std::function<void(std::uint64_t seed)> run;
  std::vector<double> seconds_taken = {};
};

std::vector<Way> ways(Pipeline& pipeline, glyphward::guard::Guard& guard,
                      std::shared_ptr<const glyphward::policy::Policy> policy) {
  auto decision = policy->decide(kPrompt, policy->analyze(kPrompt), "");
  if (decision.action != glyphward::policy::Action::Substitute) {
    throw std::runtime_error("the policy does not substitute in the benchmark's prompt");
  }
  const std::vector<TextStream> streams = {{"prompt", kPrompt},
                                           {"sanitized", decision.sanitized_prompt}};
  GenerationRequest plain;
  plain.streams = {streams[0]};
  GenerationRequest localized;
  localized.streams = streams;
  const glyphward::model::ModelInfo& info = pipeline.info();
  const int from_step =
      glyphward::model::from_step(info.localized_from_share, info.num_inference_steps);
  for (const std::string& layer : info.localized_layers) {
    localized.route.layers.push_back({layer, "sanitized", from_step});
  }
  GenerationRequest swapped;
  swapped.streams = {streams[0], streams[1]};
  swapped.route.base = "sanitized";
  auto generates = [&pipeline](GenerationRequest request) {
    return [&pipeline, request](std::uint64_t seed) mutable {
      request.seeds = {seed};
      generate(pipeline, request);
    };
  };
  auto guarded = [&pipeline, &guard, policy](std::uint64_t seed) {
    glyphward::guard::ImageRequest request;
    request.request_id = "bench-" + std::to_string(seed);
    request.prompt = kPrompt;
    request.seed = seed;
    auto screened = glyphward::guard::screen(request, policy, pipeline);
    if (!screened) {
      throw std::runtime_error(screened.error().message);
    }
    if (auto answer = guard.complete(*screened, {}); !answer) {
      throw std::runtime_error(answer.error().message);
    }
  };
  return {{"plain", generates(plain)},
          {"localized route", generates(localized)},
          {"prompt swap", generates(swapped)},
          {"guarded, reading and record included", guarded}};
}

void print(const std::vector<Way>& all, const Pipeline& pipeline, bool json) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  boost::json::array rows;
  for (const Way& way : all) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < way.seconds_taken.size(); ++i) {
      ratios.push_back(way.seconds_taken[i] / all.front().seconds_taken[i]);
    }
    const auto [low, high] = std::ranges::minmax(ratios);
    rows.push_back(boost::json::object{{"way", way.name},
                                       {"seconds_median", median(way.seconds_taken)},
                                       {"ratio_median", median(ratios)},
                                       {"ratio_min", low},
                                       {"ratio_max", high}});
    if (!json) {
      fmt::print("{:38} {:7.3f} s  x{:.3f}  ({:.3f} to {:.3f})\n", way.name,
                 median(way.seconds_taken), median(ratios), low, high);
    }
  }
  if (json) {
    std::cout << boost::json::serialize(
                     boost::json::object{{"model", pipeline.info().name},
                                         {"runs", all.front().seconds_taken.size()},
                                         {"peak_rss_mib", usage.ru_maxrss / 1024},
                                         {"ways", rows}})
              << "\n";
  } else {
    fmt::print("{} runs each, in turn; ratios are run by run. Peak memory {} MiB.\n",
               all.front().seconds_taken.size(), usage.ru_maxrss / 1024);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string model = GLYPHWARD_SOURCE_DIR "/model/bundled/stable-diffusion";
  std::string policy_file = GLYPHWARD_SOURCE_DIR "/policy/default.toml";
  int runs = 15;
  bool json = false;
  CLI::App app("Times guarded against plain generation.");
  app.add_option("--model", model, "checkpoint folder")->capture_default_str();
  app.add_option("--policy", policy_file, "policy file")->capture_default_str();
  app.add_option("--runs", runs, "runs of each way")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--json", json, "print JSON");
  CLI11_PARSE(app, argc, argv);
  const auto state =
      std::filesystem::temp_directory_path() / ("glyphward-bench." + std::to_string(getpid()));
  try {
    auto pipeline = glyphward::model::load_pipeline(model);
    auto ocr = glyphward::guard::Ocr::open();
    auto audit = glyphward::guard::AuditLog::open(state);
    glyphward::guard::Guard guard(*pipeline, *ocr, *audit);
    auto all = ways(*pipeline, guard, glyphward::policy::Policy::load(policy_file));
    for (int i = -1; i < runs; ++i) {  // the first is a warm-up
      for (Way& way : all) {
        const double taken = seconds([&] { way.run(static_cast<std::uint64_t>(i + 1)); });
        if (i >= 0) {
          way.seconds_taken.push_back(taken);
        }
      }
    }
    print(all, *pipeline, json);
  } catch (const std::exception& error) {
    std::cerr << "glyphward_bench_overhead: " << error.what() << "\n";
    std::filesystem::remove_all(state);
    return 1;
  }
  std::filesystem::remove_all(state);
}
