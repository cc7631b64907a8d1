// Text to image with a UNet over latents: what latent diffusion, Stable Diffusion and SDXL share.
// They differ in how a text becomes what the UNet reads, and in their defaults. Internal to model/.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "model/families/pipeline_parts.h"
#include "model/networks/autoencoder_kl.h"
#include "model/networks/unet_2d_condition.h"
#include "model/pipeline.h"

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

// A family as it was loaded; `info` holds its defaults.
struct UNetPipelineParts {
  Target target;
  SchedulerSource scheduler;
  std::unique_ptr<const TextEncoders> text;
  std::unique_ptr<const UNet2DConditionModel> unet;
  std::unique_ptr<const AutoencoderKL> vae;
  torch::Dtype vae_dtype;
  LoadOptions options;
  ModelInfo info;
};
std::unique_ptr<Pipeline> make_unet_pipeline(UNetPipelineParts parts);

// The parts that are opened alike: scheduler/, unet/, the autoencoder under `vae_folder`, and of
// `info` all but the family's own defaults, over which glyphward.json goes. `text_width` and
// `pooled_width` (0: none) are the text encoders', for the check that the components fit. Throws
// ConfigError.
struct UNetFamily {
  std::string family;
  std::string vae_folder = "vae";
  SchedulerCorrections corrections = SchedulerCorrections::None;
  double guidance_scale = 7.5;
  int text_width = 0;
  int pooled_width = 0;
};
UNetPipelineParts open_unet_parts(const std::filesystem::path& checkpoint,
                                  const LoadOptions& options, const Target& target,
                                  const UNetFamily& family,
                                  std::unique_ptr<const TextEncoders> text);

}  // namespace glyphward::model
