// Stable Diffusion 3 and 3.5: diffusers' StableDiffusion3Pipeline, number for number, with routing
// of the joint attention. text_encoder_3 and tokenizer_3 (T5) may be null in model_index.json.
// Reference: diffusers/pipelines/stable_diffusion_3/pipeline_stable_diffusion_3.py.
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/families/families.h"
#include "model/families/pipeline_parts.h"
#include "model/networks/sd3_transformer_2d.h"
#include "model/networks/text_encoders/clip_encoder.h"
#include "model/networks/text_encoders/t5_encoder.h"
#include "model/route.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

constexpr int kT5Tokens = 256;

// ---- Text --------------------------------------------------------------------------------------

// Two CLIPs side by side, then T5, or zeros for it, after them along the sequence.
class StableDiffusion3Text {
 public:
  StableDiffusion3Text(const fs::path& checkpoint, const Target& target, int joint_attention_dim)
      : target_(target),
        joint_attention_dim_(joint_attention_dim),
        clip_(checkpoint, "tokenizer", "text_encoder", target),
        clip_2_(checkpoint, "tokenizer_2", "text_encoder_2", target) {
    expect_equal(checkpoint / "tokenizer_2" / "tokenizer_config.json", "model_max_length",
                 clip_.tokenizer().model_max_length(), clip_2_.tokenizer().model_max_length());
    const fs::path transformer = checkpoint / "transformer" / "config.json";
    const int width = clip_.model().hidden_size() + clip_2_.model().hidden_size();
    if (width > joint_attention_dim) {
      throw ConfigError(transformer, 0, "joint_attention_dim",
                        "expected at least the text encoders' " + std::to_string(width) +
                            ", found " + std::to_string(joint_attention_dim));
    }
    if (!has_component(load_json_object(checkpoint / "model_index.json"), "text_encoder_3")) return;
    t5_.emplace(checkpoint, "tokenizer_3", "text_encoder_3", target);
    expect_equal(transformer, "joint_attention_dim", t5_->model().d_model(), joint_attention_dim);
  }

  int pooled_width() const {
    return clip_.model().projection_dim() + clip_2_.model().projection_dim();
  }

  // Of one text: the batch is 1.
  JointText encode(const std::string& text) const {
    const ClipTextOutput output = clip_.encode(text);
    const ClipTextOutput output_2 = clip_2_.encode(text);
    const torch::Tensor clip =
        at::cat({output.penultimate_hidden_state, output_2.penultimate_hidden_state}, -1);
    const torch::Tensor padded =
        at::constant_pad_nd(clip, {0, joint_attention_dim_ - clip.size(-1)}, 0);
    return {at::cat({padded, encode_t5(text)}, 1), at::cat({output.pooled, output_2.pooled}, -1)};
  }

  // What guidance leads away from if no negative prompt is given.
  JointText encode_nothing() const { return encode(""); }

  void leave_device() const {
    clip_.leave_device();
    clip_2_.leave_device();
    if (t5_) t5_->leave_device();
  }

  // What all encoders read.
  PromptFit fit(std::string_view prompt) const {
    PromptFit least = clip_.tokenizer().fit(prompt);
    std::vector<PromptFit> others = {clip_2_.tokenizer().fit(prompt)};
    if (t5_) others.push_back(t5_->tokenizer().fit(prompt, kT5Tokens));
    for (const PromptFit& other : others) {
      if (other.bytes_kept < least.bytes_kept) least = other;
    }
    return least;
  }

 private:
  // [1, 256, C]
  torch::Tensor encode_t5(const std::string& text) const {
    if (!t5_) {
      return at::zeros({1, kT5Tokens, joint_attention_dim_},
                       torch::dtype(target_.dtype).device(target_.device));
    }
    // The padding is read as it is.
    return t5_->encode(text, kT5Tokens, /*mask=*/false);
  }

  Target target_;
  std::int64_t joint_attention_dim_;
  ClipEncoder<ClipTextModelWithProjection> clip_;
  ClipEncoder<ClipTextModelWithProjection> clip_2_;
  std::optional<T5Encoder> t5_;
};

// The texts of one request in batches, as the transformer reads them.
class JointTexts {
 public:
  JointTexts(const StableDiffusion3Text& encoders, const GenerationRequest& request)
      : texts_(encoders, request) {}

  void encode_all(const RoutePlan& plan, bool guided) { texts_.encode_all(plan, guided); }
  // For the images of the request: [images, ...]. States and pooled embedding of one stream.
  JointText cond(std::size_t stream) { return batch(stream, stream, false); }
  // [uncond x images, cond x images], or cond alone. States of one stream, pooled embedding of one.
  JointText batch(std::size_t stream, std::size_t pooled, bool guided) {
    const JointText uncond = guided ? texts_.of(kUncondStream) : JointText{};
    return {guidance_batch(uncond.encoder_hidden_states, texts_.of(stream).encoder_hidden_states,
                           texts_.images()),
            guidance_batch(uncond.pooled_projections, texts_.of(pooled).pooled_projections,
                           texts_.images())};
  }

 private:
  TextCache<StableDiffusion3Text> texts_;
};

// ---- Denoising ---------------------------------------------------------------------------------

// One request's denoising under its route (JointMode in pipeline.h).
class Denoising {
 public:
  Denoising(const SD3Transformer2DModel& transformer, const RoutePlan& plan, JointMode mode,
            const ResolvedSettings& settings, JointTexts& text,
            std::vector<std::unique_ptr<Scheduler>> schedulers, const torch::Tensor& noise)
      : transformer_(transformer),
        plan_(plan),
        mode_(mode),
        settings_(settings),
        text_(text),
        schedulers_(std::move(schedulers)),
        main_{text.batch(plan.base(), plan.pooled(), settings.guided()), noise, {}} {
    if (mode != JointMode::Paper) return;
    // A generation of its own for each other stream, from the same noise.
    for (const std::size_t stream : plan.streams_in_use()) {
      if (stream == plan.base()) continue;
      others_[stream] = {text.batch(stream, stream, settings.guided()), noise, {}};
    }
  }

  void step(int i) {
    JointRoute route;
    const std::map<std::size_t, std::set<std::size_t>> routed = routed_blocks(i);
    for (const auto& [stream, blocks] : routed) {
      const torch::Tensor& timestep = schedulers_[0]->timesteps()[i];
      if (mode_ == JointMode::Side) {
        route.side.push_back({text_.cond(stream), blocks});
      } else if (mode_ == JointMode::Shared) {
        route.given.merge(
            transformer_.text_key_values(main_.latents, timestep, text_.cond(stream), blocks));
      }
    }
    std::size_t scheduler = 1;
    for (auto& [stream, other] : others_) {
      if (const auto found = routed.find(stream); found != routed.end()) {
        for (const std::size_t block : found->second) other.kept[block];
      }
      advance(other, i, {}, *schedulers_[scheduler++]);
      route.given.merge(cond_rows(std::exchange(other.kept, {})));
    }
    advance(main_, i, route, *schedulers_[0]);
  }

  const torch::Tensor& latents() const { return main_.latents; }

 private:
  struct Run {
    JointText text;
    torch::Tensor latents;
    BlockKeyValues kept;
  };

  // The blocks that read another stream than the base at this step, by that stream.
  std::map<std::size_t, std::set<std::size_t>> routed_blocks(int i) const {
    std::map<std::size_t, std::set<std::size_t>> blocks;
    for (std::size_t block = 0; block < transformer_.attention_layers().size(); ++block) {
      const std::size_t stream = plan_.stream(block, i);
      if (stream != plan_.base()) blocks[stream].insert(block);
    }
    return blocks;
  }

  BlockKeyValues cond_rows(BlockKeyValues kept) const {
    if (!settings_.guided()) return kept;
    for (auto& [block, source] : kept) {
      source = {source.key.chunk(2)[1], source.value.chunk(2)[1]};
    }
    return kept;
  }

  void advance(Run& run, int i, const JointRoute& route, Scheduler& scheduler) {
    const torch::Tensor input = guidance_input(run.latents, settings_.guidance_scale);
    const torch::Tensor velocity =
        guided_prediction(transformer_(scheduler.scale_model_input(input, i),
                                       scheduler.timesteps()[i], run.text, route, &run.kept),
                          settings_.guidance_scale);
    run.latents = scheduler.step(velocity, i, run.latents);
  }

  const SD3Transformer2DModel& transformer_;
  const RoutePlan& plan_;
  JointMode mode_;
  const ResolvedSettings& settings_;
  JointTexts& text_;
  std::vector<std::unique_ptr<Scheduler>> schedulers_;  // the main run's, then the others'
  Run main_;
  std::map<std::size_t, Run> others_;
};

// ---- The pipeline ------------------------------------------------------------------------------

class StableDiffusion3 final : public Pipeline {
 public:
  explicit StableDiffusion3(const Opening& opening);

  const ModelInfo& info() const override { return info_; }
  PromptFit fit(std::string_view prompt) const override { return text_->fit(prompt); }
  Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                              const Progress& progress) override;

 private:
  Result<ResolvedSettings> check(const GenerationRequest& request) const;
  Result<std::vector<std::unique_ptr<Scheduler>>> make_schedulers(const GenerationRequest& request,
                                                                  int steps,
                                                                  std::size_t count) const;

  Target target_;
  SchedulerSource scheduler_;
  std::unique_ptr<const SD3Transformer2DModel> transformer_;
  std::unique_ptr<const StableDiffusion3Text> text_;
  LatentDecoder decoder_;
  bool offload_text_encoders_;
  ModelInfo info_;
};

StableDiffusion3::StableDiffusion3(const Opening& opening)
    : target_(opening.target),
      scheduler_(opening.checkpoint, SchedulerCorrections::None),
      decoder_(opening.checkpoint / "vae", opening.target, opening.options.vae_tiling),
      offload_text_encoders_(opening.options.offload_text_encoders) {
  const fs::path folder = opening.checkpoint / "transformer";
  const Weights weights = Weights::open(folder, "diffusion_pytorch_model");
  transformer_ = load_module<SD3Transformer2DModel>(folder, weights, target_);
  text_ = std::make_unique<StableDiffusion3Text>(opening.checkpoint, target_,
                                                 transformer_->joint_attention_dim());
  const AutoencoderKL& vae = decoder_.vae();
  const fs::path file = folder / "config.json";
  expect_equal(file, "pooled_projection_dim", text_->pooled_width(),
               transformer_->pooled_projection_dim());
  expect_equal(file, "in_channels", vae.latent_channels(), transformer_->in_channels());
  expect_equal(file, "out_channels", transformer_->in_channels(), transformer_->out_channels());

  info_.num_inference_steps = 28;
  info_.guidance_scale = 7.0;
  info_.size_multiple = vae.scale_factor() * transformer_->patch_size();
  info_.height = info_.width = transformer_->sample_size() * vae.scale_factor();
  describe_model(opening, transformer_->attention_layers(), weights, info_);
  apply_profile(opening.checkpoint, weights, info_);
  if (offload_text_encoders_) text_->leave_device();
}

Result<ResolvedSettings> StableDiffusion3::check(const GenerationRequest& request) const {
  Result<ResolvedSettings> settings = resolve_settings(request, info_);
  if (!settings) return settings;
  const int size_max = transformer_->sample_size_max() * decoder_.vae().scale_factor();
  for (const auto& [size, param] :
       {std::pair{settings->height, "height"}, std::pair{settings->width, "width"}}) {
    if (size > size_max) {
      return invalid_request("expected at most " + std::to_string(size_max) +
                                 ", the model's largest, found " + std::to_string(size),
                             param);
    }
  }
  return settings;
}

Result<std::vector<std::unique_ptr<Scheduler>>> StableDiffusion3::make_schedulers(
    const GenerationRequest& request, int steps, std::size_t count) const {
  std::vector<std::unique_ptr<Scheduler>> schedulers;
  for (std::size_t i = 0; i < count; ++i) {
    Result<std::unique_ptr<Scheduler>> made = scheduler_.make(request, steps);
    if (!made) return made.error();
    schedulers.push_back(std::move(*made));
  }
  return schedulers;
}

Result<Generation> StableDiffusion3::generate(const GenerationRequest& request,
                                              std::stop_token stop, const Progress& progress) {
  const c10::InferenceMode inference_mode;
  const Result<ResolvedSettings> resolved = check(request);
  if (!resolved) return resolved.error();
  const ResolvedSettings& settings = *resolved;
  const int steps = settings.steps;
  const Result<RoutePlan> plan = RoutePlan::make(request, info_.attention_layers, steps);
  if (!plan) return plan.error();
  Result<std::vector<std::unique_ptr<Scheduler>>> schedulers =
      make_schedulers(request, steps, request.streams.size());
  if (!schedulers) return schedulers.error();
  if (stop.stop_requested()) return cancelled();

  JointTexts texts(*text_, request);
  if (offload_text_encoders_) {
    texts.encode_all(*plan, settings.guided());
    text_->leave_device();
  }
  const int factor = decoder_.vae().scale_factor();
  const torch::Tensor noise = draw_noise(
      request.seeds,
      {transformer_->in_channels(), settings.height / factor, settings.width / factor}, target_);
  Denoising denoising(*transformer_, *plan, request.route.joint_mode, settings, texts,
                      std::move(*schedulers), noise);
  for (int i = 0; i < steps; ++i) {
    if (stop.stop_requested()) return cancelled();
    denoising.step(i);
    if (progress) progress(i + 1, steps);
  }
  if (stop.stop_requested()) return cancelled();
  return to_generation(request, info_, denoising.latents(), &decoder_);
}

}  // namespace

std::unique_ptr<Pipeline> open_stable_diffusion_3(const Opening& opening) {
  return std::make_unique<StableDiffusion3>(opening);
}

}  // namespace glyphward::model
