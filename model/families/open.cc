#include "model/families/open.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <exception>
#include <utility>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/profile.h"
#include "model/proposals.h"

namespace glyphward::model {

namespace fs = std::filesystem;

Target open_target(const fs::path& checkpoint, const LoadOptions& options) {
  try {
    return {open_device(options.device), parse_dtype(options.dtype)};
  } catch (const std::exception& error) {
    throw ConfigError(checkpoint, 0, "", error.what());
  }
}

bool has_component(const boost::json::object& index, std::string_view component) {
  const boost::json::value* value = index.if_contains(component);
  return value && value->is_array() && !value->get_array().empty() &&
         !value->get_array()[0].is_null();
}

void check_classes(const fs::path& file, const ComponentClasses& classes) {
  const boost::json::object index = load_json_object(file);
  for (const auto& [component, names] : classes) {
    const boost::json::value* value = index.if_contains(component);
    const bool named = value && value->is_array() && value->get_array().size() == 2 &&
                       value->get_array()[1].is_string();
    const std::string found = named ? std::string(value->get_array()[1].get_string()) : "none";
    if (!names.contains(found)) {
      throw ConfigError(file, 0, component, "expected " + *names.begin() + ", found " + found);
    }
  }
}

void expect_equal(const fs::path& file, const char* key, int expected, int found) {
  if (expected == found) return;
  throw ConfigError(file, 0, key,
                    "expected " + std::to_string(expected) +
                        ", as the other components have, found " + std::to_string(found));
}

void describe_model(const Opening& opening, std::vector<std::string> attention_layers,
                    const Weights& denoiser, ModelInfo& info) {
  const fs::path folder = fs::absolute(opening.checkpoint).lexically_normal();
  // A path that ends in a slash has an empty filename.
  info.name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  info.family = opening.family;
  info.attention_layers = std::move(attention_layers);
  info.weights_sha256 = layers_sha256(denoiser, info.attention_layers);
  info.proposed_layers =
      propose_layers(info.family, info.attention_layers, [&denoiser](const std::string& name) {
        const auto found = denoiser.tensors().find(name);
        return found == denoiser.tensors().end() ? std::vector<std::int64_t>{}
                                                 : found->second.entry.shape;
      });
  info.device = opening.options.device;
  info.dtype = opening.options.dtype;
}

void apply_profile(const fs::path& checkpoint, const Weights& denoiser, ModelInfo& info) {
  const Profile profile = load_profile(checkpoint);
  info.num_inference_steps = profile.num_inference_steps.value_or(info.num_inference_steps);
  info.guidance_scale = profile.guidance_scale.value_or(info.guidance_scale);
  info.height = profile.height.value_or(info.height);
  info.width = profile.width.value_or(info.width);
  info.profile_state = "none";
  if (!profile.localization) return;
  const std::vector<std::string>& layers = profile.localization->layers;
  for (const std::string& layer : layers) {
    if (std::find(info.attention_layers.begin(), info.attention_layers.end(), layer) ==
        info.attention_layers.end()) {
      info.profile_state = "mismatch: glyphward.json names " + layer + ", which the model has not";
      return;
    }
  }
  if (layers.empty()) return;
  const std::string found = layers_sha256(denoiser, layers);
  if (found != profile.localization->sha256) {
    info.profile_state = "mismatch: glyphward.json expects localized layers of SHA-256 " +
                         profile.localization->sha256 + ", found " + found;
    return;
  }
  info.localized_layers = layers;
  info.localized_from_share = profile.localization->from_share;
  info.profile_state = "localized";
}

}  // namespace glyphward::model
