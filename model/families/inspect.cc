#include "model/families/inspect.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/config_error.h"
#include "model/checkpoint/component_config.h"
#include "model/checkpoint/json.h"
#include "model/checkpoint/weights.h"
#include "model/families/families.h"
#include "model/networks/autoencoder_kl.h"
#include "model/proposals.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

// ---- Parts -------------------------------------------------------------------------------------

// Components without weights, or that are not ours to load (docs/METHOD.md, section 6).
bool is_passed_over(const std::string& component) {
  static const std::set<std::string> names = {"feature_extractor",
                                              "image_encoder",
                                              "safety_checker",
                                              "scheduler",
                                              "image_noising_scheduler",
                                              "tokenizer",
                                              "tokenizer_2",
                                              "tokenizer_3",
                                              "watermarker"};
  return names.contains(component);
}

std::string stored_dtype(const Weights& weights) {
  std::map<std::string, std::int64_t> parameters;
  for (const auto& [name, tensor] : weights.tensors()) {
    parameters[tensor.entry.dtype] += element_count(tensor.entry.shape);
  }
  const auto most =
      std::max_element(parameters.begin(), parameters.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == parameters.end() ? "" : most->first;
}

std::string dtype_of(const fs::path& folder, const char* stem) {
  if (Weights::exist(folder, stem)) return stored_dtype(Weights::open(folder, stem));
  ComponentConfig config(folder / "config.json");
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (config.is_null(key)) continue;
    const std::string dtype = config.string(key, "");
    return dtype == "float16" ? "F16" : dtype == "bfloat16" ? "BF16" : "F32";
  }
  return "";
}

// [library, class] of a component; none where model_index.json has another kind of value there, or
// [null, null].
std::optional<std::string> component_class(const boost::json::value& value) {
  const boost::json::array* pair = value.if_array();
  if (pair == nullptr || pair->size() != 2 || !(*pair)[1].is_string()) return std::nullopt;
  return std::string((*pair)[1].get_string());
}

// ---- Attention layers --------------------------------------------------------------------------

std::int64_t parameters_under(const Shapes& tensors, const std::string& prefix) {
  std::int64_t count = 0;
  for (auto it = tensors.lower_bound(prefix); it != tensors.end() && it->first.starts_with(prefix);
       ++it) {
    count += element_count(it->second);
  }
  return count;
}

void add_layers(const Skeleton& skeleton, CheckpointDescription& description) {
  const std::vector<std::string> proposed = propose_layers(
      description.family, skeleton.attention_layers, [&skeleton](const std::string& name) {
        const auto found = skeleton.tensors.find(name);
        return found == skeleton.tensors.end() ? std::vector<std::int64_t>{} : found->second;
      });
  for (const std::string& name : skeleton.attention_layers) {
    const auto count = [&](const char* member) {
      return parameters_under(skeleton.tensors, name + "." + member + ".");
    };
    description.layers.push_back(
        {.name = name,
         .key_value_parameters = count("to_k") + count("to_v"),
         .added_parameters = count("add_k_proj") + count("add_v_proj"),
         .proposed = std::find(proposed.begin(), proposed.end(), name) != proposed.end()});
  }
}

}  // namespace

// ---- The whole ---------------------------------------------------------------------------------

std::int64_t CheckpointDescription::parameters() const {
  std::int64_t count = 0;
  for (const PartDescription& part : parts) count += part.parameters;
  return count;
}

std::int64_t CheckpointDescription::denoiser_parameters() const {
  for (const PartDescription& part : parts) {
    if (part.name == denoiser) return part.parameters;
  }
  return 0;
}

std::int64_t CheckpointDescription::bytes(const std::string& dtype) const {
  std::int64_t bytes = 0;
  for (const PartDescription& part : parts) {
    const bool wide = dtype == "float32" || (dtype == "float16" && part.upcast);
    bytes += part.parameters * (wide ? 4 : 2);
  }
  return bytes;
}

CheckpointDescription inspect_checkpoint(const fs::path& checkpoint) {
  const fs::path file = checkpoint / "model_index.json";
  const boost::json::object index = load_json_object(file);
  CheckpointDescription description;
  description.family = find_family(checkpoint).name;
  for (const auto& [key, value] : index) {
    const std::string name(key);
    const std::optional<std::string> class_name = component_class(value);
    if (!class_name || is_passed_over(name)) continue;
    const ComponentClass* network = find_network(*class_name);
    if (!network) {
      throw ConfigError(file, 0, name,
                        "expected a class that is implemented, found " + *class_name);
    }
    const fs::path folder = checkpoint / name;
    const Skeleton skeleton = network->build(folder);
    PartDescription& part = description.parts.emplace_back();
    part.name = name;
    part.class_name = *class_name;
    part.parameters = parameters_under(skeleton.tensors, "");
    part.dtype = dtype_of(folder, network->weights);
    part.upcast = *class_name == "AutoencoderKL" && vae_must_upcast(folder / "config.json");
    if (!skeleton.attention_layers.empty()) {
      description.denoiser = name;
      add_layers(skeleton, description);
    }
  }
  if (description.denoiser.empty()) {
    throw ConfigError(file, 0, "", "expected a denoiser (unet), found none");
  }
  return description;
}

}  // namespace glyphward::model
