// glyphward bench bundled: how well a model in the box writes, localizes and is guarded. Needs no
// daemon.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "daemon/cli/bench/bench_command.h"
#include "daemon/cli/bench/measurements.h"
#include "daemon/cli/output.h"
#include "daemon/service/data_files.h"
#include "model/networks/threads.h"

namespace glyphward::daemon {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSets = {"one-line", "two-lines", "free", "localization",
                                        "guarded",  "clean",     "modes"};

constexpr std::array kDrawnSets = {"one-line", "two-lines", "free"};

struct Options {
  std::string model;
  std::vector<std::string> sets;
  std::size_t limit = 0;
  int threads = 0;
  std::string data;
  std::string out;
  std::string second_reader;
  bool json = false;

  bool named(const std::string& set) const { return std::ranges::find(sets, set) != sets.end(); }
  bool wants(const std::string& set) const { return sets.empty() || named(set); }
};

// Read before minutes are spent on pictures.
struct Cases {
  fs::path file;
  std::vector<BundledCase> drawn;
  std::vector<GuardedCase> toxic;
  std::vector<GuardedCase> clean;

  explicit Cases(const Options& options) {
    const fs::path folder =
        options.data.empty() ? data_dir() / "tests" / "data" : fs::path(options.data);
    file = folder / "bundled" / "cases.jsonl";
    drawn = read_bundled_cases(file);
    for (const char* set : kDrawnSets) require(set, options.wants(set));
    require("localization", options.wants("localization") || options.wants("modes"));
    if (options.wants("guarded")) toxic = read_guarded_cases(folder / "guarded" / "toxic.jsonl");
    if (options.wants("clean")) clean = read_guarded_cases(folder / "guarded" / "clean.jsonl");
  }

  void require(const char* set, bool wanted) const {
    if (!wanted || std::ranges::find(drawn, set, &BundledCase::set) != drawn.end()) return;
    throw CommandError(ExitStatus::Usage, file.string() + ": holds no cases of the set " + set);
  }

  std::vector<BundledCase> of(const std::string& set, std::size_t limit) const {
    std::vector<BundledCase> result;
    std::ranges::copy_if(drawn, std::back_inserter(result),
                         [&](const BundledCase& one) { return one.set == set; });
    return spread(result, limit);
  }
};

class BundledCommand {
 public:
  explicit BundledCommand(const Options& options) : options_(options), cases_(options) {}

  ExitStatus run() {
    make_out();
    if (options_.threads > 0) model::set_threads(options_.threads);
    pipeline_ =
        model::load_pipeline(options_.model.empty() ? bundled_model() : fs::path(options_.model));
    table_.model = pipeline_->info();
    table_.speed = measure_speed(*pipeline_, cases_.drawn.front().prompt, options_.limit);
    measure();
    write();
    return ExitStatus::Ok;
  }

 private:
  void make_out() const {
    if (options_.out.empty()) return;
    std::error_code error;
    fs::create_directories(options_.out, error);
    if (error) {
      throw CommandError(ExitStatus::Usage, options_.out + ": no folder that can be made: " +
                                                error.message() + "; give another one by --out");
    }
  }

  void measure() {
    const auto ocr = guard::Ocr::open();
    PictureReaders readers(*ocr, options_.second_reader);
    const Sheets sheets(options_.out);
    const BundledBench bench{*pipeline_, *ocr, readers, sheets};
    for (const char* set : kDrawnSets) {
      if (!options_.wants(set)) continue;
      std::ranges::move(measure_set(bench, cases_.of(set, options_.limit)),
                        std::back_inserter(table_.sets));
    }
    measure_swaps(bench);
    if (options_.wants("guarded")) {
      table_.guarded = measure_guarded(bench, spread(cases_.toxic, options_.limit));
    }
    if (options_.wants("clean")) {
      table_.clean = measure_clean(bench, spread(cases_.clean, options_.limit));
    }
  }

  void measure_swaps(const BundledBench& bench) {
    if (!options_.wants("localization") && !options_.wants("modes")) return;
    const std::vector<BundledCase> pairs = cases_.of("localization", options_.limit);
    const model::ModelInfo& info = table_.model;
    const bool localized = !info.localized_layers.empty();
    const std::string next = fmt::format(
        "no localized layers ({}): `glyphward localize {}` finds them", info.profile_state,
        options_.model.empty() ? bundled_model().string() : options_.model);
    if (options_.wants("localization")) {
      if (localized) table_.localization = measure_localization(bench, pairs);
      if (!localized) table_.no_localization = "localization: " + next;
    }
    const bool joint = info.family == "stable-diffusion-3";
    if (!options_.wants("modes") || (!joint && !options_.named("modes"))) return;
    if (!joint) {
      table_.no_modes =
          "modes: a model of the family " + info.family + " has none; stable-diffusion-3 has";
    } else if (localized) {
      table_.modes = measure_modes(bench, pairs);
    } else {
      table_.no_modes = "modes: " + next;
    }
  }

  void write() const {
    const std::string json = boost::json::serialize(to_json(table_));
    if (!options_.out.empty()) {
      write_file(fs::path(options_.out) / "table.json", json + "\n");
    }
    fmt::print("{}", options_.json ? json + "\n" : to_text(table_));
  }

  const Options& options_;
  const Cases cases_;
  std::unique_ptr<model::Pipeline> pipeline_;
  BundledTable table_;
};

}  // namespace

void add_bench_bundled(Command& bench) {
  auto options = std::make_shared<Options>();
  Command command =
      bench.part("bundled", "How well a model in the box writes, localizes and is guarded");
  command.also_called("embedded");
  command
      .option("MODEL", options->model, "A diffusers checkpoint folder (default: the bundled model)")
      .existing_folder();
  command.option("--set", options->sets, "Only these measurements (default: all)")
      .one_of(kSets)
      .one_value_each();
  command.option("--limit", options->limit, "At most so many cases of each set, spread over it")
      .within(1, 1000000);
  command.option("--threads", options->threads, "Of the model (default: one per core)")
      .within(1, 1024);
  command.option("--data", options->data,
                 "Folder with bundled/cases.jsonl and guarded/*.jsonl (default: tests/data "
                 "of the source tree)");
  command.option("--out", options->out, "Folder for table.json and contact sheets");
  command.option("--second-reader", options->second_reader,
                 "A program that reads pictures: a file's name in, a line of JSON out");
  command.flag("--json", options->json, "Print JSON");
  command.runs([options] { return BundledCommand(*options).run(); });
}

}  // namespace glyphward::daemon
