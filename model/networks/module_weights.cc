#include "model/networks/module_weights.h"

#include <cstring>
#include <utility>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

torch::Dtype torch_dtype(const std::string& dtype) {
  return dtype == "F16" ? torch::kFloat16 : dtype == "BF16" ? torch::kBFloat16 : torch::kFloat32;
}

// MKL's sums for small products depend on where the operands lie, by some units in the last place.
// Python's tensors lie on 64 bytes; safetensors' need not, so small ones are copied to such a place
// and give diffusers' numbers bit for bit. Large ones stay in the file: they are most of a
// checkpoint's bytes.
constexpr std::uintptr_t kAlignment = 64;
constexpr std::size_t kCopyBytesMax = 4U << 20;
constexpr std::size_t kTensorsMax = 20000;

// Shares the mapped bytes where it can; the deleter's copy of the pointer keeps the file mapped.
torch::Tensor map_tensor(const StoredTensor& stored) {
  const torch::TensorOptions options = torch::dtype(torch_dtype(stored.entry.dtype));
  const std::size_t size = stored.entry.bytes.size();
  void* data = const_cast<std::byte*>(stored.entry.bytes.data());
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  // A header of odd length puts the data where no float may lie.
  const bool readable = address % options.dtype().itemsize() == 0;
  if (readable && (address % kAlignment == 0 || size > kCopyBytesMax)) {
    return torch::from_blob(
        data, stored.entry.shape, [file = stored.file](void*) {}, options);
  }
  torch::Tensor copy = torch::empty(stored.entry.shape, options);
  std::memcpy(copy.data_ptr(), data, size);
  return copy;
}

}  // namespace

ModuleWeights ModuleWeights::of_config_alone(const std::filesystem::path& config) {
  ModuleWeights weights({}, torch::kMeta, torch::kFloat32);
  weights.config_ = config;
  return weights;
}

// SDXL's UNet has 1680 tensors, the largest T5 some 560: a config must not make us build without
// end.
void ModuleWeights::count(const std::string& key, const std::vector<std::int64_t>& shape) {
  if (taken_.size() >= kTensorsMax) {
    throw ConfigError(
        config_, 0, "",
        "expected a network of at most " + std::to_string(kTensorsMax) + " tensors, found more");
  }
  taken_.emplace(key, shape);
}

bool ModuleWeights::has_prefix(const std::string& prefix) const {
  const auto it = weights_.tensors().lower_bound(prefix);
  return it != weights_.tensors().end() && it->first.starts_with(prefix);
}

const StoredTensor& ModuleWeights::find(const std::string& key,
                                        const std::vector<std::int64_t>& shape) {
  const auto found = weights_.tensors().find(key);
  if (found == weights_.tensors().end()) {
    throw ConfigError(weights_.file(), 0, key,
                      "expected " + describe(shape) + ", found no such tensor");
  }
  const StoredTensor& stored = found->second;
  const std::string& dtype = stored.entry.dtype;
  if (stored.entry.shape != shape || (dtype != "F32" && dtype != "F16" && dtype != "BF16")) {
    throw ConfigError(
        stored.file->path(), 0, key,
        "expected F32, F16 or BF16 " + describe(shape) + ", found " + describe(stored.entry));
  }
  taken_.emplace(key, shape);
  return stored;
}

torch::Tensor ModuleWeights::take(const std::string& key, const std::vector<std::int64_t>& shape) {
  if (config_.empty()) return map_tensor(find(key, shape)).to(device_, dtype_);
  count(key, shape);
  return torch::empty(shape, torch::dtype(dtype_).device(device_));
}

torch::Tensor ModuleWeights::take_half_as_float(const std::string& key,
                                                const std::vector<std::int64_t>& shape) {
  const torch::Dtype dtype =
      std::exchange(dtype_, dtype_ == torch::kFloat16 ? torch::Dtype(torch::kFloat32) : dtype_);
  torch::Tensor tensor = take(key, shape);
  dtype_ = dtype;
  return tensor;
}

void ModuleWeights::check(const std::string& key, const std::vector<std::int64_t>& shape) {
  if (config_.empty()) {
    find(key, shape);
  } else {
    count(key, shape);
  }
}

void ModuleWeights::finish() const {
  for (const auto& [key, stored] : weights_.tensors()) {
    if (!taken_.contains(key) && !skipped_.contains(key)) {
      throw ConfigError(stored.file->path(), 0, key,
                        "expected no such tensor by config.json, found " + describe(stored.entry));
    }
  }
}

Scope Scope::operator/(std::string_view child) const {
  Scope scope = *this;
  scope.path_ = key(child);
  return scope;
}

torch::Tensor Scope::take(std::string_view name, const std::vector<std::int64_t>& shape) const {
  if (half_as_float_) return weights_->take_half_as_float(key(name), shape);
  if (!checked_only_) return weights_->take(key(name), shape);
  weights_->check(key(name), shape);
  return {};
}

Scope Scope::checked_only() const {
  Scope scope = *this;
  scope.checked_only_ = true;
  return scope;
}

Scope Scope::half_as_float() const {
  Scope scope = *this;
  scope.half_as_float_ = true;
  return scope;
}

std::string Scope::key(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

}  // namespace glyphward::model
