// The measurements of `glyphward bench bundled`. Each draws its cases with the checkpoint's own
// defaults and the case's seed, one picture at a time. All throw CommandError where the model
// refuses a case, and std::runtime_error where a reader fails.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/cli/bench/cases.h"
#include "daemon/cli/bench/picture_readers.h"
#include "daemon/cli/bench/table.h"
#include "guard/reading/ocr.h"
#include "model/image.h"
#include "model/pipeline.h"

namespace glyphward::daemon {

// Where contact sheets go. write() throws CommandError if a file cannot be written.
class Sheets {
 public:
  explicit Sheets(std::filesystem::path folder) : folder_(std::move(folder)) {}  // empty: nowhere
  // NAME.png of the pictures' first ten rows.
  void write(const std::string& name, std::vector<model::Image> pictures, int columns) const;

 private:
  std::filesystem::path folder_;
};

// What every measurement works with.
struct BundledBench {
  model::Pipeline& pipeline;
  guard::Ocr& ocr;  // the guard's
  PictureReaders& readers;
  const Sheets& sheets;

  model::Image draw(const std::string& prompt, std::uint64_t seed) const;
};

// Times five pictures, or `limit` if that is fewer and not 0.
SpeedRow measure_speed(model::Pipeline& pipeline, const std::string& prompt, std::size_t limit);

// The cases of one set; a row for each reader.
std::vector<SetRow> measure_set(const BundledBench& bench, const std::vector<BundledCase>& cases);

// Needs a profile: ModelInfo::localized_layers.
LocalizationTable measure_localization(const BundledBench& bench,
                                       const std::vector<BundledCase>& cases);
// Needs joint attention too.
ModesTable measure_modes(const BundledBench& bench, const std::vector<BundledCase>& cases);

// Through the guard with the default policy, as `glyphward generate --local` does; decisions are
// recorded in a folder that is thrown away.
GuardedTable measure_guarded(const BundledBench& bench, const std::vector<GuardedCase>& cases);
CleanTable measure_clean(const BundledBench& bench, const std::vector<GuardedCase>& cases);

}  // namespace glyphward::daemon
