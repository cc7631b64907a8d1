#include "model/checkpoint/weights.h"

#include <boost/json/value.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/config_error.h"
#include "base/sha256.h"
#include "model/checkpoint/json.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A link that leads to itself is no file, rather than an exception.
bool is_there(const fs::path& path) {
  std::error_code ec;
  return fs::exists(path, ec);
}

struct WeightsFile {
  fs::path path;
  bool is_index;
};

std::optional<WeightsFile> find_weights(const fs::path& folder, const std::string& stem) {
  for (const auto& [name, is_index] :
       {std::pair{stem + ".safetensors.index.json", true}, std::pair{stem + ".safetensors", false},
        std::pair{stem + ".safetensors.index.fp16.json", true},
        std::pair{stem + ".fp16.safetensors", false}}) {
    if (is_there(folder / name)) return WeightsFile{folder / name, is_index};
  }
  return std::nullopt;
}

void add_file(const fs::path& path, std::map<std::string, StoredTensor>& tensors) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  for (auto& [key, entry] : parse_safetensors(file->bytes(), path)) {
    const auto [it, added] = tensors.try_emplace(key, StoredTensor{entry, file});
    if (!added) {
      throw ConfigError(path, 0, key,
                        "expected in one shard, found also in " + it->second.file->path().string());
    }
  }
}

// {"metadata": ..., "weight_map": {"key": "shard.safetensors"}}
void add_shards(const fs::path& index, std::map<std::string, StoredTensor>& tensors) {
  const json::object root = load_json_object(index);
  const json::value* map = root.if_contains("weight_map");
  if (!map || !map->is_object()) throw ConfigError(index, 0, "weight_map", "expected an object");
  std::map<std::string, std::string> shard_of;
  std::set<std::string> shards;
  for (const auto& [key, value] : map->get_object()) {
    if (!value.is_string())
      throw ConfigError(index, 0, std::string(key), "expected a file name, found " + quote(value));
    const std::string shard(value.get_string());
    // A shard lies beside its index: a path could name any file of the machine.
    if (shard.empty() || fs::path(shard).filename() != shard || !shard.ends_with(".safetensors")) {
      throw ConfigError(
          index, 0, std::string(key),
          "expected the name of a .safetensors file in the same folder, found " + quote(value));
    }
    shard_of.emplace(key, shard);
    shards.insert(shard);
  }
  for (const std::string& shard : shards) {
    if (!is_there(index.parent_path() / shard)) {
      throw ConfigError(index, 0, "weight_map",
                        "expected the shard " + shard + ", found no such file");
    }
    add_file(index.parent_path() / shard, tensors);
  }
  for (const auto& [key, shard] : shard_of) {
    const auto found = tensors.find(key);
    if (found == tensors.end() || found->second.file->path().filename() != shard) {
      throw ConfigError(index.parent_path() / shard, 0, key,
                        "expected, as the index says, found no such tensor");
    }
  }
  for (const auto& [key, tensor] : tensors) {
    if (!shard_of.contains(key)) {
      throw ConfigError(tensor.file->path(), 0, key, "found, but the index does not name it");
    }
  }
}

[[noreturn]] void refuse_missing(const fs::path& folder, const std::string& stem) {
  std::error_code ec;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ec)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".bin" || extension == ".ckpt" || extension == ".pt" || extension == ".pth") {
      throw ConfigError(
          entry.path(), 0, "",
          "expected " + stem +
              ".safetensors, found only a pickle: a pickle runs code when it is "
              "read, so it is refused; save the model again with safe_serialization=True");
    }
  }
  throw ConfigError(folder, 0, "", "expected " + stem + ".safetensors, found no such file");
}

}  // namespace

bool Weights::exist(const fs::path& folder, const std::string& stem) {
  return find_weights(folder, stem).has_value();
}

Weights Weights::open(const fs::path& folder, const std::string& stem) {
  const std::optional<WeightsFile> file = find_weights(folder, stem);
  if (!file) refuse_missing(folder, stem);
  Weights weights;
  weights.file_ = file->path;
  if (file->is_index) {
    add_shards(file->path, weights.tensors_);
  } else {
    add_file(file->path, weights.tensors_);
  }
  return weights;
}

std::string layers_sha256(const Weights& weights, const std::vector<std::string>& layers) {
  std::map<std::string, const StoredTensor*> chosen;
  for (const std::string& layer : layers) {
    const std::string prefix = layer + ".";
    auto it = weights.tensors().lower_bound(prefix);
    if (it == weights.tensors().end() || !it->first.starts_with(prefix)) {
      throw std::invalid_argument(layer + ": no tensors under this name");
    }
    for (; it != weights.tensors().end() && it->first.starts_with(prefix); ++it) {
      chosen.emplace(it->first, &it->second);
    }
  }
  Sha256 hasher;
  for (const auto& [name, tensor] : chosen) {
    hasher.update(name + "\n" + describe(tensor->entry) + "\n");
    hasher.update(
        {reinterpret_cast<const char*>(tensor->entry.bytes.data()), tensor->entry.bytes.size()});
  }
  return to_hex(hasher.finish());
}

std::string layers_sha256(const fs::path& checkpoint, const std::vector<std::string>& layers) {
  const char* denoiser = fs::exists(checkpoint / "transformer") ? "transformer" : "unet";
  return layers_sha256(Weights::open(checkpoint / denoiser, "diffusion_pytorch_model"), layers);
}

}  // namespace glyphward::model
