// Localization: which cross-attention layers carry the letters of rendered text (paper, section 3; METHOD.md's
// protocol): each layer alone by injection, then growing sets, chosen by what the *set* reads. Free of LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
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

// One row of the table: a set of layers given the target prompt.
struct LayerSetResult {
  std::vector<std::string> layers;  // forward order; empty: the plain picture
  double target_exact = 0;          // share of pairs
  double target_letters = 0;        // mean
  double source_exact = 0;
  double source_letters = 0;
  double outside_mse = 0;  // squared difference to the plain picture outside both pictures' text boxes, 0..1 units
  double psnr = 0;         // whole picture, dB, METHOD.md section 4
  int pairs_without_box = 0;
};

struct LocalizeOptions {
  double carry_share = 0.9;  // a set carries the word if it reads so many of the words that all layers read
  double outside_share = 0.34;  // and changes the picture outside the text at most so much of what all layers do
  int layers_max = 0;        // 0: no limit
};

struct LocalizationReport {
  std::vector<LayerSetResult> rows;  // none, all, each alone, then the growing sets
  std::vector<std::string> layers;   // the smallest set that carries the word; empty if none but all does
  std::string reason;                // why these, or why none
};

using LocalizeProgress = std::function<void(int done, int total, const LayerSetResult& row)>;

Result<LocalizationReport> localize(Pipeline& pipeline, const std::vector<PromptPair>& pairs,
                                    const Scorer& scorer, const LocalizeOptions& options,
                                    std::stop_token stop, const LocalizeProgress& progress = {});

}  // namespace glyphward::model
