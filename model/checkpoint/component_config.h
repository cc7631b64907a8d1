// A diffusers checkpoint folder as it stands: model_index.json, a sub-folder a component with its
// config.json and its weights in safetensors. Nothing is converted beforehand; pickles are refused.
// Free of LibTorch.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/safetensors.h"

namespace glyphward::model {

// Reads a file that must be one JSON object of at most 16 MiB; Python's NaN and infinities read as
// null. Throws ConfigError.
boost::json::object load_json_object(const std::filesystem::path& file);

// A component's config.json. Every getter throws ConfigError naming file, key, expected and found;
// done() throws on a key that nothing asked for, since an option that we do not know may change the
// network.
class ComponentConfig {
 public:
  explicit ComponentConfig(const std::filesystem::path& file)
      : file_(file), values_(load_json_object(file)) {}

  const std::filesystem::path& file() const { return file_; }
  bool is_null(std::string_view key) const;   // absent or null
  bool is_given(std::string_view key) const;  // even as null

  int integer(std::string_view key, int min, int max);
  int integer(std::string_view key, int min, int max, int otherwise);  // if absent
  double number(std::string_view key, double otherwise);
  bool boolean(std::string_view key, bool otherwise);
  std::string string(std::string_view key, std::string_view otherwise);
  std::vector<std::string> strings(std::string_view key);
  std::vector<int> integers(std::string_view key, int min, int max);
  // A list of up to 256, empty if absent.
  std::vector<int> integer_list(std::string_view key, int min, int max);
  // diffusers lets many options be one number for all blocks or a list with one for each.
  std::vector<int> integers(std::string_view key, int min, int max, std::size_t count,
                            int otherwise);
  // One list a block, with one number a layer: such a list of lists, or a number or a list of
  // numbers that hold for all layers of a block. `counts` are the blocks' layers.
  std::vector<std::vector<int>> integers_by_layer(std::string_view key, int min, int max,
                                                  const std::vector<int>& counts, int otherwise);
  // The option may be absent, or have one of these values (as JSON); anything else is not
  // implemented.
  void expect(std::string_view key, std::initializer_list<std::string_view> values);
  // Options without effect on what we compute.
  void ignore(std::initializer_list<std::string_view> keys);
  void done() const;

  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

 private:
  const boost::json::value* find(std::string_view key);
  int to_integer(std::string_view key, const boost::json::value& value, int min, int max) const;
  std::filesystem::path file_;
  boost::json::object values_;
  std::set<std::string, std::less<>> asked_;
};

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
