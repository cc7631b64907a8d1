// DeepFloyd IF: diffusers' IFPipeline and, where the checkpoint has it, IFSuperResolutionPipeline
// after it, number for number, with layer routing. Reference: diffusers/pipelines/deepfloyd_if/.
//
// The checkpoint is stage I's folder. If it holds a sub-folder (or a link) `stage_2` with stage
// II's checkpoint, both run as one pipeline: stage II's picture is the result, `height` and `width`
// are its own, and each image's generator goes on from stage I. stage_2/text_encoder is not read:
// both stages have the same. num_inference_steps and guidance_scale are stage I's, which draws the
// letters; stage II takes those of stage_2/glyphward.json, else 50 and 4.0, but no more steps than
// stage I, and no guidance if stage I has none.
//
// Layers of stage I alone are routed. Stage II sharpens what stage I drew: all of it reads the
// stream that stage I's first routed layer read at the last step, so that it cannot bring the other
// text back; if none is routed, the base.
//
// diffusers' `clean_caption` is off: it rewrites the prompt, quotation marks and digits included.
// As there, the prompt is lower-cased. There are no latents: Generation::latents stays empty.
#include <torch/types.h>
#include <unicode/locid.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/families/families.h"
#include "model/families/pipeline_parts.h"
#include "model/networks/text_encoders/t5_encoder.h"
#include "model/networks/unet_2d_simple_cross_attn.h"
#include "model/profile.h"
#include "model/route.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

constexpr int kTokens = 77;
constexpr int kNoiseLevel = 250;  // of stage II's conditioning picture, in steps of training
constexpr int kChannels = 3;

// ---- Text --------------------------------------------------------------------------------------

std::string lower(const std::string& text) {
  std::string lowered;
  icu::UnicodeString::fromUTF8(text).toLower(icu::Locale::getRoot()).toUTF8String(lowered);
  return lowered;
}

class IfText {
 public:
  IfText(const fs::path& checkpoint, const Target& target)
      : t5_(checkpoint, "tokenizer", "text_encoder", target) {}

  // [1, 77, width]. The encoder does not see the padding; the networks then do.
  torch::Tensor encode(const std::string& text) const {
    return t5_.encode(lower(text), kTokens, /*mask=*/true);
  }

  // What guidance leads away from if no negative prompt is given.
  torch::Tensor encode_nothing() const { return encode(""); }

  // In the bytes of the prompt as it was written: lower case can be longer.
  PromptFit fit(std::string_view prompt) const {
    const std::string lowered = lower(std::string(prompt));
    PromptFit fit = t5_.tokenizer().fit(lowered, kTokens);
    const std::size_t kept = std::exchange(fit.bytes_kept, prompt.size());
    if (kept == lowered.size()) return fit;
    const auto length = static_cast<std::int32_t>(prompt.size());
    std::size_t seen = 0;
    std::int32_t i = 0;
    while (i < length && seen < kept) {
      const std::int32_t at = i;
      U8_FWD_1(prompt.data(), i, length);
      seen += lower(std::string(prompt.substr(at, i - at))).size();
    }
    fit.bytes_kept = static_cast<std::size_t>(i);
    return fit;
  }

  int width() const { return t5_.model().d_model(); }
  void leave_device() const { t5_.leave_device(); }

 private:
  T5Encoder t5_;
};

// The encoder's states of a request's texts: [1, 77, width].
using IfTexts = TextCache<IfText>;

// What one stage's network reads of them.
class StageText {
 public:
  StageText(const UNet2DSimpleCrossAttnModel& unet, IfTexts& texts, bool guided)
      : unet_(unet),
        texts_(texts),
        guided_(guided),
        key_values_(unet.attention_layers().size(), texts.images(), guided,
                    [&unet, &texts](std::size_t layer, std::size_t stream) {
                      return unet.attention(layer).key_value(unet.project_text(texts.of(stream)));
                    }) {}

  KeyValueCache& key_values() { return key_values_; }
  // What conditions the whole network, for the batch [uncond x images, cond x images], or cond
  // alone.
  torch::Tensor pooled(std::size_t stream) {
    return guidance_batch(guided_ ? unet_.pool_text(texts_.of(kUncondStream)) : torch::Tensor(),
                          unet_.pool_text(texts_.of(stream)), texts_.images());
  }

 private:
  const UNet2DSimpleCrossAttnModel& unet_;
  IfTexts& texts_;
  bool guided_;
  KeyValueCache key_values_;
};

// ---- One request -------------------------------------------------------------------------------

// Each image's own generator on the CPU, for all noise of both stages.
class ImageNoise {
 public:
  ImageNoise(const std::vector<std::uint64_t>& seeds, Target target) : target_(target) {
    for (const std::uint64_t seed : seeds) {
      generators_.push_back(at::detail::createCPUGenerator(seed));
    }
  }
  // [images, 3, height, width]
  torch::Tensor draw(std::int64_t height, std::int64_t width) {
    std::vector<torch::Tensor> noise;
    for (const at::Generator& generator : generators_) {
      noise.push_back(
          at::randn({kChannels, height, width}, generator, torch::dtype(target_.dtype)));
    }
    return at::stack(noise).to(target_.device);
  }

 private:
  Target target_;
  std::vector<at::Generator> generators_;
};

// A stage as it was loaded.
struct Stage {
  std::unique_ptr<const UNet2DSimpleCrossAttnModel> unet;
  std::unique_ptr<const SchedulerSource> scheduler;
  // Stage II's own, which no request names.
  int num_inference_steps = 50;
  double guidance_scale = 4.0;
};

// What a stage does for one request.
struct StageRun {
  const Stage& stage;
  Scheduler& scheduler;
  double guidance_scale;
  StageText& text;
  torch::Tensor pooled;
  // Which stream a layer reads at a step, and whether that is new.
  std::function<std::size_t(std::size_t layer, int step)> stream_of;
  std::function<bool(int step)> changes_at;
  torch::Tensor conditioning;  // stage II: the noisy picture of stage I, [images, 3, H, W]
};

torch::Tensor predict(const StageRun& run, const torch::Tensor& sample, int i,
                      const std::vector<KeyValue>& text) {
  torch::Tensor input =
      run.conditioning.defined() ? at::cat({sample, run.conditioning}, 1) : sample;
  input = guidance_input(input, run.guidance_scale);
  torch::Tensor output =
      (*run.stage.unet)(run.scheduler.scale_model_input(input, i), run.scheduler.timesteps()[i],
                        text, run.pooled, kNoiseLevel);
  if (run.guidance_scale <= 1) return output;
  // The noise is guided; the variance behind it is the conditional half's.
  return at::cat({guided_prediction(output.slice(1, 0, kChannels), run.guidance_scale),
                  output.chunk(2)[1].slice(1, kChannels)},
                 1);
}

// No picture if a stop was requested.
std::optional<torch::Tensor> denoise(const StageRun& run, torch::Tensor sample, ImageNoise& noise,
                                     const std::stop_token& stop,
                                     const std::function<void()>& progress) {
  const std::int64_t height = sample.size(2);
  const std::int64_t width = sample.size(3);
  run.scheduler.draw_noise_from([&] { return noise.draw(height, width); });
  const auto steps = static_cast<int>(run.scheduler.timesteps().size(0));
  std::vector<KeyValue> text;
  for (int i = 0; i < steps; ++i) {
    if (stop.stop_requested()) return std::nullopt;
    if (run.changes_at(i)) {
      text =
          run.text.key_values().batch([&](std::size_t layer) { return run.stream_of(layer, i); });
    }
    sample = run.scheduler.step(predict(run, sample, i, text), i, sample);
    progress();
  }
  return sample;
}

// ---- The pipeline ------------------------------------------------------------------------------

class DeepFloydIf final : public Pipeline {
 public:
  explicit DeepFloydIf(const Opening& opening);

  const ModelInfo& info() const override { return info_; }
  PromptFit fit(std::string_view prompt) const override { return text_->fit(prompt); }
  Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                              const Progress& progress) override;

 private:
  Stage open_stage(const fs::path& checkpoint, const Weights& weights, int in_channels) const;
  void open_stage_2(const fs::path& checkpoint);
  torch::Tensor condition(const torch::Tensor& image, const ResolvedSettings& settings,
                          ImageNoise& noise) const;
  int ratio() const {
    return stage_2_ ? stage_2_->unet->sample_size() / stage_1_.unet->sample_size() : 1;
  }

  Target target_;
  std::unique_ptr<const IfText> text_;
  Stage stage_1_;
  std::optional<Stage> stage_2_;
  std::unique_ptr<const Scheduler> image_noising_scheduler_;
  bool offload_text_encoders_;
  ModelInfo info_;
};

Stage DeepFloydIf::open_stage(const fs::path& checkpoint, const Weights& weights,
                              int in_channels) const {
  const fs::path folder = checkpoint / "unet";
  Stage stage{load_module<UNet2DSimpleCrossAttnModel>(folder, weights, target_),
              std::make_unique<SchedulerSource>(checkpoint, SchedulerCorrections::None)};
  const fs::path file = folder / "config.json";
  expect_equal(file, "encoder_hid_dim", text_->width(), stage.unet->text_width());
  expect_equal(file, "in_channels", in_channels, stage.unet->in_channels());
  expect_equal(file, "out_channels", 2 * kChannels, stage.unet->out_channels());
  return stage;
}

DeepFloydIf::DeepFloydIf(const Opening& opening)
    : target_(opening.target),
      text_(std::make_unique<IfText>(opening.checkpoint, opening.target)),
      offload_text_encoders_(opening.options.offload_text_encoders) {
  const fs::path& checkpoint = opening.checkpoint;
  const Weights weights = Weights::open(checkpoint / "unet", "diffusion_pytorch_model");
  stage_1_ = open_stage(checkpoint, weights, kChannels);
  info_.num_inference_steps = 100;
  info_.guidance_scale = 7.0;
  info_.size_multiple = stage_1_.unet->size_multiple();
  info_.height = info_.width = stage_1_.unet->sample_size();
  describe_model(opening, stage_1_.unet->attention_layers(), weights, info_);
  if (fs::exists(checkpoint / "stage_2")) open_stage_2(checkpoint / "stage_2");
  apply_profile(checkpoint, weights, info_);
  if (offload_text_encoders_) text_->leave_device();
}

void DeepFloydIf::open_stage_2(const fs::path& checkpoint) {
  const fs::path index = checkpoint / "model_index.json";
  ComponentConfig config(index);
  config.expect("_class_name", {"\"IFSuperResolutionPipeline\""});
  check_classes(index, {{"image_noising_scheduler", {"DDPMScheduler"}},
                        {"scheduler", {"DDPMScheduler"}},
                        {"unet", {"UNet2DConditionModel"}}});
  stage_2_ = open_stage(checkpoint, Weights::open(checkpoint / "unet", "diffusion_pytorch_model"),
                        2 * kChannels);
  if (!stage_2_->unet->has_class_embedding()) {
    throw ConfigError(checkpoint / "unet" / "config.json", 0, "class_embed_type",
                      "expected timestep in stage II, found null");
  }
  const fs::path noising = checkpoint / "image_noising_scheduler" / "scheduler_config.json";
  image_noising_scheduler_ =
      Scheduler::create(load_json_object(noising), noising, "", SchedulerCorrections::None);
  if (stage_2_->unet->sample_size() % stage_1_.unet->sample_size() != 0) {
    throw ConfigError(checkpoint / "unet" / "config.json", 0, "sample_size",
                      "expected a multiple of stage I's " +
                          std::to_string(stage_1_.unet->sample_size()) + ", found " +
                          std::to_string(stage_2_->unet->sample_size()));
  }
  const Profile profile = load_profile(checkpoint);
  stage_2_->num_inference_steps =
      profile.num_inference_steps.value_or(stage_2_->num_inference_steps);
  stage_2_->guidance_scale = profile.guidance_scale.value_or(stage_2_->guidance_scale);
  info_.height = info_.width = stage_2_->unet->sample_size();
  info_.size_multiple = std::lcm(ratio() * info_.size_multiple, stage_2_->unet->size_multiple());
}

// Stage I's picture at stage II's size, with noise.
torch::Tensor DeepFloydIf::condition(const torch::Tensor& image, const ResolvedSettings& settings,
                                     ImageNoise& noise) const {
  const torch::Tensor upscaled =
      at::upsample_bilinear2d(image, {settings.height, settings.width}, /*align_corners=*/true);
  return image_noising_scheduler_->add_noise(upscaled, noise.draw(settings.height, settings.width),
                                             kNoiseLevel);
}

// What stage II reads (see the header); none if no layer is routed at the last step.
std::optional<std::size_t> routed_stream(const RoutePlan& plan, std::size_t layers, int steps) {
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::size_t stream = plan.stream(layer, steps - 1);
    if (stream != plan.base()) return stream;
  }
  return std::nullopt;
}

Result<Generation> DeepFloydIf::generate(const GenerationRequest& request, std::stop_token stop,
                                         const Progress& progress) {
  const c10::InferenceMode inference_mode;
  const Result<ResolvedSettings> resolved = resolve_settings(request, info_);
  if (!resolved) return resolved.error();
  const ResolvedSettings& settings = *resolved;
  Result<std::unique_ptr<Scheduler>> made = stage_1_.scheduler->make(request, settings.steps);
  if (!made) return made.error();
  const std::unique_ptr<Scheduler> own_scheduler = std::move(*made);
  Scheduler& scheduler = *own_scheduler;
  const auto steps_1 = static_cast<int>(scheduler.timesteps().size(0));
  const Result<RoutePlan> plan = RoutePlan::make(request, info_.attention_layers, steps_1);
  if (!plan) return plan.error();
  std::unique_ptr<Scheduler> scheduler_2;
  if (stage_2_) {
    made =
        stage_2_->scheduler->make(request, std::min(settings.steps, stage_2_->num_inference_steps));
    if (!made) return made.error();
    scheduler_2 = std::move(*made);
  }
  if (stop.stop_requested()) return cancelled();

  const int steps =
      steps_1 + (scheduler_2 ? static_cast<int>(scheduler_2->timesteps().size(0)) : 0);
  int done = 0;
  const std::function<void()> count = [&progress, &done, steps] {
    ++done;
    if (progress) progress(done, steps);
  };
  IfTexts texts(*text_, request);
  if (offload_text_encoders_) {
    texts.encode_all(*plan, /*guided=*/true);  // stage II has a guidance of its own
    text_->leave_device();
  }
  ImageNoise noise(request.seeds, target_);
  StageText text(*stage_1_.unet, texts, settings.guided());
  const StageRun run{stage_1_,
                     scheduler,
                     settings.guidance_scale,
                     text,
                     text.pooled(plan->pooled()),
                     [&](std::size_t layer, int step) { return plan->stream(layer, step); },
                     [&](int step) { return plan->changes_at(step); },
                     {}};
  std::optional<torch::Tensor> image = denoise(
      run, noise.draw(settings.height / ratio(), settings.width / ratio()), noise, stop, count);
  if (image && stage_2_) {
    const std::optional<std::size_t> routed =
        routed_stream(*plan, info_.attention_layers.size(), steps_1);
    const double guidance_scale = settings.guided() ? stage_2_->guidance_scale : 1;
    StageText text_2(*stage_2_->unet, texts, guidance_scale > 1);
    const torch::Tensor first = noise.draw(settings.height, settings.width);
    const StageRun run_2{*stage_2_,
                         *scheduler_2,
                         guidance_scale,
                         text_2,
                         text_2.pooled(routed.value_or(plan->pooled())),
                         [&](std::size_t, int) { return routed.value_or(plan->base()); },
                         [](int step) { return step == 0; },
                         condition(*image, settings, noise)};
    image = denoise(run_2, first, noise, stop, count);
  }
  if (!image || stop.stop_requested()) return cancelled();
  return to_generation(request, info_, *image, /*decoder=*/nullptr);
}

}  // namespace

std::unique_ptr<Pipeline> open_deepfloyd_if(const Opening& opening) {
  return std::make_unique<DeepFloydIf>(opening);
}

}  // namespace glyphward::model
