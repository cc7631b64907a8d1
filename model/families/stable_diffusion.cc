#include "model/families/stable_diffusion.h"

#include <torch/types.h>

#include "base/config_error.h"
#include "model/families/clip_encoder.h"
#include "model/families/unet_pipeline.h"

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

std::unique_ptr<Pipeline> load_stable_diffusion(const fs::path& checkpoint,
                                                const LoadOptions& options) {
  const Target target = open_target(checkpoint, options);
  check_classes(checkpoint / "model_index.json",
                {{"text_encoder", {"CLIPTextModel"}},
                 {"tokenizer", {"CLIPTokenizer", "CLIPTokenizerFast"}},
                 {"unet", {"UNet2DConditionModel"}},
                 {"vae", {"AutoencoderKL"}}});
  auto text = std::make_unique<StableDiffusionText>(checkpoint, target);
  const UNetFamily family{.family = "stable-diffusion",
                          .corrections = SchedulerCorrections::StableDiffusion,
                          .text_width = text->width()};
  return make_unet_pipeline(open_unet_parts(checkpoint, options, target, family, std::move(text)));
}

}  // namespace glyphward::model
