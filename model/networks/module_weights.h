// Strict loading. A module takes its tensors by name as it is built, so that its members are its
// checkpoint's keys; what is missing, has another shape, or is left over at the end is an error.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/checkpoint/weights.h"
#include "model/networks/device.h"

namespace glyphward::model {

// The tensors of one component while it is built. Not thread-safe. The tensors keep their file
// mapped where nothing had to be converted; this object need not live on.
class ModuleWeights {
 public:
  ModuleWeights(Weights weights, torch::Device device, torch::Dtype dtype)
      : weights_(std::move(weights)), device_(device), dtype_(dtype) {}

  // Without a file, for what a config alone can tell: every tensor that a module asks for is there,
  // in its shape, on LibTorch's device `meta`, which holds no bytes. `config` is named in the error
  // if there are more than any network has.
  static ModuleWeights of_config_alone(const std::filesystem::path& config);

  bool has(const std::string& key) const { return weights_.tensors().contains(key); }
  bool has_prefix(const std::string& prefix) const;
  // Throws ConfigError naming file, key, expected and found. The tensor is on the device, in the
  // dtype; it shares the mapped bytes where device and dtype are those of the file: never write to
  // it.
  torch::Tensor take(const std::string& key, const std::vector<std::int64_t>& shape);
  // The same, but in float32 where the others are in float16.
  torch::Tensor take_half_as_float(const std::string& key, const std::vector<std::int64_t>& shape);
  // The same checks, but nothing is converted or moved.
  void check(const std::string& key, const std::vector<std::int64_t>& shape);
  // A buffer that older files hold and that is computed here: any dtype.
  void skip(const std::string& key) { skipped_.insert(key); }
  const std::vector<std::int64_t>& shape(const std::string& key) const {
    return weights_.tensors().at(key).entry.shape;
  }
  // Throws ConfigError on a tensor that no module took.
  void finish() const;
  // What was asked for so far: the component's parameters.
  const std::map<std::string, std::vector<std::int64_t>>& taken() const { return taken_; }

 private:
  const StoredTensor& find(const std::string& key, const std::vector<std::int64_t>& shape);
  Weights weights_;
  torch::Device device_;
  torch::Dtype dtype_;
  void count(const std::string& key, const std::vector<std::int64_t>& shape);

  std::filesystem::path config_;  // instead of a file with weights
  std::map<std::string, std::vector<std::int64_t>> taken_;
  std::set<std::string> skipped_;
};

// A place in the tree of modules: `scope / "down_blocks" / 0` is where down_blocks.0's members are.
class Scope {
 public:
  explicit Scope(ModuleWeights& weights) : weights_(&weights) {}
  Scope operator/(std::string_view child) const;
  Scope operator/(std::size_t index) const { return *this / std::to_string(index); }

  const std::string& path() const { return path_; }
  bool has(std::string_view name) const { return weights_->has(key(name)); }
  torch::Tensor take(std::string_view name, const std::vector<std::int64_t>& shape) const;
  const std::vector<std::int64_t>& shape(std::string_view name) const {
    return weights_->shape(key(name));
  }

  // Modules built under such a scope account for their keys and check their shapes, but hold
  // undefined tensors: for the half of an autoencoder that generation does not run.
  Scope checked_only() const;
  // Modules built under such a scope stay in float32 where the others are in float16.
  Scope half_as_float() const;

 private:
  std::string key(std::string_view name) const;
  ModuleWeights* weights_;
  std::string path_;
  bool checked_only_ = false;
  bool half_as_float_ = false;
};

// Builds one component from its config.json and its tensors. Throws ConfigError.
template <typename Module>
std::unique_ptr<const Module> load_module(const std::filesystem::path& folder, Weights weights,
                                          const Target& target) {
  ComponentConfig config(folder / "config.json");
  ModuleWeights module_weights(std::move(weights), target.device, target.dtype);
  auto module = std::make_unique<Module>(config, module_weights);
  module_weights.finish();
  return module;
}

}  // namespace glyphward::model
