// What the pipelines of all families share: a request's settings, noise, pictures, and opening a
// checkpoint. Internal to model/.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/checkpoint/weights.h"
#include "model/networks/module_weights.h"
#include "model/pipeline.h"
#include "model/schedulers/scheduler.h"

namespace glyphward::model {

Error invalid_request(std::string message, std::string param);

// ---- Opening -----------------------------------------------------------------------------------

struct Target {
  torch::Device device = torch::kCPU;
  torch::Dtype dtype = torch::kFloat32;
};
// Throws ConfigError on a device that is not there or an unknown dtype.
Target open_target(const std::filesystem::path& checkpoint, const LoadOptions& options);

// model_index.json names each component's library and class. Throws ConfigError unless each listed
// component has one of its classes.
void check_classes(const std::filesystem::path& index,
                   const std::map<std::string, std::set<std::string>>& classes);

// Throws ConfigError unless `found`, which `file` says under `key`, is what the other components
// have.
void expect_equal(const std::filesystem::path& file, const char* key, int expected, int found);

// Builds one component from its config.json and tensors. Throws ConfigError.
template <typename Module>
std::unique_ptr<const Module> load_module(const std::filesystem::path& folder, Weights weights,
                                          const Target& target) {
  ComponentConfig config(folder / "config.json");
  ModuleWeights module_weights(std::move(weights), target.device, target.dtype);
  auto module = std::make_unique<Module>(config, module_weights);
  module_weights.finish();
  return module;
}

// A component that can leave the device between two uses. Its file stays mapped.
template <typename Module>
class OnDemand {
 public:
  // Opens it once, for its errors. Throws ConfigError.
  OnDemand(std::filesystem::path folder, Weights weights, const Target& target)
      : folder_(std::move(folder)), weights_(std::move(weights)), target_(target) {
    module_ = load_module<Module>(folder_, weights_, target_);
  }
  const Module& operator*() const {
    if (!module_) module_ = load_module<Module>(folder_, weights_, target_);
    return *module_;
  }
  const Module* operator->() const { return &**this; }
  void leave_device() const { module_.reset(); }

 private:
  std::filesystem::path folder_;
  Weights weights_;
  Target target_;
  mutable std::unique_ptr<const Module> module_;  // null: it left
};

// The info's name, device, dtype, attention layers, their hash, and the layers proposed to its
// family.
void describe_model(const std::filesystem::path& checkpoint, const LoadOptions& options,
                    std::vector<std::string> attention_layers, const Weights& denoiser,
                    ModelInfo& info);
// glyphward.json beside the checkpoint over the family's defaults in `info`. Throws ConfigError.
void apply_profile(const std::filesystem::path& checkpoint, const Weights& denoiser,
                   ModelInfo& info);

// ---- One request -------------------------------------------------------------------------------

// What a request asks for, with the defaults filled in.
struct Settings {
  int steps = 0;
  double guidance_scale = 0;
  int height = 0;
  int width = 0;
  bool guided() const { return guidance_scale > 1; }
};
// InvalidRequest naming the field.
Result<Settings> read_settings(const GenerationRequest& request, const ModelInfo& info);

// The checkpoint's scheduler, made anew for each request.
class SchedulerSource {
 public:
  // Throws ConfigError on a scheduler that is not implemented.
  SchedulerSource(const std::filesystem::path& checkpoint, SchedulerCorrections corrections);
  // Ready for its first step. InvalidRequest if the class that the request names, or the number of
  // steps, cannot be.
  Result<std::unique_ptr<Scheduler>> make(const GenerationRequest& request, int steps) const;

 private:
  std::filesystem::path file_;
  boost::json::object config_;
  SchedulerCorrections corrections_;
};

// Image i comes from its own generator on the CPU, in the dtype of the prompt's embedding. `shape`
// is one image's, less the batch: [C, H, W] -> [B, C, H, W] on the CPU.
torch::Tensor draw_noise(const std::vector<std::uint64_t>& seeds,
                         const std::vector<std::int64_t>& shape, torch::Dtype dtype);

// One text's tensors, [1, ...] each -> [uncond x images, cond x images]; cond alone where `uncond`
// is undefined.
torch::Tensor guidance_batch(const torch::Tensor& uncond, const torch::Tensor& cond,
                             std::size_t images);

FloatTensor to_float_tensor(const torch::Tensor& tensor);
// image [B, 3, H, W], 0 to 1. Rounds half to even, as numpy does.
std::vector<Image> to_images(const torch::Tensor& image);

}  // namespace glyphward::model
