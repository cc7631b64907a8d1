// UNet2DConditionModel of diffusers, as latent diffusion, Stable Diffusion 1.x and 2.x and SDXL use
// it. References: diffusers/models/unets/unet_2d_condition.py and unet_2d_blocks.py,
// models/transformers/transformer_2d.py, models/attention.py.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/networks/layers.h"

namespace glyphward::model {

// What each cross-attention layer reads at one step, by its index in forward order (down, mid, up):
// key and value [B, T, D of the layer]. This is the only way by which a text's tokens reach the
// network; SDXL's pooled text comes by AddedConditions beside it.
//
// A layer computes attn(Q = W_Q x, K = W_K e, V = W_V e) of the picture's states x and a text's e.
// The text's side does not depend on x or on the step, so K and V of a text are made once per layer
// and request, outside of the network (Attention::key_value). To inject another text into one layer
// (the paper, section 3; docs/METHOD.md, section 1) is to put that text's K and V into the layer's
// place here: the network runs the same, at the same cost, and knows of no route. In the batch
// [uncond x images, cond x images] only the second half is ever another text's.
//
// Forward order is not the order of named_modules(), which lists up before mid: the paper's layers
// 55 to 57 of SDXL are up_blocks.0's in the one and up_blocks.1's in the other (section 2).
using TextRoute = std::vector<KeyValue>;

// What conditions the whole network beside the text that its layers read (SDXL).
struct AddedConditions {
  torch::Tensor text_embeds;  // pooled, [B, pooled_dim]
  torch::Tensor time_ids;     // [B, n]: numbers that become sinusoids
};

// Keys: to_q to_k to_v to_out.0.
struct Attention {
  Linear to_q, to_k, to_v, to_out;
  std::int64_t heads;

  Attention(const Scope& scope, std::int64_t channels, std::int64_t context, std::int64_t heads);
  // states [B, T, context] -> key and value [B, T, channels].
  KeyValue key_value(const torch::Tensor& states) const { return {to_k(states), to_v(states)}; }
  torch::Tensor operator()(const torch::Tensor& hidden_states, const KeyValue& source) const {
    return to_out(attend(to_q(hidden_states), source, heads));
  }
};

// Block of UNet2DConditionModel. Keys: norm1 attn1 norm2 attn2 norm3 ff.net.0.proj ff.net.2.
struct BasicTransformerBlock {
  LayerNorm norm1;
  Attention attn1;
  LayerNorm norm2;
  Attention attn2;
  LayerNorm norm3;
  Linear ff_proj;  // both halves of GEGLU
  Linear ff_out;
  std::string attn2_path;  // "down_blocks.0.attentions.0.transformer_blocks.0.attn2"
  std::size_t text_layer;  // its index in a TextRoute

  BasicTransformerBlock(const Scope& scope, std::int64_t channels, std::int64_t context,
                        std::int64_t heads, std::size_t text_layer);
  // hidden_states [B, N, C].
  torch::Tensor operator()(torch::Tensor hidden_states, const TextRoute& text) const;
};

// Keys: norm proj_in transformer_blocks proj_out. proj_in and proj_out are Linear (SD 2.x) or 1x1
// convolutions (SD 1.x).
struct Transformer2DModel {
  GroupNorm norm;
  std::optional<Linear> linear_in, linear_out;
  std::optional<Conv2d> conv_in, conv_out;
  std::vector<BasicTransformerBlock> transformer_blocks;

  // `text_layers` counts cross-attention layers in forward order; this adds its own.
  Transformer2DModel(const Scope& scope, std::int64_t channels, std::int64_t context,
                     std::int64_t heads, int layers, std::int64_t groups,
                     bool use_linear_projection, std::size_t& text_layers);
  // [B, C, H, W] -> the same.
  torch::Tensor operator()(const torch::Tensor& input, const TextRoute& text) const;
};

// CrossAttnDownBlock2D, or DownBlock2D if it has no attentions. Keys: resnets attentions
// downsamplers.0.
struct DownBlock2D {
  std::vector<ResnetBlock2D> resnets;
  std::vector<Transformer2DModel> attentions;
  std::optional<Downsample2D> downsampler;
};

// UNetMidBlock2DCrossAttn. Keys: resnets attentions.
struct MidBlock2D {
  std::vector<ResnetBlock2D> resnets;  // 2, or none if the network has no mid block
  std::vector<Transformer2DModel> attentions;
};

// CrossAttnUpBlock2D, or UpBlock2D if it has no attentions. Keys: resnets attentions upsamplers.0.
struct UpBlock2D {
  std::vector<ResnetBlock2D> resnets;
  std::vector<Transformer2DModel> attentions;
  std::optional<Upsample2D> upsampler;
};

// One name for each of block_out_channels, each one of two: with attention, and without. Throws
// ConfigError.
std::vector<std::string> read_block_types(ComponentConfig& config, const std::string& key,
                                          std::size_t blocks, const std::string& with,
                                          const std::string& without);

class UNet2DConditionModel {
 public:
  // Throws ConfigError on an option that is not implemented, and on tensors that do not fit.
  UNet2DConditionModel(ComponentConfig& config, ModuleWeights& weights);

  // sample [B, in_channels, H, W], timestep: one number -> predicted noise (or v) [B, out_channels,
  // H, W].
  // `added` is read where has_added_conditions().
  torch::Tensor operator()(torch::Tensor sample, const torch::Tensor& timestep,
                           const TextRoute& text, const AddedConditions& added = {}) const;

  // Every cross-attention layer, in forward order: paths and modules.
  const std::vector<std::string>& attention_layers() const { return attention_layers_; }
  const Attention& attention(std::size_t text_layer) const { return *attentions_[text_layer]; }

  int in_channels() const { return in_channels_; }
  int out_channels() const { return out_channels_; }
  int cross_attention_dim() const { return cross_attention_dim_; }
  // Height and width of the latents it was made for.
  std::pair<int, int> sample_size() const { return sample_size_; }
  bool has_added_conditions() const { return add_embedding_linear_1.has_value(); }
  // The width of AddedConditions::text_embeds if there are `time_ids` numbers.
  int pooled_dim(int time_ids) const { return added_dim_ - time_ids * added_time_dim_; }

  UNet2DConditionModel(const UNet2DConditionModel&) = delete;
  UNet2DConditionModel& operator=(const UNet2DConditionModel&) = delete;

  // The modules, under the checkpoint's names.
  std::optional<Conv2d> conv_in;
  std::optional<Linear> time_embedding_linear_1, time_embedding_linear_2;
  std::optional<Linear> add_embedding_linear_1, add_embedding_linear_2;
  std::vector<DownBlock2D> down_blocks;
  MidBlock2D mid_block;
  std::vector<UpBlock2D> up_blocks;
  std::optional<GroupNorm> conv_norm_out;
  std::optional<Conv2d> conv_out;

 private:
  struct Options;
  Options read_options(ComponentConfig& config);
  void build(const Options& options, ModuleWeights& weights);
  void build_embeddings(std::int64_t channels, const Scope& scope);
  static void read_transformer_layers(ComponentConfig& config, Options& options);
  void read_added_conditions(ComponentConfig& config);
  void check_options(ComponentConfig& config, const Options& options) const;
  void collect_attention_layers();
  torch::Tensor embed_time(const torch::Tensor& timestep, const torch::Tensor& sample) const;
  torch::Tensor embed_added(const AddedConditions& added) const;

  int in_channels_ = 0;
  int out_channels_ = 0;
  int cross_attention_dim_ = 0;
  std::pair<int, int> sample_size_;
  int time_channels_ = 0;
  bool flip_sin_to_cos_ = true;
  double freq_shift_ = 0;
  int added_dim_ = 0;       // of pooled text and sinusoids together
  int added_time_dim_ = 0;  // of one number's sinusoids

  std::vector<std::string> attention_layers_;
  std::vector<const Attention*> attentions_;  // point into the blocks above
};

}  // namespace glyphward::model
