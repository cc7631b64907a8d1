// What a checkpoint is, from its configurations alone: family, parts, parameters, attention layers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace glyphward::model {

// A component that holds weights.
struct PartDescription {
  std::string name;        // its folder: "unet"
  std::string class_name;  // as model_index.json has it
  std::int64_t parameters = 0;
  // As stored, "F16" (of several, the one with most parameters), or else as its config says; empty
  // if neither is there.
  std::string dtype;
  // Overflows in float16, so that it is then loaded in float32.
  bool upcast = false;
};

// A routable layer of the denoiser.
struct AttentionLayerDescription {
  std::string name;
  // to_k and to_v: the text's in cross-attention, the image's in joint attention and in DeepFloyd
  // IF.
  std::int64_t key_value_parameters = 0;
  // add_k and add_v: the text's in joint attention and in IF; 0 in cross-attention.
  std::int64_t added_parameters = 0;
  bool proposed = false;  // one of the paper's (model/proposals.h)
};

struct CheckpointDescription {
  std::string family;  // ModelInfo's
  std::vector<PartDescription> parts;
  std::string denoiser;                           // the part with the attention layers
  std::vector<AttentionLayerDescription> layers;  // in forward order

  std::int64_t parameters() const;
  std::int64_t denoiser_parameters() const;
  // Of all parts' weights on the device; what a picture needs while it is drawn comes on top.
  // `dtype` as in LoadOptions.
  std::int64_t bytes(const std::string& dtype) const;
};

// Reads model_index.json and the parts' configurations; of weights, where they are there, the
// dtypes only. Throws ConfigError: also on a part of a class that is not implemented, and on an
// option of a configuration that is not.
CheckpointDescription inspect_checkpoint(const std::filesystem::path& checkpoint);

}  // namespace glyphward::model
