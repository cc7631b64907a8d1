#include "daemon/cli/bench/measurements.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/stopwatch.h"
#include "daemon/cli/command.h"
#include "daemon/cli/models/contact_sheet.h"
#include "daemon/cli/progress_line.h"
#include "model/localize.h"
#include "model/networks/threads.h"
#include "model/profile.h"

namespace glyphward::daemon {
namespace {

constexpr int kSheetRows = 10;
constexpr std::size_t kTimedPictures = 5;

[[noreturn]] void fail(const std::string& what, const Error& error) {
  throw CommandError(ExitStatus::Found, "bench bundled: " + what + ": " + error.message);
}

model::Image draw_one(model::Pipeline& pipeline, const std::string& prompt, std::uint64_t seed) {
  model::GenerationRequest request;
  request.streams = {{"prompt", prompt}};
  request.seeds = {seed};
  auto drawn = pipeline.generate(request, {});
  if (!drawn) fail(prompt, drawn.error());
  return std::move(drawn->images.at(0));
}

// ---- Other words given to layers ---------------------------------------------------------------

std::vector<model::PromptPair> pairs_of(const std::vector<BundledCase>& cases) {
  std::vector<model::PromptPair> pairs;
  pairs.reserve(cases.size());
  for (const BundledCase& one : cases) {
    pairs.push_back({.source = one.prompt,
                     .target = one.swapped_prompt,
                     .source_word = one.words.at(0),
                     .target_word = one.words.at(1),
                     .seed = one.seed,
                     .form = ""});
  }
  return pairs;
}

// What measure_layer_sets() draws and reads, pair by pair: none, all layers, the profile's.
struct Swaps {
  std::vector<model::LayerSetResult> rows;
  std::vector<model::PairScore> scores;
  std::vector<model::Image> pictures;

  // Where the profile has all layers, they are drawn once.
  std::size_t at(std::size_t set, std::size_t pair, std::size_t pairs) const {
    return std::min(set, scores.size() / pairs - 1) * pairs + pair;
  }
};

Swaps swap_words(model::Pipeline& pipeline, PictureReaders& readers,
                 const std::vector<model::PromptPair>& pairs, const std::string& note) {
  Swaps swaps;
  const model::ModelInfo& info = pipeline.info();
  const model::Scorer scorer = [&](const model::Image& image, const model::PromptPair& pair) {
    swaps.scores.push_back(readers.score(image, pair));
    swaps.pictures.push_back(image);
    return swaps.scores.back();
  };
  ProgressLine line;
  auto rows = model::measure_layer_sets(
      pipeline, pairs, scorer, {info.localized_layers},
      model::from_step(info.localized_from_share, info.num_inference_steps), {},
      [&](int done, int total, const model::LayerSetResult&) { line.show(done, total, note); });
  if (!rows) fail(note, rows.error());
  swaps.rows = *std::move(rows);
  return swaps;
}

SwapRow swap_row(const Swaps& swaps, std::size_t pairs) {
  SwapRow row;
  for (std::size_t i = 0; i < pairs; ++i) {
    const bool all = swaps.scores[swaps.at(1, i, pairs)].target_exact;
    row.all.add(all);
    if (all) row.localized.add(swaps.scores[swaps.at(2, i, pairs)].target_exact);
  }
  row.outside_all = swaps.rows.at(1).outside_mse;
  row.outside_localized = swaps.rows.at(2).outside_mse;
  row.without_box = swaps.rows.at(2).pairs_without_box;
  return row;
}

// A pair a row: plain, all layers given the other word, the profile's.
std::vector<model::Image> by_pair(const Swaps& swaps, std::size_t pairs) {
  std::vector<model::Image> pictures;
  for (std::size_t i = 0; i < pairs; ++i) {
    for (std::size_t set = 0; set < 3; ++set) {
      pictures.push_back(swaps.pictures[swaps.at(set, i, pairs)]);
    }
  }
  return pictures;
}

// Hands on what is asked for in a mode of joint attention, and takes the time of each step.
class TimedMode : public model::Pipeline {
 public:
  TimedMode(model::Pipeline& inner, model::JointMode mode) : inner_(inner), mode_(mode) {}

  const model::ModelInfo& info() const override { return inner_.info(); }
  model::PromptFit fit(std::string_view prompt) const override { return inner_.fit(prompt); }
  Result<model::Generation> generate(const model::GenerationRequest& request, std::stop_token stop,
                                     const model::Progress& progress) override {
    model::GenerationRequest asked = request;
    asked.route.joint_mode = mode_;
    std::vector<double>& steps = steps_[request.route.layers.size()];
    Stopwatch watch;
    return inner_.generate(asked, std::move(stop), [&](int step, int of) {
      // The first one holds what is made once a request.
      if (step > 1) steps.push_back(watch.seconds());
      watch = {};
      if (progress) progress(step, of);
    });
  }

  // Of requests that route this many layers.
  double step_seconds(std::size_t layers) { return median(steps_[layers]); }

 private:
  model::Pipeline& inner_;
  const model::JointMode mode_;
  std::map<std::size_t, std::vector<double>> steps_;
};

}  // namespace

void Sheets::write(const std::string& name, std::vector<model::Image> pictures, int columns) const {
  if (folder_.empty() || pictures.empty()) return;
  pictures.resize(std::min(pictures.size(), static_cast<std::size_t>(columns) * kSheetRows));
  write_png(contact_sheet(pictures, columns), folder_ / (name + ".png"));
}

model::Image BundledBench::draw(const std::string& prompt, std::uint64_t seed) const {
  return draw_one(pipeline, prompt, seed);
}

SpeedRow measure_speed(model::Pipeline& pipeline, const std::string& prompt, std::size_t limit) {
  SpeedRow row;
  row.pictures = static_cast<int>(limit == 0 ? kTimedPictures : std::min(limit, kTimedPictures));
  std::vector<double> taken;
  for (int i = 0; i < row.pictures; ++i) {
    const Stopwatch watch;
    draw_one(pipeline, prompt, 0);
    taken.push_back(watch.seconds());
  }
  row.seconds_a_picture = median(taken);
  row.threads = model::threads();
  row.peak_mib = resident_mib("VmHWM");
  return row;
}

std::vector<SetRow> measure_set(const BundledBench& bench, const std::vector<BundledCase>& cases) {
  std::map<std::string, SetRow> rows;
  std::vector<model::Image> pictures;
  ProgressLine line;
  for (const BundledCase& one : cases) {
    pictures.push_back(bench.draw(one.prompt, one.seed));
    for (const auto& [reader, seen] : bench.readers.judge(pictures.back())) {
      SetRow& row = rows[reader];
      row.set = one.set;
      row.reader = reader;
      const bool exact = reads_exactly(seen, one.words);
      row.exact.add(exact);
      // The guard's reader is Tesseract.
      const auto rendered = one.rendered.find(reader == kGuardReader ? "tesseract" : reader);
      if (rendered == one.rendered.end()) continue;
      row.rendered.add(rendered->second);
      if (rendered->second) row.paired.add(exact);
    }
    line.show(static_cast<int>(pictures.size()), static_cast<int>(cases.size()), one.set);
  }
  bench.sheets.write(cases.at(0).set, pictures, 6);
  std::vector<SetRow> result;
  result.reserve(rows.size());
  for (const auto& [reader, row] : rows) result.push_back(row);
  return result;
}

LocalizationTable measure_localization(const BundledBench& bench,
                                       const std::vector<BundledCase>& cases) {
  const std::vector<model::PromptPair> pairs = pairs_of(cases);
  const Swaps swaps = swap_words(bench.pipeline, bench.readers, pairs, "localization");
  bench.sheets.write("localization", by_pair(swaps, pairs.size()), 3);
  const model::ModelInfo& info = bench.pipeline.info();
  return {info.localized_layers, info.attention_layers.size(), bench.readers.localizer(),
          swap_row(swaps, pairs.size())};
}

ModesTable measure_modes(const BundledBench& bench, const std::vector<BundledCase>& cases) {
  const std::vector<model::PromptPair> pairs = pairs_of(cases);
  const std::pair<const char*, model::JointMode> modes[] = {{"paper", model::JointMode::Paper},
                                                            {"shared", model::JointMode::Shared},
                                                            {"side", model::JointMode::Side}};
  ModesTable table;
  for (const auto& [name, mode] : modes) {
    TimedMode timed(bench.pipeline, mode);
    const Swaps swaps = swap_words(timed, bench.readers, pairs, name);
    bench.sheets.write(std::string("mode-") + name, by_pair(swaps, pairs.size()), 3);
    table.rows.push_back({name, swap_row(swaps, pairs.size()),
                          timed.step_seconds(bench.pipeline.info().localized_layers.size())});
    table.plain_step_seconds = timed.step_seconds(0);
  }
  return table;
}

}  // namespace glyphward::daemon
