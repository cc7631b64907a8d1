// What opening a checkpoint takes, whatever its family: the device, the checks that its components
// are the right ones and fit together, and what its ModelInfo says. Internal to model/.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/weights.h"
#include "model/networks/device.h"
#include "model/pipeline.h"

namespace glyphward::model {

// What a family's opener is given. The references hold while it runs.
struct Opening {
  const std::filesystem::path& checkpoint;
  const LoadOptions& options;
  Target target;            // the options' device and dtype
  std::string_view family;  // ModelInfo::family
};

// Throws ConfigError on a device that is not there or an unknown dtype.
Target open_target(const std::filesystem::path& checkpoint, const LoadOptions& options);

// Whether model_index.json's object names a component, and not [null, null].
bool has_component(const boost::json::object& index, std::string_view component);

// model_index.json names each component's library and class. Throws ConfigError unless each listed
// component has one of its classes.
using ComponentClasses = std::map<std::string, std::set<std::string>>;
void check_classes(const std::filesystem::path& index, const ComponentClasses& classes);

// Throws ConfigError unless `found`, which `file` says under `key`, is what the other components
// have.
void expect_equal(const std::filesystem::path& file, const char* key, int expected, int found);

// The info's name, family, device, dtype, attention layers, their hash, and the layers proposed to
// its family.
void describe_model(const Opening& opening, std::vector<std::string> attention_layers,
                    const Weights& denoiser, ModelInfo& info);
// glyphward.json beside the checkpoint over the family's defaults in `info`. Throws ConfigError.
void apply_profile(const std::filesystem::path& checkpoint, const Weights& denoiser,
                   ModelInfo& info);

}  // namespace glyphward::model
