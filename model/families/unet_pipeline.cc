#include "model/families/unet_pipeline.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/config_error.h"
#include "model/route.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

// SDXL's: original height and width, top and left of the crop, target height and width.
constexpr int kTimeIds = 6;

// The text side of one request: each text is encoded once, and each cross-attention layer's key and
// value of a stream are made once and kept, since they do not depend on the step.
class RequestText {
 public:
  RequestText(const TextEncoders& encoders, const UNet2DConditionModel& unet,
              const GenerationRequest& request, bool guided)
      : encoders_(encoders), unet_(unet), request_(request), guided_(guided) {}

  // Key and value of every layer for the batch [uncond x images, cond x images], or cond alone.
  // Only the conditional half is routed.
  TextRoute at_step(const RoutePlan& plan, int step) {
    TextRoute text;
    for (std::size_t layer = 0; layer < unet_.attention_layers().size(); ++layer) {
      const KeyValue& cond = key_value(layer, plan.stream(layer, step));
      const KeyValue uncond = guided_ ? key_value(layer, kUncond) : KeyValue{};
      text.push_back({guidance_batch(uncond.key, cond.key, images()),
                      guidance_batch(uncond.value, cond.value, images())});
    }
    return text;
  }

  // All that the plan will ask for, so that the encoders are needed no more.
  void encode_all(const RoutePlan& plan) {
    for (const std::size_t stream : plan.streams_in_use()) embedding(stream);
    embedding(plan.pooled());
    if (guided_) embedding(kUncond);
  }

  // For the same batch: [B, P].
  torch::Tensor pooled(const RoutePlan& plan) {
    return guidance_batch(guided_ ? embedding(kUncond).pooled : torch::Tensor(),
                          embedding(plan.pooled()).pooled, images());
  }

 private:
  static constexpr std::size_t kUncond = static_cast<std::size_t>(-1);

  std::size_t images() const { return request_.seeds.size(); }

  const KeyValue& key_value(std::size_t layer, std::size_t stream) {
    const auto [it, added] = key_values_.try_emplace({layer, stream});
    if (added) it->second = unet_.attention(layer).key_value(embedding(stream).hidden_states);
    return it->second;
  }

  const TextEmbedding& embedding(std::size_t stream) {
    const auto [it, added] = embeddings_.try_emplace(stream);
    if (!added) return it->second;
    if (stream != kUncond) {
      it->second = encoders_.encode(request_.streams[stream].text);
    } else {
      it->second = request_.negative_prompt ? encoders_.encode(*request_.negative_prompt)
                                            : encoders_.encode_nothing();
    }
    return it->second;
  }

  const TextEncoders& encoders_;
  const UNet2DConditionModel& unet_;
  const GenerationRequest& request_;
  bool guided_;
  std::map<std::size_t, TextEmbedding> embeddings_;
  std::map<std::pair<std::size_t, std::size_t>, KeyValue> key_values_;
};

class UNetPipeline final : public Pipeline {
 public:
  explicit UNetPipeline(UNetPipelineParts parts) : parts_(std::move(parts)) {}

  const ModelInfo& info() const override { return parts_.info; }
  PromptFit fit(std::string_view prompt) const override { return parts_.text->fit(prompt); }
  Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                              const Progress& progress) override;

 private:
  torch::Tensor first_latents(const GenerationRequest& request, const Settings& settings) const;
  AddedConditions added_conditions(const torch::Tensor& pooled, const Settings& settings) const;
  torch::Tensor decode(const torch::Tensor& latents) const;

  UNetPipelineParts parts_;
};

torch::Tensor UNetPipeline::first_latents(const GenerationRequest& request,
                                          const Settings& settings) const {
  const int factor = parts_.vae->scale_factor();
  return draw_noise(request.seeds,
                    {parts_.unet->in_channels(), settings.height / factor, settings.width / factor},
                    parts_.target.dtype)
      .to(parts_.target.device);
}

// The whole picture at its own size: nothing was cropped.
AddedConditions UNetPipeline::added_conditions(const torch::Tensor& pooled,
                                               const Settings& settings) const {
  const auto height = static_cast<double>(settings.height);
  const auto width = static_cast<double>(settings.width);
  const torch::Tensor time_ids = torch::tensor({height, width, 0.0, 0.0, height, width})
                                     .to(parts_.target.device, parts_.target.dtype)
                                     .expand({pooled.size(0), kTimeIds});
  return {pooled, time_ids};
}

torch::Tensor UNetPipeline::decode(const torch::Tensor& latents) const {
  const torch::Tensor image =
      parts_.vae->decode(latents.to(parts_.vae_dtype), parts_.options.vae_tiling);
  return (image * 0.5 + 0.5).clamp(0, 1);
}

Result<Generation> UNetPipeline::generate(const GenerationRequest& request, std::stop_token stop,
                                          const Progress& progress) {
  const c10::InferenceMode inference_mode;
  const Error cancelled{ErrorCode::Cancelled, "the generation was cancelled", ""};
  const UNet2DConditionModel& unet = *parts_.unet;
  const Result<Settings> checked = read_settings(request, parts_.info);
  if (!checked) return checked.error();
  const Settings& settings = *checked;
  Result<std::unique_ptr<Scheduler>> made = parts_.scheduler.make(request, settings.steps);
  if (!made) return made.error();
  Scheduler& scheduler = **made;
  const torch::Tensor& timesteps = scheduler.timesteps();
  const int calls = static_cast<int>(timesteps.size(0));
  const Result<RoutePlan> plan = RoutePlan::make(request, parts_.info.attention_layers, calls);
  if (!plan) return plan.error();
  if (stop.stop_requested()) return cancelled;

  RequestText request_text(*parts_.text, unet, request, settings.guided());
  if (parts_.options.offload_text_encoders) {
    request_text.encode_all(*plan);
    parts_.text->leave_device();
  }
  AddedConditions added;
  if (unet.has_added_conditions()) added = added_conditions(request_text.pooled(*plan), settings);
  torch::Tensor latents = first_latents(request, settings) * scheduler.init_noise_sigma();
  TextRoute text;
  for (int i = 0; i < calls; ++i) {
    if (stop.stop_requested()) return cancelled;
    if (plan->changes_at(i)) text = request_text.at_step(*plan, i);
    const torch::Tensor batch = settings.guided() ? at::cat({latents, latents}) : latents;
    torch::Tensor noise_pred =
        unet(scheduler.scale_model_input(batch, i), timesteps[i], text, added);
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
                 "the denoiser's numbers overflowed: no picture in " + parts_.info.dtype, ""};
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

void check_components_fit(const fs::path& checkpoint, const UNetFamily& family,
                          const UNet2DConditionModel& unet, const AutoencoderKL& vae) {
  const fs::path file = checkpoint / "unet" / "config.json";
  expect_equal(file, "cross_attention_dim", family.text_width, unet.cross_attention_dim());
  expect_equal(file, "in_channels", vae.latent_channels(), unet.in_channels());
  expect_equal(file, "out_channels", unet.in_channels(), unet.out_channels());
  if (vae.shift_factor() != 0) {
    throw ConfigError(checkpoint / family.vae_folder / "config.json", 0, "shift_factor",
                      "expected null in a checkpoint of " + family.family +
                          ", whose pipeline does not read it, found a number");
  }
  if (unet.has_added_conditions() != (family.pooled_width > 0)) {
    throw ConfigError(file, 0, "addition_embed_type",
                      std::string("expected ") + (family.pooled_width > 0 ? "text_time" : "null") +
                          " in a checkpoint of " + family.family + ", found another");
  }
  if (unet.has_added_conditions()) {
    expect_equal(file, "projection_class_embeddings_input_dim less the time ids'",
                 family.pooled_width, unet.pooled_dim(kTimeIds));
  }
}

}  // namespace

std::unique_ptr<Pipeline> make_unet_pipeline(UNetPipelineParts parts) {
  return std::make_unique<UNetPipeline>(std::move(parts));
}

UNetPipelineParts open_unet_parts(const fs::path& checkpoint, const LoadOptions& options,
                                  const Target& target, const UNetFamily& family,
                                  std::unique_ptr<const TextEncoders> text) {
  const fs::path unet_folder = checkpoint / "unet";
  const fs::path vae_folder = checkpoint / family.vae_folder;
  const Weights unet_weights = Weights::open(unet_folder, "diffusion_pytorch_model");
  const bool upcast =
      target.dtype == torch::kFloat16 && vae_must_upcast(vae_folder / "config.json");
  const torch::Dtype vae_dtype = upcast ? torch::kFloat32 : target.dtype;
  UNetPipelineParts parts{
      .target = target,
      .scheduler = SchedulerSource(checkpoint, family.corrections),
      .text = std::move(text),
      .unet = load_module<UNet2DConditionModel>(unet_folder, unet_weights, target),
      .vae = load_module<AutoencoderKL>(vae_folder,
                                        Weights::open(vae_folder, "diffusion_pytorch_model"),
                                        {target.device, vae_dtype}),
      .vae_dtype = vae_dtype,
      .options = options,
      .info = {}};
  if (options.offload_text_encoders) parts.text->leave_device();
  check_components_fit(checkpoint, family, *parts.unet, *parts.vae);
  const int factor = parts.vae->scale_factor();
  parts.info.family = family.family;
  parts.info.guidance_scale = family.guidance_scale;
  parts.info.size_multiple = std::max(8, factor);
  parts.info.height = parts.unet->sample_size().first * factor;
  parts.info.width = parts.unet->sample_size().second * factor;
  describe_model(checkpoint, options, parts.unet->attention_layers(), unet_weights, parts.info);
  apply_profile(checkpoint, unet_weights, parts.info);
  return parts;
}

}  // namespace glyphward::model
