// glyphward.json beside a checkpoint: its defaults and its guard profile. Free of LibTorch.
//
//   { "defaults": {"num_inference_steps": 12, "guidance_scale": 2.0, "height": 64, "width": 192},
//     "localization": {"layers": ["down_blocks.0...attn2", ...], "sha256": "<hash of those layers'
//     tensors>",
//                      "evidence": {...the table of `glyphward localize`...}} }
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glyphward::model {

struct Localization {
  std::vector<std::string> layers;  // diffusers paths, in forward order
  std::string sha256;  // of those layers' tensors: names, shapes, dtypes and bytes as stored
  boost::json::object evidence;  // what `glyphward localize` saw
};

struct Profile {
  std::optional<int> num_inference_steps;
  std::optional<double> guidance_scale;
  std::optional<int> height;
  std::optional<int> width;
  std::optional<Localization> localization;
};

// An empty profile if the folder has no glyphward.json. Throws ConfigError on a malformed one or an
// unknown key.
Profile load_profile(const std::filesystem::path& checkpoint);
// Replaces the file in one rename. Throws std::system_error.
void save_profile(const std::filesystem::path& checkpoint, const Profile& profile);

}  // namespace glyphward::model
