#include "model/families/unet_pipeline.h"

#include <algorithm>
#include <utility>

#include "base/config_error.h"
#include "model/families/pipeline_parts.h"
#include "model/networks/unet_2d_condition.h"
#include "model/route.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

// SDXL's: original height and width, top and left of the crop, target height and width.
constexpr int kTimeIds = 6;

// A family as it was loaded; `info` holds its defaults.
struct UNetPipelineParts {
  Target target;
  SchedulerSource scheduler;
  std::unique_ptr<const TextEncoders> text;
  std::unique_ptr<const UNet2DConditionModel> unet;
  LatentDecoder decoder;
  bool offload_text_encoders = false;
  ModelInfo info;
};

class UNetPipeline final : public Pipeline {
 public:
  explicit UNetPipeline(UNetPipelineParts parts) : parts_(std::move(parts)) {}

  const ModelInfo& info() const override { return parts_.info; }
  PromptFit fit(std::string_view prompt) const override { return parts_.text->fit(prompt); }
  Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                              const Progress& progress) override;

 private:
  torch::Tensor first_noise(const GenerationRequest& request,
                            const ResolvedSettings& settings) const;
  AddedConditions added_conditions(TextCache<TextEncoders>& texts, const RoutePlan& plan,
                                   const ResolvedSettings& settings) const;

  UNetPipelineParts parts_;
};

torch::Tensor UNetPipeline::first_noise(const GenerationRequest& request,
                                        const ResolvedSettings& settings) const {
  const int factor = parts_.decoder.vae().scale_factor();
  return draw_noise(request.seeds,
                    {parts_.unet->in_channels(), settings.height / factor, settings.width / factor},
                    parts_.target);
}

// The pooled text of the route, and the whole picture at its own size: nothing was cropped.
AddedConditions UNetPipeline::added_conditions(TextCache<TextEncoders>& texts,
                                               const RoutePlan& plan,
                                               const ResolvedSettings& settings) const {
  const torch::Tensor uncond = settings.guided() ? texts.of(kUncondStream).pooled : torch::Tensor();
  const torch::Tensor pooled =
      guidance_batch(uncond, texts.of(plan.pooled()).pooled, texts.images());
  const auto height = static_cast<double>(settings.height);
  const auto width = static_cast<double>(settings.width);
  const torch::Tensor time_ids = torch::tensor({height, width, 0.0, 0.0, height, width})
                                     .to(parts_.target.device, parts_.target.dtype)
                                     .expand({pooled.size(0), kTimeIds});
  return {pooled, time_ids};
}

Result<Generation> UNetPipeline::generate(const GenerationRequest& request, std::stop_token stop,
                                          const Progress& progress) {
  const c10::InferenceMode inference_mode;
  const UNet2DConditionModel& unet = *parts_.unet;
  const Result<ResolvedSettings> resolved = resolve_settings(request, parts_.info);
  if (!resolved) return resolved.error();
  const ResolvedSettings& settings = *resolved;
  Result<std::unique_ptr<Scheduler>> made = parts_.scheduler.make(request, settings.steps);
  if (!made) return made.error();
  Scheduler& scheduler = **made;
  const torch::Tensor& timesteps = scheduler.timesteps();
  const int calls = static_cast<int>(timesteps.size(0));
  const Result<RoutePlan> plan = RoutePlan::make(request, parts_.info.attention_layers, calls);
  if (!plan) return plan.error();
  if (stop.stop_requested()) return cancelled();

  TextCache<TextEncoders> texts(*parts_.text, request);
  if (parts_.offload_text_encoders) {
    texts.encode_all(*plan, settings.guided());
    parts_.text->leave_device();
  }
  KeyValueCache key_values(unet.attention_layers().size(), texts.images(), settings.guided(),
                           [&](std::size_t layer, std::size_t stream) {
                             return unet.attention(layer).key_value(texts.of(stream).hidden_states);
                           });
  AddedConditions added;
  if (unet.has_added_conditions()) added = added_conditions(texts, *plan, settings);
  torch::Tensor latents = first_noise(request, settings) * scheduler.init_noise_sigma();
  TextRoute text;
  for (int i = 0; i < calls; ++i) {
    if (stop.stop_requested()) return cancelled();
    // The route: which text each layer reads from this step on.
    if (plan->changes_at(i)) {
      text = key_values.batch([&](std::size_t layer) { return plan->stream(layer, i); });
    }
    const torch::Tensor input = guidance_input(latents, settings.guidance_scale);
    const torch::Tensor noise_pred =
        guided_prediction(unet(scheduler.scale_model_input(input, i), timesteps[i], text, added),
                          settings.guidance_scale);
    latents = scheduler.step(noise_pred, i, latents);
    if (progress) progress(i + 1, calls);
  }
  if (stop.stop_requested()) return cancelled();
  return to_generation(request, parts_.info, latents, &parts_.decoder);
}

void check_components_fit(const Opening& opening, const UNetFamily& family,
                          const UNet2DConditionModel& unet, const AutoencoderKL& vae) {
  const std::string name(opening.family);
  const fs::path file = opening.checkpoint / "unet" / "config.json";
  expect_equal(file, "cross_attention_dim", family.text_width, unet.cross_attention_dim());
  expect_equal(file, "in_channels", vae.latent_channels(), unet.in_channels());
  expect_equal(file, "out_channels", unet.in_channels(), unet.out_channels());
  if (vae.shift_factor() != 0) {
    throw ConfigError(opening.checkpoint / family.vae_folder / "config.json", 0, "shift_factor",
                      "expected null in a checkpoint of " + name +
                          ", whose pipeline does not read it, found a number");
  }
  if (unet.has_added_conditions() != (family.pooled_width > 0)) {
    throw ConfigError(file, 0, "addition_embed_type",
                      std::string("expected ") + (family.pooled_width > 0 ? "text_time" : "null") +
                          " in a checkpoint of " + name + ", found another");
  }
  if (unet.has_added_conditions()) {
    expect_equal(file, "projection_class_embeddings_input_dim less the time ids'",
                 family.pooled_width, unet.pooled_dim(kTimeIds));
  }
}

}  // namespace

std::unique_ptr<Pipeline> open_unet_pipeline(const Opening& opening, const UNetFamily& family,
                                             std::unique_ptr<const TextEncoders> text) {
  const fs::path& checkpoint = opening.checkpoint;
  const fs::path unet_folder = checkpoint / "unet";
  const Weights unet_weights = Weights::open(unet_folder, "diffusion_pytorch_model");
  UNetPipelineParts parts{
      .target = opening.target,
      .scheduler = SchedulerSource(checkpoint, family.corrections),
      .text = std::move(text),
      .unet = load_module<UNet2DConditionModel>(unet_folder, unet_weights, opening.target),
      .decoder =
          LatentDecoder(checkpoint / family.vae_folder, opening.target, opening.options.vae_tiling),
      .offload_text_encoders = opening.options.offload_text_encoders,
      .info = {}};
  if (parts.offload_text_encoders) parts.text->leave_device();
  const AutoencoderKL& vae = parts.decoder.vae();
  check_components_fit(opening, family, *parts.unet, vae);
  const int factor = vae.scale_factor();
  parts.info.guidance_scale = family.guidance_scale;
  parts.info.size_multiple = std::max(8, factor);
  parts.info.height = parts.unet->sample_size().first * factor;
  parts.info.width = parts.unet->sample_size().second * factor;
  describe_model(opening, parts.unet->attention_layers(), unet_weights, parts.info);
  apply_profile(checkpoint, unet_weights, parts.info);
  return std::make_unique<UNetPipeline>(std::move(parts));
}

}  // namespace glyphward::model
