// glyphward.json beside a checkpoint: its defaults and its guard profile.
//
//   { "defaults": {"num_inference_steps": 12, "guidance_scale": 2.0, "height": 64, "width": 192},
//     "localization": {"layers": ["down_blocks.0...attn2", ...], "from_share": 0.0833,
//                      "sha256": "<hash of those layers' tensors>",
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
  // Share of the denoising steps, 0 to below 1, before the layers are given another text: the first
  // steps make the scene. 1 - t_s / T in the paper's section on editing (docs/METHOD.md, section
  // 5).
  double from_share = 0;
};

// The 0-based step at which `share` of `steps` is over, as LayerRoute::from_step takes it.
int from_step(double share, int steps);

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
