// The tensors of one component of a diffusers checkpoint folder as it stands: safetensors files
// beside its config.json, mapped and not read. Nothing is converted beforehand; pickles are
// refused.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/checkpoint/safetensors.h"

namespace glyphward::model {

struct StoredTensor {
  SafetensorsEntry entry;
  std::shared_ptr<const MappedFile> file;
};

// All tensors of a component: one file, or the shards that an index names. Mapped, not read.
class Weights {
 public:
  // `stem` is "model" (transformers) or "diffusion_pytorch_model". Takes
  // STEM.safetensors.index.json, else STEM.safetensors, else the fp16 variant of either. Throws
  // ConfigError; the reason is given where only pickles are.
  static Weights open(const std::filesystem::path& folder, const std::string& stem);

  // Whether open() has a file to begin with.
  static bool exist(const std::filesystem::path& folder, const std::string& stem);

  const std::filesystem::path& file() const { return file_; }  // the file, or the index
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }

 private:
  std::filesystem::path file_;
  std::map<std::string, StoredTensor> tensors_;
};

// SHA-256, in hexadecimal, over the tensors under the given layers' paths in order of name: name,
// dtype, shape and bytes as stored. It says whether a guard profile belongs to these very weights.
// Throws std::invalid_argument if a layer has no tensors.
std::string layers_sha256(const Weights& weights, const std::vector<std::string>& layers);
// The same of a checkpoint's denoiser (its unet/ or transformer/): what `glyphward localize` writes
// to glyphward.json. Throws ConfigError.
std::string layers_sha256(const std::filesystem::path& checkpoint,
                          const std::vector<std::string>& layers);

}  // namespace glyphward::model
