#include "model/checkpoint/component_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "base/config_error.h"
#include "base/file.h"
#include "base/sha256.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::uintmax_t kJsonBytesMax = 16U << 20;

// A link that leads to itself is no file, rather than an exception.
bool is_there(const fs::path& path) {
  std::error_code ec;
  return fs::exists(path, ec);
}

// For messages: a value as JSON, cut where it is long.
std::string quote(const json::value& value) {
  std::string text = json::serialize(value);
  if (text.size() > 80) text = text.substr(0, 80) + "...";
  return text;
}

// Python writes NaN and infinities (DPMSolverMultistepScheduler's lambda_min_clipped), which JSON
// has not: each becomes null, which leaves the option to its default. By hand, since std::regex
// overflows the stack on long texts.
std::string without_python_numbers(std::string_view text) {
  std::string result;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    std::string_view number;
    for (const std::string_view candidate : {"-Infinity", "Infinity", "NaN"}) {
      if (!in_string && rest.starts_with(candidate)) number = candidate;
    }
    // An escape's second character may be a quotation mark that does not end the string.
    const std::size_t used = !number.empty() ? number.size() : in_string && rest[0] == '\\' ? 2 : 1;
    if (rest[0] == '"') in_string = !in_string;
    result += number.empty() ? rest.substr(0, used) : "null";
    i += used;
  }
  return result;
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

json::object load_json_object(const fs::path& file) {
  std::error_code ec;
  json::value value = json::parse(without_python_numbers(read_file(file, kJsonBytesMax)), ec);
  if (ec) throw ConfigError(file, 0, "", "expected JSON, found: " + ec.message());
  if (!value.is_object())
    throw ConfigError(file, 0, "", "expected a JSON object, found " + quote(value));
  return std::move(value.get_object());
}

void ComponentConfig::fail(std::string_view key, const std::string& message) const {
  throw ConfigError(file_, 0, std::string(key), message);
}

const json::value* ComponentConfig::find(std::string_view key) {
  asked_.emplace(key);
  return values_.if_contains(key);
}

bool ComponentConfig::is_null(std::string_view key) const {
  const json::value* value = values_.if_contains(key);
  return !value || value->is_null();
}

bool ComponentConfig::is_given(std::string_view key) const { return values_.contains(key); }

int ComponentConfig::to_integer(std::string_view key, const json::value& value, int min,
                                int max) const {
  // Python writes whole numbers as 1 or 1.0.
  json::error_code ec;
  const auto number = value.to_number<std::int64_t>(ec);
  if (ec || number < min || number > max) {
    fail(key,
         fmt::format("expected a whole number from {} to {}, found {}", min, max, quote(value)));
  }
  return static_cast<int>(number);
}

int ComponentConfig::integer(std::string_view key, int min, int max) {
  const json::value* value = find(key);
  if (!value)
    fail(key, fmt::format("expected a whole number from {} to {}, found no such key", min, max));
  return to_integer(key, *value, min, max);
}

int ComponentConfig::integer(std::string_view key, int min, int max, int otherwise) {
  const json::value* value = find(key);
  return value ? to_integer(key, *value, min, max) : otherwise;
}

double ComponentConfig::number(std::string_view key, double otherwise) {
  const json::value* value = find(key);
  if (!value) return otherwise;
  json::error_code ec;
  const double number = value->to_number<double>(ec);
  if (ec) fail(key, "expected a number, found " + quote(*value));
  return number;
}

bool ComponentConfig::boolean(std::string_view key, bool otherwise) {
  const json::value* value = find(key);
  if (!value) return otherwise;
  if (!value->is_bool()) fail(key, "expected true or false, found " + quote(*value));
  return value->get_bool();
}

std::string ComponentConfig::string(std::string_view key, std::string_view otherwise) {
  const json::value* value = find(key);
  if (!value) return std::string(otherwise);
  if (!value->is_string()) fail(key, "expected a string, found " + quote(*value));
  return std::string(value->get_string());
}

std::vector<std::string> ComponentConfig::strings(std::string_view key) {
  const json::value* value = find(key);
  if (!value) fail(key, "expected a list of strings, found no such key");
  if (!value->is_array() || value->get_array().empty() || value->get_array().size() > 16) {
    fail(key, "expected a list of 1 to 16 strings, found " + quote(*value));
  }
  std::vector<std::string> result;
  for (const json::value& element : value->get_array()) {
    if (!element.is_string()) fail(key, "expected a list of strings, found " + quote(*value));
    result.emplace_back(element.get_string());
  }
  return result;
}

std::vector<int> ComponentConfig::integers(std::string_view key, int min, int max) {
  const json::value* value = find(key);
  if (!value) fail(key, "expected a list of whole numbers, found no such key");
  if (!value->is_array() || value->get_array().empty() || value->get_array().size() > 16) {
    fail(key, "expected a list of 1 to 16 whole numbers, found " + quote(*value));
  }
  std::vector<int> result;
  for (const json::value& element : value->get_array()) {
    result.push_back(to_integer(key, element, min, max));
  }
  return result;
}

std::vector<int> ComponentConfig::integers(std::string_view key, int min, int max,
                                           std::size_t count, int otherwise) {
  const json::value* value = find(key);
  if (!value) return std::vector<int>(count, otherwise);
  if (!value->is_array()) return std::vector<int>(count, to_integer(key, *value, min, max));
  std::vector<int> result = integers(key, min, max);
  if (result.size() != count) {
    fail(key, fmt::format("expected {} numbers, one a block, found {}", count, quote(*value)));
  }
  return result;
}

std::vector<std::vector<int>> ComponentConfig::integers_by_layer(std::string_view key, int min,
                                                                 int max,
                                                                 const std::vector<int>& counts,
                                                                 int otherwise) {
  const json::value* value = find(key);
  const auto wrong = [&](const std::string& expected) {
    fail(key, "expected " + expected + ", found " + (value ? quote(*value) : "no such key"));
  };
  if (value && value->is_array() && value->get_array().size() != counts.size()) {
    wrong(fmt::format("{} entries, one a block", counts.size()));
  }
  std::vector<std::vector<int>> result;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const json::value* block = value && value->is_array() ? &value->get_array()[i] : value;
    if (block && block->is_array()) {
      std::vector<int>& layers = result.emplace_back();
      for (const json::value& layer : block->get_array()) {
        layers.push_back(to_integer(key, layer, min, max));
      }
      if (layers.size() != static_cast<std::size_t>(counts[i])) {
        wrong(fmt::format("{} numbers in entry {}, one a layer", counts[i], i));
      }
    } else {
      result.emplace_back(counts[i], block ? to_integer(key, *block, min, max) : otherwise);
    }
  }
  return result;
}

std::vector<int> ComponentConfig::integer_list(std::string_view key, int min, int max) {
  const json::value* value = find(key);
  if (!value) return {};
  if (!value->is_array() || value->get_array().size() > 256) {
    fail(key, "expected a list of up to 256 whole numbers, found " + quote(*value));
  }
  std::vector<int> result;
  for (const json::value& element : value->get_array()) {
    result.push_back(to_integer(key, element, min, max));
  }
  return result;
}

void ComponentConfig::expect(std::string_view key, std::initializer_list<std::string_view> values) {
  const json::value* value = find(key);
  if (!value) return;
  // 1 and 1.0 are the same option.
  const std::string found =
      value->is_double() && value->get_double() == 1.0 ? "1" : json::serialize(*value);
  if (std::find(values.begin(), values.end(), found) != values.end()) return;
  std::string expected;
  for (const std::string_view v : values)
    expected += (expected.empty() ? "" : " or ") + std::string(v);
  fail(key, "expected " + expected + " (other values are not implemented), found " + quote(*value));
}

void ComponentConfig::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) asked_.emplace(key);
}

void ComponentConfig::done() const {
  for (const auto& [key, value] : values_) {
    // _class_name, _diffusers_version, _name_or_path: notes of the library, not options.
    if (key.starts_with('_') || value.is_null() || asked_.contains(std::string_view(key))) continue;
    fail(key, "expected no such option (it is not implemented), found " + quote(value));
  }
}

namespace {

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
