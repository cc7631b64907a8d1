#include "model/families/stable_diffusion_3.h"

#include <torch/types.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/config_error.h"
#include "model/families/clip_encoder.h"
#include "model/families/pipeline_parts.h"
#include "model/families/t5_encoder.h"
#include "model/networks/autoencoder_kl.h"
#include "model/networks/sd3_transformer_2d.h"
#include "model/route.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

constexpr int kT5Tokens = 256;

// ---- Text --------------------------------------------------------------------------------------

bool has_t5(const fs::path& index_file) {
  const boost::json::object index = load_json_object(index_file);
  const boost::json::value* value = index.if_contains("text_encoder_3");
  return value && value->is_array() && !value->get_array().empty() &&
         !value->get_array()[0].is_null();
}

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
    if (!has_t5(checkpoint / "model_index.json")) return;
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

// The text side of one request: each stream is encoded once.
class RequestText {
 public:
  static constexpr std::size_t kUncond = static_cast<std::size_t>(-1);

  RequestText(const StableDiffusion3Text& encoders, const GenerationRequest& request)
      : encoders_(encoders), request_(request) {}

  // All that the plan will ask for, so that the encoders are needed no more.
  void encode_all(const RoutePlan& plan, bool guided) {
    for (const std::size_t stream : plan.streams_in_use()) text(stream);
    text(plan.pooled());
    if (guided) text(kUncond);
  }

  // For the images of the request: [images, ...]. States of one stream, pooled embedding of one.
  JointText cond(std::size_t stream, std::size_t pooled) { return batch(stream, pooled, false); }
  // [uncond x images, cond x images], or cond alone.
  JointText batch(std::size_t stream, std::size_t pooled, bool guided) {
    const JointText uncond = guided ? text(kUncond) : JointText{};
    const std::size_t images = request_.seeds.size();
    return {
        guidance_batch(uncond.encoder_hidden_states, text(stream).encoder_hidden_states, images),
        guidance_batch(uncond.pooled_projections, text(pooled).pooled_projections, images)};
  }

 private:
  const JointText& text(std::size_t stream) {
    const auto [it, added] = texts_.try_emplace(stream);
    if (added) {
      it->second = encoders_.encode(stream == kUncond ? request_.negative_prompt.value_or("")
                                                      : request_.streams[stream].text);
    }
    return it->second;
  }

  const StableDiffusion3Text& encoders_;
  const GenerationRequest& request_;
  std::map<std::size_t, JointText> texts_;
};

// ---- Denoising ---------------------------------------------------------------------------------

// One request's denoising under its route (JointMode in pipeline.h).
class Denoising {
 public:
  Denoising(const SD3Transformer2DModel& transformer, const RoutePlan& plan, JointMode mode,
            const Settings& settings, RequestText& text,
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
        route.side.push_back({text_.cond(stream, stream), blocks});
      } else if (mode_ == JointMode::Shared) {
        route.given.merge(transformer_.text_key_values(main_.latents, timestep,
                                                       text_.cond(stream, stream), blocks));
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
    const torch::Tensor batch =
        settings_.guided() ? at::cat({run.latents, run.latents}) : run.latents;
    torch::Tensor velocity = transformer_(scheduler.scale_model_input(batch, i),
                                          scheduler.timesteps()[i], run.text, route, &run.kept);
    if (settings_.guided()) {
      const std::vector<torch::Tensor> halves = velocity.chunk(2);  // uncond, cond
      velocity = halves[0] + settings_.guidance_scale * (halves[1] - halves[0]);
    }
    run.latents = scheduler.step(velocity, i, run.latents);
  }

  const SD3Transformer2DModel& transformer_;
  const RoutePlan& plan_;
  JointMode mode_;
  const Settings& settings_;
  RequestText& text_;
  std::vector<std::unique_ptr<Scheduler>> schedulers_;  // the main run's, then the others'
  Run main_;
  std::map<std::size_t, Run> others_;
};

// ---- The pipeline ------------------------------------------------------------------------------

class StableDiffusion3 final : public Pipeline {
 public:
  StableDiffusion3(const fs::path& checkpoint, const LoadOptions& options);

  const ModelInfo& info() const override { return info_; }
  PromptFit fit(std::string_view prompt) const override { return text_->fit(prompt); }
  Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                              const Progress& progress) override;

 private:
  Result<Settings> check(const GenerationRequest& request) const;
  Result<std::vector<std::unique_ptr<Scheduler>>> make_schedulers(const GenerationRequest& request,
                                                                  int steps,
                                                                  std::size_t count) const;

  Target target_;
  SchedulerSource scheduler_;
  std::unique_ptr<const SD3Transformer2DModel> transformer_;
  std::unique_ptr<const StableDiffusion3Text> text_;
  torch::Dtype vae_dtype_;
  std::unique_ptr<const AutoencoderKL> vae_;
  LoadOptions options_;
  ModelInfo info_;
};

void check_model_index(const fs::path& file) {
  std::map<std::string, std::set<std::string>> classes = {
      {"text_encoder", {"CLIPTextModelWithProjection"}},
      {"text_encoder_2", {"CLIPTextModelWithProjection"}},
      {"tokenizer", {"CLIPTokenizer", "CLIPTokenizerFast"}},
      {"tokenizer_2", {"CLIPTokenizer", "CLIPTokenizerFast"}},
      {"transformer", {"SD3Transformer2DModel"}},
      {"scheduler", {"FlowMatchEulerDiscreteScheduler"}},
      {"vae", {"AutoencoderKL"}}};
  if (has_t5(file)) {
    classes["text_encoder_3"] = {"T5EncoderModel"};
    classes["tokenizer_3"] = {"T5Tokenizer", "T5TokenizerFast"};
  }
  check_classes(file, classes);
}

StableDiffusion3::StableDiffusion3(const fs::path& checkpoint, const LoadOptions& options)
    : target_(open_target(checkpoint, options)),
      scheduler_(checkpoint, SchedulerCorrections::None),
      options_(options) {
  check_model_index(checkpoint / "model_index.json");
  const fs::path folder = checkpoint / "transformer";
  const Weights weights = Weights::open(folder, "diffusion_pytorch_model");
  transformer_ = load_module<SD3Transformer2DModel>(folder, weights, target_);
  text_ = std::make_unique<StableDiffusion3Text>(checkpoint, target_,
                                                 transformer_->joint_attention_dim());
  const fs::path vae_folder = checkpoint / "vae";
  const bool upcast =
      target_.dtype == torch::kFloat16 && vae_must_upcast(vae_folder / "config.json");
  vae_dtype_ = upcast ? torch::kFloat32 : target_.dtype;
  vae_ =
      load_module<AutoencoderKL>(vae_folder, Weights::open(vae_folder, "diffusion_pytorch_model"),
                                 {target_.device, vae_dtype_});
  const fs::path file = folder / "config.json";
  expect_equal(file, "pooled_projection_dim", text_->pooled_width(),
               transformer_->pooled_projection_dim());
  expect_equal(file, "in_channels", vae_->latent_channels(), transformer_->in_channels());
  expect_equal(file, "out_channels", transformer_->in_channels(), transformer_->out_channels());

  const int factor = vae_->scale_factor();
  info_.family = "stable-diffusion-3";
  info_.num_inference_steps = 28;
  info_.guidance_scale = 7.0;
  info_.size_multiple = factor * transformer_->patch_size();
  info_.height = info_.width = transformer_->sample_size() * factor;
  describe_model(checkpoint, options, transformer_->attention_layers(), weights, info_);
  apply_profile(checkpoint, weights, info_);
  if (options_.offload_text_encoders) text_->leave_device();
}

Result<Settings> StableDiffusion3::check(const GenerationRequest& request) const {
  const Result<Settings> settings = read_settings(request, info_);
  if (!settings) return settings;
  const int size_max = transformer_->sample_size_max() * vae_->scale_factor();
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
  const Error cancelled{ErrorCode::Cancelled, "the generation was cancelled", ""};
  const Result<Settings> checked = check(request);
  if (!checked) return checked.error();
  const Settings& settings = *checked;
  const int steps = settings.steps;
  const Result<RoutePlan> plan = RoutePlan::make(request, info_.attention_layers, steps);
  if (!plan) return plan.error();
  Result<std::vector<std::unique_ptr<Scheduler>>> schedulers =
      make_schedulers(request, steps, request.streams.size());
  if (!schedulers) return schedulers.error();
  if (stop.stop_requested()) return cancelled;

  RequestText text(*text_, request);
  if (options_.offload_text_encoders) {
    text.encode_all(*plan, settings.guided());
    text_->leave_device();
  }
  const int factor = vae_->scale_factor();
  const torch::Tensor noise =
      draw_noise(request.seeds,
                 {transformer_->in_channels(), settings.height / factor, settings.width / factor},
                 target_.dtype)
          .to(target_.device);
  Denoising denoising(*transformer_, *plan, request.route.joint_mode, settings, text,
                      std::move(*schedulers), noise);
  for (int i = 0; i < steps; ++i) {
    if (stop.stop_requested()) return cancelled;
    denoising.step(i);
    if (progress) progress(i + 1, steps);
  }
  if (stop.stop_requested()) return cancelled;
  const torch::Tensor& latents = denoising.latents();
  if (!at::isfinite(latents).all().item<bool>()) {
    return Error{ErrorCode::Internal,
                 "the denoiser's numbers overflowed: no picture in " + info_.dtype, ""};
  }
  const torch::Tensor decoded = vae_->decode(latents.to(vae_dtype_), options_.vae_tiling);
  const torch::Tensor image = (decoded * 0.5 + 0.5).clamp(0, 1);
  Generation generation;
  generation.images = to_images(image);
  if (request.keep_tensors) {
    generation.latents = to_float_tensor(latents);
    generation.image = to_float_tensor(image);
  }
  return generation;
}

}  // namespace

std::unique_ptr<Pipeline> load_stable_diffusion_3(const fs::path& checkpoint,
                                                  const LoadOptions& options) {
  return std::make_unique<StableDiffusion3>(checkpoint, options);
}

}  // namespace glyphward::model
