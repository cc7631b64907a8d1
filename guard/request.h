// A request on its way through the guard: plain values, and the bounds of what a client may ask
// for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lexicon/finding.h"
#include "model/pipeline.h"
#include "policy/policy.h"

namespace glyphward::guard {

// Of what a client may ask for at once; the HTTP API and the command line check against these.
inline constexpr std::size_t kPromptCharactersMax = 32000;
inline constexpr int kImagesMax = 10;
inline constexpr int kInferenceStepsMax = 1000;
inline constexpr double kGuidanceScaleMax = 100;
inline constexpr int kImageSideMax = 2048;      // pixels
inline constexpr int kModerationTextsMax = 32;  // of one moderation

// What a client asked for. What is not given comes from the model.
struct ImageRequest {
  std::string request_id;
  std::string client;
  std::string endpoint;
  std::string tenant;  // whose rules apply; empty: none was named
  std::string prompt;
  std::string negative_prompt;
  int n = 1;
  std::uint64_t seed = 0;  // image i uses seed + i
  model::GenerationSettings settings;
};

// A request that was looked at: pure CPU work, done before it queues.
struct Screened {
  ImageRequest request;
  lexicon::Analysis analysis;
  policy::Decision decision;
  std::shared_ptr<const policy::Policy> policy;  // the one revision that the whole request sees
  lexicon::Analysis negative;                    // of the negative prompt: for the record only
  model::PromptFit fit;                          // all zero where no model was asked (screen_text)
  double screening_ms = 0;
};

}  // namespace glyphward::guard
