#include "model/families/pipeline_parts.h"

#include <utility>

#include "base/config_error.h"
#include "model/checkpoint/json.h"

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

Error cancelled() { return Error{ErrorCode::Cancelled, "the generation was cancelled", ""}; }

// ---- Settings, scheduler, noise ----------------------------------------------------------------

Result<ResolvedSettings> resolve_settings(const GenerationRequest& request, const ModelInfo& info) {
  ResolvedSettings settings;
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
                         const std::vector<std::int64_t>& shape, const Target& target) {
  std::vector<torch::Tensor> noise;
  noise.reserve(seeds.size());
  for (const std::uint64_t seed : seeds) {
    noise.push_back(
        at::randn(shape, at::detail::createCPUGenerator(seed), torch::dtype(target.dtype)));
  }
  return at::stack(noise).to(target.device);
}

// ---- Texts -------------------------------------------------------------------------------------

torch::Tensor guidance_batch(const torch::Tensor& uncond, const torch::Tensor& cond,
                             std::size_t images) {
  const auto repeat = [images](const torch::Tensor& one) {
    std::vector<std::int64_t> shape = one.sizes().vec();
    shape[0] = static_cast<std::int64_t>(images);
    return one.expand(shape);
  };
  return uncond.defined() ? at::cat({repeat(uncond), repeat(cond)}) : repeat(cond);
}

KeyValueCache::KeyValueCache(std::size_t layers, std::size_t images, bool guided, Make make)
    : layers_(layers), images_(images), guided_(guided), make_(std::move(make)) {}

std::vector<KeyValue> KeyValueCache::batch(
    const std::function<std::size_t(std::size_t)>& stream_of) {
  std::vector<KeyValue> text;
  for (std::size_t layer = 0; layer < layers_; ++layer) {
    const KeyValue& cond = key_value(layer, stream_of(layer));
    const KeyValue uncond = guided_ ? key_value(layer, kUncondStream) : KeyValue{};
    text.push_back({guidance_batch(uncond.key, cond.key, images_),
                    guidance_batch(uncond.value, cond.value, images_)});
  }
  return text;
}

const KeyValue& KeyValueCache::key_value(std::size_t layer, std::size_t stream) {
  const auto [it, added] = kept_.try_emplace({layer, stream});
  if (added) it->second = make_(layer, stream);
  return it->second;
}

// ---- Guidance ----------------------------------------------------------------------------------

torch::Tensor guidance_input(const torch::Tensor& sample, double guidance_scale) {
  return guidance_scale > 1 ? at::cat({sample, sample}) : sample;
}

torch::Tensor guided_prediction(const torch::Tensor& prediction, double guidance_scale) {
  if (guidance_scale <= 1) return prediction;
  const std::vector<torch::Tensor> halves = prediction.chunk(2);  // uncond, cond
  return halves[0] + guidance_scale * (halves[1] - halves[0]);
}

// ---- Pictures ----------------------------------------------------------------------------------

LatentDecoder::LatentDecoder(const fs::path& folder, const Target& target, bool tiling)
    : dtype_(target.dtype == torch::kFloat16 && vae_must_upcast(folder / "config.json")
                 ? torch::Dtype(torch::kFloat32)
                 : target.dtype),
      tiling_(tiling),
      vae_(load_module<AutoencoderKL>(folder, Weights::open(folder, "diffusion_pytorch_model"),
                                      {target.device, dtype_})) {}

torch::Tensor LatentDecoder::operator()(const torch::Tensor& latents) const {
  return vae_->decode(latents.to(dtype_), tiling_);
}

namespace {

FloatTensor to_float_tensor(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kCPU, torch::kFloat32).contiguous();
  const float* data = flat.const_data_ptr<float>();
  return {flat.sizes().vec(), std::vector<float>(data, data + flat.numel())};
}

// image [B, 3, H, W], 0 to 1. Rounds half to even, as numpy does.
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

}  // namespace

Result<Generation> to_generation(const GenerationRequest& request, const ModelInfo& info,
                                 const torch::Tensor& sample, const LatentDecoder* decoder) {
  if (!at::isfinite(sample).all().item<bool>()) {
    return Error{ErrorCode::Internal,
                 "the denoiser's numbers overflowed: no picture in " + info.dtype, ""};
  }
  const torch::Tensor decoded = decoder ? (*decoder)(sample) : sample;
  const torch::Tensor image = (decoded * 0.5 + 0.5).clamp(0, 1);
  Generation generation;
  generation.images = to_images(image);
  if (request.keep_tensors) {
    if (decoder) generation.latents = to_float_tensor(sample);
    generation.image = to_float_tensor(image);
  }
  return generation;
}

}  // namespace glyphward::model
