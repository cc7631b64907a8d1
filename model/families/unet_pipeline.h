// Text to image with a UNet over latents: what latent diffusion, Stable Diffusion and SDXL share.
// They differ in how a text becomes what the UNet reads, and in their defaults. Internal to model/.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "model/families/open.h"
#include "model/pipeline.h"
#include "model/schedulers/scheduler.h"

namespace glyphward::model {

// A text as the denoiser reads it.
struct TextEmbedding {
  torch::Tensor hidden_states;  // [1, T, C], for the cross-attention layers
  torch::Tensor pooled;         // [1, P], for the whole network; undefined if the family has none
};

// A family's tokenizers and text encoders.
class TextEncoders {
 public:
  virtual ~TextEncoders() = default;
  virtual TextEmbedding encode(const std::string& text) const = 0;
  // What guidance leads away from if no negative prompt is given.
  virtual TextEmbedding encode_nothing() const { return encode(""); }
  virtual PromptFit fit(std::string_view prompt) const = 0;  // thread-safe
  // Until the next text is encoded.
  virtual void leave_device() const = 0;
};

// What the families do not share beside their texts; their defaults, over which glyphward.json
// goes.
struct UNetFamily {
  std::string vae_folder = "vae";
  SchedulerCorrections corrections = SchedulerCorrections::None;
  double guidance_scale = 7.5;
  // The text encoders', for the check that the components fit.
  int text_width = 0;
  int pooled_width = 0;  // 0: none
};
// Opens scheduler/, unet/ and the autoencoder under `vae_folder`. Throws ConfigError.
std::unique_ptr<Pipeline> open_unet_pipeline(const Opening& opening, const UNetFamily& family,
                                             std::unique_ptr<const TextEncoders> text);

}  // namespace glyphward::model
