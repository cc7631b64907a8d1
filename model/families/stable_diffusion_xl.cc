// SDXL base: diffusers' StableDiffusionXLPipeline, number for number, with layer routing.
// Reference: diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py.
#include <torch/types.h>

#include <algorithm>

#include "base/config_error.h"
#include "model/families/families.h"
#include "model/families/unet_pipeline.h"
#include "model/networks/text_encoders/clip_encoder.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

// CLIP-L and OpenCLIP bigG read the same text; bigG's pooled embedding conditions the whole
// network.
class StableDiffusionXLText final : public TextEncoders {
 public:
  StableDiffusionXLText(const fs::path& checkpoint, const Target& target)
      : clip_(checkpoint, "tokenizer", "text_encoder", target),
        clip_2_(checkpoint, "tokenizer_2", "text_encoder_2", target) {
    ComponentConfig index(checkpoint / "model_index.json");
    zeros_for_nothing_ = index.boolean("force_zeros_for_empty_prompt", true);
    expect_equal(checkpoint / "tokenizer_2" / "tokenizer_config.json", "model_max_length",
                 clip_.tokenizer().model_max_length(), clip_2_.tokenizer().model_max_length());
  }

  TextEmbedding encode(const std::string& text) const override {
    const torch::Tensor states = clip_.encode(text).penultimate_hidden_state;
    const ClipTextOutput output_2 = clip_2_.encode(text);
    return {at::cat({states, output_2.penultimate_hidden_state}, -1), output_2.pooled};
  }

  TextEmbedding encode_nothing() const override {
    TextEmbedding embedding = encode("");
    if (zeros_for_nothing_) {
      embedding = {at::zeros_like(embedding.hidden_states), at::zeros_like(embedding.pooled)};
    }
    return embedding;
  }

  // What both encoders read.
  PromptFit fit(std::string_view prompt) const override {
    const PromptFit first = clip_.tokenizer().fit(prompt);
    const PromptFit second = clip_2_.tokenizer().fit(prompt);
    return first.bytes_kept <= second.bytes_kept ? first : second;
  }

  void leave_device() const override {
    clip_.leave_device();
    clip_2_.leave_device();
  }

  int width() const { return clip_.model().hidden_size() + clip_2_.model().hidden_size(); }
  int pooled_width() const { return clip_2_.model().projection_dim(); }

 private:
  ClipEncoder<ClipTextModel> clip_;
  ClipEncoder<ClipTextModelWithProjection> clip_2_;
  bool zeros_for_nothing_ = true;
};

}  // namespace

std::unique_ptr<Pipeline> open_stable_diffusion_xl(const Opening& opening) {
  auto text = std::make_unique<StableDiffusionXLText>(opening.checkpoint, opening.target);
  const UNetFamily family{
      .guidance_scale = 5.0, .text_width = text->width(), .pooled_width = text->pooled_width()};
  return open_unet_pipeline(opening, family, std::move(text));
}

}  // namespace glyphward::model
