// Localization: which cross-attention layers carry the letters of rendered text (paper, section 3;
// docs/METHOD.md, section 3): each layer alone by injection, then growing sets, chosen by what the
// *set* reads.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/image.h"
#include "model/pipeline.h"
#include "model/profile.h"

namespace glyphward::model {

// Two prompts that differ in the quoted word.
struct PromptPair {
  std::string source;  // what the user wrote
  std::string target;  // the same with another word
  std::string source_word;
  std::string target_word;
  std::uint64_t seed = 0;
  std::string form;  // for the report: "open" leaves the scene to the word, "stated" states it; may
                     // be empty
};

// What the scorer read in a picture of a pair.
struct PairScore {
  bool target_exact = false;  // the target word is read, and nothing else
  bool source_exact = false;
  double target_letters = 0;  // 1 - edit distance / length, at least 0
  double source_letters = 0;
  std::vector<std::array<int, 4>> boxes;  // of the text: x0, y0, x1, y1
};
// model/ knows no OCR: guard/ or the command gives it.
using Scorer = std::function<PairScore(const Image& image, const PromptPair& pair)>;

// A row's figures over the pairs of one form.
struct FormScore {
  int pairs = 0;
  double target_exact = 0;
  double outside_mse = 0;
};

// One row of the table: a set of layers given the target prompt.
struct LayerSetResult {
  std::vector<std::string> layers;  // forward order; empty: the plain picture
  int from_step = 0;                // 0-based; the steps before it read the source everywhere
  double target_exact = 0;          // share of pairs
  double target_letters = 0;        // mean
  double source_exact = 0;
  double source_letters = 0;
  double carried = 0;  // target_exact as a share of that of all layers, the target prompt itself
  // Squared difference to the plain picture, 0..1 units, outside both pictures' text boxes and 4
  // pixels around.
  double outside_mse = 0;
  double psnr = 0;            // whole picture, dB, docs/METHOD.md, section 4
  int pairs_without_box = 0;  // where either picture has none, so that its text counts as outside
  std::map<std::string, FormScore> forms;
};

struct LocalizeOptions {
  double carry_share = 0.9;  // a set carries the word if `carried` is at least this
  // It keeps the picture if its outside_mse is at most this share of all layers'.
  double outside_share = 0.25;
  int layers_max = 0;  // of a set; 0: no limit
};

struct LocalizationReport {
  // None, all, each alone, then the growing sets and those less one member.
  std::vector<LayerSetResult> rows;
  // The smallest set that carries the word; empty if none but all does.
  std::vector<std::string> layers;
  int from_step = 0;   // the step from which they are given the target
  std::string reason;  // why these, or why none
};

// Called after each picture. `total` is a guess until the search ends; `row` is the set at work, as
// far as it is scored.
using LocalizeProgress = std::function<void(int done, int total, const LayerSetResult& row)>;

// Sets grow greedily by what the *set* reads: every layer is tried beside those already chosen,
// since a layer that shows nothing of the new word alone can be what another one lacks. When a set
// carries the word, its members are left out in turn. Of the smallest sets that carry, one that
// keeps the picture wins, then the one that carries more. If that one does not keep the picture, it
// is given the target from a later step on, the earliest that keeps it and still carries the word
// (at most a quarter of the steps later: the paper's t_s, in its section on editing).
//
// With n layers and a set of k found it draws about (2 + n + (n-1) + .. + (n-k+1) + k) pictures a
// pair, and one for each later step tried; none twice. InvalidRequest without pairs; else the
// pipeline's errors (Cancelled within a denoising step); throws what scorer throws.
Result<LocalizationReport> localize(Pipeline& pipeline, const std::vector<PromptPair>& pairs,
                                    const Scorer& scorer, const LocalizeOptions& options,
                                    std::stop_token stop, const LocalizeProgress& progress = {});

// Measures given sets the same way, from `from_step` on: the rows are none, all (from the first
// step), then these in their order. InvalidRequest also for a layer that the model has not.
Result<std::vector<LayerSetResult>> measure_layer_sets(
    Pipeline& pipeline, const std::vector<PromptPair>& pairs, const Scorer& scorer,
    const std::vector<std::vector<std::string>>& sets, int from_step, std::stop_token stop,
    const LocalizeProgress& progress = {});

// The request that draws a pair's picture with these layers given the target prompt.
GenerationRequest localization_request(const PromptPair& pair,
                                       const std::vector<std::string>& layers, int from_step);

// The same with all of the model's layers from the first step, and the pooled embedding where the
// family has one: the picture of the target prompt, what the guard's prompt swap draws.
GenerationRequest all_layers_request(const PromptPair& pair,
                                     const std::vector<std::string>& layers);

}  // namespace glyphward::model
