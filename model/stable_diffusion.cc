#include "model/stable_diffusion.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/config_error.h"
#include "model/autoencoder_kl.h"
#include "model/checkpoint.h"
#include "model/clip_text_model.h"
#include "model/clip_tokenizer.h"
#include "model/device.h"
#include "model/profile.h"
#include "model/route.h"
#include "model/scheduler.h"
#include "model/unet_2d_condition.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

constexpr int kStepsMax = 1000;
constexpr int kSizeMax = 2048;  // pixels a side
constexpr std::size_t kImagesMax = 32;
constexpr double kGuidanceMax = 100;

Error invalid(std::string message, std::string param) {
  return Error{ErrorCode::InvalidRequest, std::move(message), std::move(param)};
}

// What a request asks for, with the defaults filled in.
struct Settings {
  int steps = 0;
  double guidance_scale = 0;
  int height = 0;
  int width = 0;
  bool guided() const { return guidance_scale > 1; }
};

// The text side of one request: each text is encoded once, and each cross-attention layer's key and
// value of a stream are made once and kept, since they do not depend on the step.
class RequestText {
 public:
  RequestText(const ClipTokenizer& tokenizer, const ClipTextModel& text_encoder,
              const UNet2DConditionModel& unet, const GenerationRequest& request, bool guided)
      : tokenizer_(tokenizer),
        text_encoder_(text_encoder),
        unet_(unet),
        request_(request),
        guided_(guided) {}

  // Key and value of every layer for the batch [uncond x images, cond x images], or cond alone.
  // Only the conditional half is routed.
  TextRoute at_step(const RoutePlan& plan, int step) {
    const auto images = static_cast<std::int64_t>(request_.seeds.size());
    TextRoute text;
    for (std::size_t layer = 0; layer < unet_.attention_layers().size(); ++layer) {
      const KeyValue& cond = key_value(layer, plan.stream(layer, step));
      // [1, T, D] -> [images, T, D]
      KeyValue batch{cond.key.expand({images, -1, -1}), cond.value.expand({images, -1, -1})};
      if (guided_) {
        const KeyValue& uncond = key_value(layer, kUncond);
        batch.key = at::cat({uncond.key.expand({images, -1, -1}), batch.key});
        batch.value = at::cat({uncond.value.expand({images, -1, -1}), batch.value});
      }
      text.push_back(std::move(batch));
    }
    return text;
  }

 private:
  static constexpr std::size_t kUncond = static_cast<std::size_t>(-1);

  const KeyValue& key_value(std::size_t layer, std::size_t stream) {
    const auto [it, added] = key_values_.try_emplace({layer, stream});
    if (added) {
      const std::string& text =
          stream == kUncond ? request_.negative_prompt : request_.streams[stream].text;
      it->second = unet_.attention(layer).key_value(encode(text));
    }
    return it->second;
  }

  // [1, T, C]
  const torch::Tensor& encode(const std::string& text) {
    const auto [it, added] = encoded_.try_emplace(text);
    if (added) {
      const std::vector<std::int64_t> ids = tokenizer_.encode(text);
      it->second = text_encoder_(torch::tensor(ids, torch::kInt64).unsqueeze(0));
    }
    return it->second;
  }

  const ClipTokenizer& tokenizer_;
  const ClipTextModel& text_encoder_;
  const UNet2DConditionModel& unet_;
  const GenerationRequest& request_;
  bool guided_;
  std::map<std::string, torch::Tensor> encoded_;
  std::map<std::pair<std::size_t, std::size_t>, KeyValue> key_values_;
};

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

class StableDiffusion final : public Pipeline {
 public:
  StableDiffusion(const fs::path& checkpoint, const LoadOptions& options, torch::Device device,
                  torch::Dtype dtype);

  const ModelInfo& info() const override { return info_; }
  PromptFit fit(std::string_view prompt) const override { return tokenizer_->fit(prompt); }
  Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                              const Progress& progress) override;

 private:
  void check_components_fit(const fs::path& checkpoint) const;
  void fill_info(const fs::path& checkpoint, const LoadOptions& options, const Weights& weights);
  void apply_profile(const Profile& profile, const Weights& weights);
  Result<Settings> settings(const GenerationRequest& request) const;
  Result<std::unique_ptr<Scheduler>> make_scheduler(const GenerationRequest& request,
                                                    int steps) const;
  torch::Tensor draw_noise(const std::vector<std::uint64_t>& seeds, const Settings& settings) const;
  torch::Tensor decode(const torch::Tensor& latents) const;

  torch::Device device_;
  torch::Dtype dtype_;
  fs::path scheduler_file_;
  boost::json::object scheduler_config_;
  std::unique_ptr<const ClipTokenizer> tokenizer_;
  std::unique_ptr<const ClipTextModel> text_encoder_;
  std::unique_ptr<const UNet2DConditionModel> unet_;
  std::unique_ptr<const AutoencoderKL> vae_;
  torch::Dtype vae_dtype_ = torch::kFloat32;
  ModelInfo info_;
};

template <typename Module>
std::unique_ptr<const Module> load_module(const fs::path& folder, Weights weights,
                                          torch::Device device, torch::Dtype dtype) {
  ComponentConfig config(folder / "config.json");
  ModuleWeights module_weights(std::move(weights), device, dtype);
  auto module = std::make_unique<Module>(config, module_weights);
  module_weights.finish();
  return module;
}

// model_index.json names each component's library and class.
void check_classes(const fs::path& file) {
  const std::map<std::string, std::set<std::string>> classes = {
      {"text_encoder", {"CLIPTextModel"}},
      {"tokenizer", {"CLIPTokenizer", "CLIPTokenizerFast"}},
      {"unet", {"UNet2DConditionModel"}},
      {"vae", {"AutoencoderKL"}}};
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

StableDiffusion::StableDiffusion(const fs::path& checkpoint, const LoadOptions& options,
                                 torch::Device device, torch::Dtype dtype)
    : device_(device),
      dtype_(dtype),
      scheduler_file_(checkpoint / "scheduler" / "scheduler_config.json") {
  check_classes(checkpoint / "model_index.json");
  scheduler_config_ = load_json_object(scheduler_file_);
  Scheduler::create(scheduler_config_, scheduler_file_);  // for its errors
  tokenizer_ = ClipTokenizer::load(checkpoint / "tokenizer");

  const fs::path text_encoder = checkpoint / "text_encoder";
  text_encoder_ =
      load_module<ClipTextModel>(text_encoder, Weights::open(text_encoder, "model"), device, dtype);
  const fs::path unet = checkpoint / "unet";
  const Weights unet_weights = Weights::open(unet, "diffusion_pytorch_model");
  unet_ = load_module<UNet2DConditionModel>(unet, unet_weights, device, dtype);
  const fs::path vae = checkpoint / "vae";
  const bool upcast = dtype == torch::kFloat16 && vae_must_upcast(vae / "config.json");
  vae_dtype_ = upcast ? torch::kFloat32 : dtype;
  vae_ = load_module<AutoencoderKL>(vae, Weights::open(vae, "diffusion_pytorch_model"), device,
                                    vae_dtype_);
  check_components_fit(checkpoint);

  fill_info(checkpoint, options, unet_weights);
  apply_profile(load_profile(checkpoint), unet_weights);
}

void StableDiffusion::check_components_fit(const fs::path& checkpoint) const {
  const auto expect = [](const fs::path& file, const char* key, int expected, int found) {
    if (expected == found) return;
    throw ConfigError(file, 0, key,
                      "expected " + std::to_string(expected) +
                          ", as the other components have, found " + std::to_string(found));
  };
  const fs::path unet = checkpoint / "unet" / "config.json";
  expect(unet, "cross_attention_dim", text_encoder_->hidden_size(), unet_->cross_attention_dim());
  expect(unet, "in_channels", vae_->latent_channels(), unet_->in_channels());
  expect(unet, "out_channels", unet_->in_channels(), unet_->out_channels());
  if (tokenizer_->model_max_length() > text_encoder_->max_position_embeddings()) {
    throw ConfigError(checkpoint / "tokenizer" / "tokenizer_config.json", 0, "model_max_length",
                      "expected at most the text encoder's " +
                          std::to_string(text_encoder_->max_position_embeddings()) +
                          " positions, found " + std::to_string(tokenizer_->model_max_length()));
  }
}

void StableDiffusion::fill_info(const fs::path& checkpoint, const LoadOptions& options,
                                const Weights& weights) {
  info_.name = fs::absolute(checkpoint).lexically_normal().filename().string();
  // A path that ends in a slash has an empty filename.
  if (info_.name.empty())
    info_.name = fs::absolute(checkpoint).lexically_normal().parent_path().filename().string();
  info_.family = "stable-diffusion";
  info_.attention_layers = unet_->attention_layers();
  info_.weights_sha256 = layers_sha256(weights, info_.attention_layers);
  info_.size_multiple = std::max(8, vae_->scale_factor());
  info_.height = unet_->sample_size().first * vae_->scale_factor();
  info_.width = unet_->sample_size().second * vae_->scale_factor();
  info_.device = options.device;
  info_.dtype = options.dtype;
}

void StableDiffusion::apply_profile(const Profile& profile, const Weights& weights) {
  info_.num_inference_steps = profile.num_inference_steps.value_or(info_.num_inference_steps);
  info_.guidance_scale = profile.guidance_scale.value_or(info_.guidance_scale);
  info_.height = profile.height.value_or(info_.height);
  info_.width = profile.width.value_or(info_.width);
  info_.profile_state = "none";
  if (!profile.localization) return;
  const std::vector<std::string>& layers = profile.localization->layers;
  for (const std::string& layer : layers) {
    if (std::find(info_.attention_layers.begin(), info_.attention_layers.end(), layer) ==
        info_.attention_layers.end()) {
      info_.profile_state = "mismatch: glyphward.json names " + layer + ", which the model has not";
      return;
    }
  }
  if (layers.empty()) return;
  const std::string found = layers_sha256(weights, layers);
  if (found != profile.localization->sha256) {
    info_.profile_state = "mismatch: glyphward.json expects localized layers of SHA-256 " +
                          profile.localization->sha256 + ", found " + found;
    return;
  }
  info_.localized_layers = layers;
  info_.localized_from_share = profile.localization->from_share;
  info_.profile_state = "localized";
}

Result<Settings> StableDiffusion::settings(const GenerationRequest& request) const {
  Settings settings;
  settings.steps = request.num_inference_steps.value_or(info_.num_inference_steps);
  settings.guidance_scale = request.guidance_scale.value_or(info_.guidance_scale);
  settings.height = request.height.value_or(info_.height);
  settings.width = request.width.value_or(info_.width);
  if (settings.steps < 1 || settings.steps > kStepsMax) {
    return invalid(
        "expected 1 to " + std::to_string(kStepsMax) + ", found " + std::to_string(settings.steps),
        "num_inference_steps");
  }
  // Below 1 the guidance would draw the negative prompt. Written so that NaN is refused.
  if (!(settings.guidance_scale >= 1 && settings.guidance_scale <= kGuidanceMax)) {
    return invalid("expected 1 to 100, found " + std::to_string(settings.guidance_scale),
                   "guidance_scale");
  }
  for (const auto& [size, param] :
       {std::pair{settings.height, "height"}, std::pair{settings.width, "width"}}) {
    if (size < info_.size_multiple || size > kSizeMax || size % info_.size_multiple != 0) {
      return invalid("expected a multiple of " + std::to_string(info_.size_multiple) + " up to " +
                         std::to_string(kSizeMax) + ", found " + std::to_string(size),
                     param);
    }
  }
  if (request.seeds.empty() || request.seeds.size() > kImagesMax) {
    return invalid("expected 1 to " + std::to_string(kImagesMax) + " images, found " +
                       std::to_string(request.seeds.size()),
                   "seeds");
  }
  return settings;
}

Result<std::unique_ptr<Scheduler>> StableDiffusion::make_scheduler(const GenerationRequest& request,
                                                                   int steps) const {
  try {
    std::unique_ptr<Scheduler> scheduler =
        Scheduler::create(scheduler_config_, scheduler_file_, request.scheduler);
    scheduler->set_timesteps(steps);
    return scheduler;
  } catch (const ConfigError& error) {
    // The checkpoint's own scheduler was made while loading: the request's choice is at fault.
    return invalid(error.what(), request.scheduler.empty() ? "num_inference_steps" : "scheduler");
  }
}

// Image i comes from its own generator on the CPU, in the dtype of the prompt's embedding.
torch::Tensor StableDiffusion::draw_noise(const std::vector<std::uint64_t>& seeds,
                                          const Settings& settings) const {
  const std::int64_t factor = vae_->scale_factor();
  const std::vector<std::int64_t> shape = {1, unet_->in_channels(), settings.height / factor,
                                           settings.width / factor};
  std::vector<torch::Tensor> noise;
  for (const std::uint64_t seed : seeds) {
    noise.push_back(at::randn(shape, at::detail::createCPUGenerator(seed), torch::dtype(dtype_)));
  }
  return at::cat(noise).to(device_);
}

torch::Tensor StableDiffusion::decode(const torch::Tensor& latents) const {
  return (vae_->decode(latents.to(vae_dtype_)) * 0.5 + 0.5).clamp(0, 1);
}

Result<Generation> StableDiffusion::generate(const GenerationRequest& request, std::stop_token stop,
                                             const Progress& progress) {
  const c10::InferenceMode inference_mode;
  const Error cancelled{ErrorCode::Cancelled, "the generation was cancelled", ""};
  const Result<Settings> checked = settings(request);
  if (!checked) return checked.error();
  const Settings& settings = *checked;
  Result<std::unique_ptr<Scheduler>> made = make_scheduler(request, settings.steps);
  if (!made) return made.error();
  Scheduler& scheduler = **made;
  const torch::Tensor& timesteps = scheduler.timesteps();
  const int calls = static_cast<int>(timesteps.size(0));
  const Result<RoutePlan> plan = RoutePlan::make(request, info_.attention_layers, calls);
  if (!plan) return plan.error();
  if (stop.stop_requested()) return cancelled;

  RequestText request_text(*tokenizer_, *text_encoder_, *unet_, request, settings.guided());
  torch::Tensor latents = draw_noise(request.seeds, settings) * scheduler.init_noise_sigma();
  TextRoute text;
  for (int i = 0; i < calls; ++i) {
    if (stop.stop_requested()) return cancelled;
    if (plan->changes_at(i)) text = request_text.at_step(*plan, i);
    const torch::Tensor batch = settings.guided() ? at::cat({latents, latents}) : latents;
    torch::Tensor noise_pred = (*unet_)(scheduler.scale_model_input(batch, i), timesteps[i], text);
    if (settings.guided()) {
      const std::vector<torch::Tensor> halves = noise_pred.chunk(2);  // uncond, cond
      noise_pred = halves[0] + settings.guidance_scale * (halves[1] - halves[0]);
    }
    latents = scheduler.step(noise_pred, i, latents);
    if (progress) progress(i + 1, calls);
  }
  if (stop.stop_requested()) return cancelled;
  if (!at::isfinite(latents).all().item<bool>()) {
    return Error{ErrorCode::Internal,
                 "the denoiser's numbers overflowed: no picture in " + info_.dtype, ""};
  }
  const torch::Tensor image = decode(latents);
  Generation generation;
  generation.images = to_images(image);
  if (request.keep_tensors) {
    generation.latents = to_float_tensor(latents);
    generation.image = to_float_tensor(image);
  }
  return generation;
}

}  // namespace

std::unique_ptr<Pipeline> load_stable_diffusion(const fs::path& checkpoint,
                                                const LoadOptions& options) {
  torch::Device device = torch::kCPU;
  torch::Dtype dtype = torch::kFloat32;
  try {
    device = open_device(options.device);
    dtype = parse_dtype(options.dtype);
  } catch (const std::exception& error) {
    throw ConfigError(checkpoint, 0, "", error.what());
  }
  return std::make_unique<StableDiffusion>(checkpoint, options, device, dtype);
}

}  // namespace glyphward::model
