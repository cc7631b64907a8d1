// CompVis' latent diffusion (ldm-text2im-large-256): diffusers' LDMTextToImagePipeline, number for
// number, with layer routing. Its autoencoder, under the key vqvae, must be an AutoencoderKL.
// Guidance is off (1) unless asked for. Reference:
// diffusers/pipelines/latent_diffusion/pipeline_latent_diffusion.py.
#include <torch/types.h>

#include "model/families/families.h"
#include "model/families/unet_pipeline.h"
#include "model/networks/text_encoders/ldm_bert.h"
#include "model/networks/text_encoders/on_demand.h"
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

std::unique_ptr<Pipeline> open_latent_diffusion(const Opening& opening) {
  auto text = std::make_unique<LatentDiffusionText>(opening.checkpoint, opening.target);
  const UNetFamily family{
      .vae_folder = "vqvae", .guidance_scale = 1.0, .text_width = text->width()};
  return open_unet_pipeline(opening, family, std::move(text));
}

}  // namespace glyphward::model
