// What `glyphward generate` is asked for, the two ways to it, and what it leaves behind.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint/safetensors.h"
#include "model/pipeline.h"

namespace glyphward::daemon {

struct GenerateOptions {
  std::string prompt;
  std::string negative_prompt;
  std::string output = "glyphward.png";
  int n = 1;
  std::uint64_t seed = 0;
  std::string model;
  std::string device = "cpu";
  std::string dtype = "float32";
  bool vae_tiling = false;
  bool offload_text_encoders = false;
  std::string policy;
  std::string tenant;
  std::string state_dir;
  std::string socket;
  bool local = false;
  bool unguarded = false;
  bool json = false;
  model::GenerationSettings settings;

  bool wants_tensors() const { return std::filesystem::path(output).extension() == ".safetensors"; }
};

// What was drawn, and what is told of it.
struct Generated {
  std::vector<std::string> pngs;
  // With GenerateOptions::wants_tensors(): of all pictures, [n, ...].
  std::optional<model::FloatTensor> latents;
  std::optional<model::FloatTensor> image;
  // The daemon's "glyphward" object, or one of the same members; for --json.
  boost::json::object report;
};

// By the daemon. Throws CommandError: Refused, or by the HTTP status; Unavailable if there is no
// daemon, or its answer is not the one expected.
Generated ask_daemon(const GenerateOptions& options);

// In this process, under the same guard or, with --unguarded, none. Throws CommandError and
// ConfigError.
Generated generate_here(const GenerateOptions& options);

// Writes options.output, or FILE-0.png, FILE-1.png, ... where there are several; the names of what
// was written. Throws CommandError.
boost::json::array write_files(const GenerateOptions& options, const Generated& generated);

}  // namespace glyphward::daemon
