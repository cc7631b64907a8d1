#include "model/families/pipeline_parts.h"

#include <algorithm>

#include "base/config_error.h"
#include "model/networks/device.h"
#include "model/profile.h"
#include "model/proposals.h"

namespace glyphward::model {

namespace fs = std::filesystem;

namespace {

constexpr int kStepsMax = 1000;
constexpr int kSizeMax = 2048;  // pixels a side
constexpr std::size_t kImagesMax = 32;

}  // namespace

Error invalid_request(std::string message, std::string param) {
  return Error{ErrorCode::InvalidRequest, std::move(message), std::move(param)};
}

// ---- Opening -----------------------------------------------------------------------------------

Target open_target(const fs::path& checkpoint, const LoadOptions& options) {
  try {
    return {open_device(options.device), parse_dtype(options.dtype)};
  } catch (const std::exception& error) {
    throw ConfigError(checkpoint, 0, "", error.what());
  }
}

void check_classes(const fs::path& file,
                   const std::map<std::string, std::set<std::string>>& classes) {
  const boost::json::object index = load_json_object(file);
  for (const auto& [component, names] : classes) {
    const boost::json::value* value = index.if_contains(component);
    const bool named = value && value->is_array() && value->get_array().size() == 2 &&
                       value->get_array()[1].is_string();
    const std::string found = named ? std::string(value->get_array()[1].get_string()) : "none";
    if (!names.contains(found)) {
      throw ConfigError(file, 0, component, "expected " + *names.begin() + ", found " + found);
    }
  }
}

void expect_equal(const fs::path& file, const char* key, int expected, int found) {
  if (expected == found) return;
  throw ConfigError(file, 0, key,
                    "expected " + std::to_string(expected) +
                        ", as the other components have, found " + std::to_string(found));
}

void describe_model(const fs::path& checkpoint, const LoadOptions& options,
                    std::vector<std::string> attention_layers, const Weights& denoiser,
                    ModelInfo& info) {
  const fs::path folder = fs::absolute(checkpoint).lexically_normal();
  // A path that ends in a slash has an empty filename.
  info.name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  info.attention_layers = std::move(attention_layers);
  info.weights_sha256 = layers_sha256(denoiser, info.attention_layers);
  info.proposed_layers =
      propose_layers(info.family, info.attention_layers, [&denoiser](const std::string& name) {
        const auto found = denoiser.tensors().find(name);
        return found == denoiser.tensors().end() ? std::vector<std::int64_t>{}
                                                 : found->second.entry.shape;
      });
  info.device = options.device;
  info.dtype = options.dtype;
}

void apply_profile(const fs::path& checkpoint, const Weights& denoiser, ModelInfo& info) {
  const Profile profile = load_profile(checkpoint);
  info.num_inference_steps = profile.num_inference_steps.value_or(info.num_inference_steps);
  info.guidance_scale = profile.guidance_scale.value_or(info.guidance_scale);
  info.height = profile.height.value_or(info.height);
  info.width = profile.width.value_or(info.width);
  info.profile_state = "none";
  if (!profile.localization) return;
  const std::vector<std::string>& layers = profile.localization->layers;
  for (const std::string& layer : layers) {
    if (std::find(info.attention_layers.begin(), info.attention_layers.end(), layer) ==
        info.attention_layers.end()) {
      info.profile_state = "mismatch: glyphward.json names " + layer + ", which the model has not";
      return;
    }
  }
  if (layers.empty()) return;
  const std::string found = layers_sha256(denoiser, layers);
  if (found != profile.localization->sha256) {
    info.profile_state = "mismatch: glyphward.json expects localized layers of SHA-256 " +
                         profile.localization->sha256 + ", found " + found;
    return;
  }
  info.localized_layers = layers;
  info.localized_from_share = profile.localization->from_share;
  info.profile_state = "localized";
}

// ---- One request -------------------------------------------------------------------------------

Result<Settings> read_settings(const GenerationRequest& request, const ModelInfo& info) {
  Settings settings;
  settings.steps = request.settings.num_inference_steps.value_or(info.num_inference_steps);
  settings.guidance_scale = request.settings.guidance_scale.value_or(info.guidance_scale);
  settings.height = request.settings.height.value_or(info.height);
  settings.width = request.settings.width.value_or(info.width);
  if (settings.steps < 1 || settings.steps > kStepsMax) {
    return invalid_request(
        "expected 1 to " + std::to_string(kStepsMax) + ", found " + std::to_string(settings.steps),
        "num_inference_steps");
  }
  // Below 1 the guidance would draw the negative prompt. Written so that NaN is refused.
  if (!(settings.guidance_scale >= 1 && settings.guidance_scale <= 100)) {
    return invalid_request("expected 1 to 100, found " + std::to_string(settings.guidance_scale),
                           "guidance_scale");
  }
  for (const auto& [size, param] :
       {std::pair{settings.height, "height"}, std::pair{settings.width, "width"}}) {
    if (size < info.size_multiple || size > kSizeMax || size % info.size_multiple != 0) {
      return invalid_request("expected a multiple of " + std::to_string(info.size_multiple) +
                                 " up to " + std::to_string(kSizeMax) + ", found " +
                                 std::to_string(size),
                             param);
    }
  }
  if (request.seeds.empty() || request.seeds.size() > kImagesMax) {
    return invalid_request("expected 1 to " + std::to_string(kImagesMax) + " images, found " +
                               std::to_string(request.seeds.size()),
                           "seeds");
  }
  return settings;
}

SchedulerSource::SchedulerSource(const fs::path& checkpoint, SchedulerCorrections corrections)
    : file_(checkpoint / "scheduler" / "scheduler_config.json"),
      config_(load_json_object(file_)),
      corrections_(corrections) {
  Scheduler::create(config_, file_, "", corrections_);  // for its errors
}

Result<std::unique_ptr<Scheduler>> SchedulerSource::make(const GenerationRequest& request,
                                                         int steps) const {
  try {
    std::unique_ptr<Scheduler> scheduler =
        Scheduler::create(config_, file_, request.settings.scheduler, corrections_);
    scheduler->set_timesteps(steps);
    return scheduler;
  } catch (const ConfigError& error) {
    // The checkpoint's own scheduler was made while loading: the request's choice is at fault.
    return invalid_request(
        error.what(), request.settings.scheduler.empty() ? "num_inference_steps" : "scheduler");
  }
}

torch::Tensor draw_noise(const std::vector<std::uint64_t>& seeds,
                         const std::vector<std::int64_t>& shape, torch::Dtype dtype) {
  std::vector<torch::Tensor> noise;
  for (const std::uint64_t seed : seeds) {
    noise.push_back(at::randn(shape, at::detail::createCPUGenerator(seed), torch::dtype(dtype)));
  }
  return at::stack(noise);
}

torch::Tensor guidance_batch(const torch::Tensor& uncond, const torch::Tensor& cond,
                             std::size_t images) {
  const auto repeat = [images](const torch::Tensor& one) {
    std::vector<std::int64_t> shape = one.sizes().vec();
    shape[0] = static_cast<std::int64_t>(images);
    return one.expand(shape);
  };
  return uncond.defined() ? at::cat({repeat(uncond), repeat(cond)}) : repeat(cond);
}

FloatTensor to_float_tensor(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kCPU, torch::kFloat32).contiguous();
  const float* data = flat.const_data_ptr<float>();
  return {flat.sizes().vec(), std::vector<float>(data, data + flat.numel())};
}

std::vector<Image> to_images(const torch::Tensor& image) {
  const torch::Tensor bytes = (image.to(torch::kCPU, torch::kFloat32) * 255)
                                  .round()
                                  .to(torch::kUInt8)
                                  .permute({0, 2, 3, 1})
                                  .contiguous();
  std::vector<Image> images;
  for (const torch::Tensor& one : bytes.unbind(0)) {
    const std::uint8_t* data = one.const_data_ptr<std::uint8_t>();
    images.push_back({static_cast<int>(one.size(1)), static_cast<int>(one.size(0)),
                      std::vector<std::uint8_t>(data, data + one.numel())});
  }
  return images;
}

}  // namespace glyphward::model
