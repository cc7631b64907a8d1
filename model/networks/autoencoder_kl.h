// AutoencoderKL of diffusers: from latents to pictures. Reference:
// diffusers/models/autoencoders/{autoencoder_kl,vae}.py.
//
// Generation runs the decoder. The encoder's and quant_conv's tensors are accounted for, each with
// its shape, and left in the file.
#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/networks/layers.h"

namespace glyphward::model {

// Self-attention of one head over the pixels. Keys: group_norm to_q to_k to_v to_out.0; in older
// files query, key, value and proj_attn, as matrices or as 1x1 convolutions.
struct VaeAttention {
  GroupNorm group_norm;
  Linear to_q, to_k, to_v, to_out;

  VaeAttention(const Scope& scope, std::int64_t channels, std::int64_t groups);
  // [B, C, H, W] -> the same.
  torch::Tensor operator()(const torch::Tensor& input) const;
};

// UNetMidBlock2D. Keys: resnets attentions.0 (if mid_block_add_attention).
struct VaeMidBlock {
  ResnetBlock2D resnet_0;
  std::optional<VaeAttention> attention;
  ResnetBlock2D resnet_1;

  VaeMidBlock(const Scope& scope, std::int64_t channels, std::int64_t groups, bool add_attention);
  torch::Tensor operator()(torch::Tensor sample) const;
};

// UpDecoderBlock2D. Keys: resnets upsamplers.0.
struct UpDecoderBlock2D {
  std::vector<ResnetBlock2D> resnets;
  std::optional<Upsample2D> upsampler;
};

class AutoencoderKL {
 public:
  // Throws ConfigError on an option that is not implemented, and on tensors that do not fit.
  AutoencoderKL(ComponentConfig& config, ModuleWeights& weights);

  // latents [B, latent_channels, h, w], scaled as the denoiser has them -> [B, 3, h * scale_factor,
  // ...], about -1 to 1. With `tiling`, what is larger than the config's sample_size is decoded in
  // tiles of that size, each a quarter over the next (autoencoder_kl.py, tiled_decode).
  torch::Tensor decode(const torch::Tensor& latents, bool tiling = false) const;

  int latent_channels() const { return latent_channels_; }
  double shift_factor() const { return shift_factor_; }
  // Pixels a latent: 8 in all published ones.
  int scale_factor() const { return 1 << (static_cast<int>(up_blocks.size()) - 1); }

  // The modules, under the checkpoint's names.
  std::optional<Conv2d> post_quant_conv;
  std::optional<Conv2d> conv_in;
  std::optional<VaeMidBlock> mid_block;
  std::vector<UpDecoderBlock2D> up_blocks;
  std::optional<GroupNorm> conv_norm_out;
  std::optional<Conv2d> conv_out;

 private:
  struct Options;
  Options read_options(ComponentConfig& config);
  void build_decoder(const Options& options, const Scope& scope);
  torch::Tensor decode_whole(const torch::Tensor& latents) const;
  torch::Tensor decode_tiles(const torch::Tensor& latents) const;

  int latent_channels_ = 0;
  int sample_size_ = 0;  // pixels; of a tile
  double scaling_factor_ = 0;
  double shift_factor_ = 0;  // Stable Diffusion 3
};

// force_upcast: the decoder overflows in float16.
bool vae_must_upcast(const std::filesystem::path& config_file);

}  // namespace glyphward::model
