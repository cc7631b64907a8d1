#include "model/families/latent_diffusion.h"

#include <torch/types.h>

#include "model/families/unet_pipeline.h"
#include "model/networks/text_encoders/ldm_bert.h"
#include "model/tokenizers/bert_tokenizer.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

class LatentDiffusionText final : public TextEncoders {
 public:
  LatentDiffusionText(const fs::path& checkpoint, const Target& target)
      : model_(checkpoint / "bert", Weights::open(checkpoint / "bert", "model"), target),
        tokenizer_(
            BertTokenizer::load(checkpoint / "tokenizer", model_->max_position_embeddings())) {}

  TextEmbedding encode(const std::string& text) const override {
    const std::vector<std::int64_t> ids = tokenizer_->encode(text);
    return {(*model_)(torch::tensor(ids, torch::kInt64).unsqueeze(0)), {}};
  }
  PromptFit fit(std::string_view prompt) const override { return tokenizer_->fit(prompt); }
  void leave_device() const override { model_.leave_device(); }
  int width() const { return model_->hidden_size(); }

 private:
  OnDemand<LdmBertModel> model_;
  std::unique_ptr<const BertTokenizer> tokenizer_;
};

}  // namespace

std::unique_ptr<Pipeline> load_latent_diffusion(const fs::path& checkpoint,
                                                const LoadOptions& options) {
  const Target target = open_target(checkpoint, options);
  check_classes(checkpoint / "model_index.json",
                {{"bert", {"LDMBertModel"}},
                 {"tokenizer", {"BertTokenizer", "BertTokenizerFast"}},
                 {"unet", {"UNet2DConditionModel"}},
                 {"vqvae", {"AutoencoderKL"}}});
  auto text = std::make_unique<LatentDiffusionText>(checkpoint, target);
  const UNetFamily family{.family = "latent-diffusion",
                          .vae_folder = "vqvae",
                          .guidance_scale = 1.0,
                          .text_width = text->width()};
  return make_unet_pipeline(open_unet_parts(checkpoint, options, target, family, std::move(text)));
}

}  // namespace glyphward::model
