// Stable Diffusion 1.x and 2.x: diffusers' StableDiffusionPipeline, number for number, with layer
// routing. Reference: diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py.
#include <torch/types.h>

#include "base/config_error.h"
#include "model/families/families.h"
#include "model/families/unet_pipeline.h"
#include "model/networks/text_encoders/clip_encoder.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

class StableDiffusionText final : public TextEncoders {
 public:
  StableDiffusionText(const fs::path& checkpoint, const Target& target)
      : clip_(checkpoint, "tokenizer", "text_encoder", target) {}

  TextEmbedding encode(const std::string& text) const override {
    return {clip_.encode(text).last_hidden_state, {}};
  }
  PromptFit fit(std::string_view prompt) const override { return clip_.tokenizer().fit(prompt); }
  void leave_device() const override { clip_.leave_device(); }
  int width() const { return clip_.model().hidden_size(); }

 private:
  ClipEncoder<ClipTextModel> clip_;
};

}  // namespace

std::unique_ptr<Pipeline> open_stable_diffusion(const Opening& opening) {
  auto text = std::make_unique<StableDiffusionText>(opening.checkpoint, opening.target);
  const UNetFamily family{.corrections = SchedulerCorrections::StableDiffusion,
                          .text_width = text->width()};
  return open_unet_pipeline(opening, family, std::move(text));
}

}  // namespace glyphward::model
