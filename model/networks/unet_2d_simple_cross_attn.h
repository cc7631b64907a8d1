// UNet2DConditionModel of diffusers as DeepFloyd IF uses it: the same class as Stable Diffusion's,
// but other blocks (docs/METHOD.md, section 7). References: diffusers/models/unets/
// unet_2d_blocks.py (SimpleCrossAttn*, Resnet*sampleBlock2D), models/attention_processor.py
// (AttnAddedKVProcessor2_0), models/embeddings.py (TextTimeEmbedding, AttentionPooling).
//
// The text comes in at two places:
//
//   pool_text()     one vector of the whole text, by attention pooling, added to the time
//   embedding:
//                   it reaches every resnet. Route::pooled says whose.
//   project_text()  the tokens, in the width of the attentions. Each attention makes its keys and
//                   values of them, through a group norm and matrices of its own (norm_cross,
//                   add_k_proj, add_v_proj), and puts them before the picture's own:
//
//                       attn(Q = Q_picture, K = [K_text; K_picture], V = [V_text; V_picture])
//
// So one layer is cross-attention and self-attention at once. Unlike in SD3's joint attention the
// text has no queries and is never rewritten: K_text and V_text of a layer depend on the text
// alone. They are made once per request and text, and a route is the choice, for each layer, of
// whose.
//
// Resnets scale and shift by the time (FiLM) after the second norm, and change the size themselves.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/networks/layers.h"

namespace glyphward::model {

// What the resnets of one network have in common.
struct SimpleResnetStyle {
  std::int64_t temb_channels = 0;
  std::int64_t groups = 32;
  double eps = 1e-5;
  bool skip_time_act = false;      // the time embedding comes activated
  double output_scale_factor = 1;  // the sum with the residual is divided by it
};

// Keys: norm1 conv1 time_emb_proj norm2 conv2 conv_shortcut (where the width changes).
struct SimpleResnet {
  enum class Resample { None, Down, Up };

  GroupNorm norm1;
  Conv2d conv1;
  Linear time_emb_proj;  // scale and shift
  GroupNorm norm2;
  Conv2d conv2;
  std::optional<Conv2d> conv_shortcut;
  Resample resample;
  bool skip_time_act;
  double output_scale_factor;

  SimpleResnet(const Scope& scope, std::int64_t in, std::int64_t out,
               const SimpleResnetStyle& style, Resample resample = Resample::None);
  // input [B, in, H, W], temb [B, temb_channels] -> [B, out, H, W], halved or doubled.
  torch::Tensor operator()(torch::Tensor input, const torch::Tensor& temb) const;
};

// Keys: group_norm to_q to_k to_v to_out.0 norm_cross add_k_proj add_v_proj. Without to_k and to_v
// where only_cross_attention.
struct AddedKvAttention {
  GroupNorm group_norm;
  Linear to_q;
  std::optional<Linear> to_k, to_v;
  Linear to_out;
  GroupNorm norm_cross;
  Linear add_k_proj, add_v_proj;
  std::int64_t heads;
  std::string path;        // "up_blocks.1.attentions.3"
  std::size_t text_layer;  // its index in forward order

  struct Sizes {
    std::int64_t channels, text_channels, heads, groups;
    bool only_cross_attention;
  };
  AddedKvAttention(const Scope& scope, const Sizes& sizes, std::size_t text_layer);
  // states [B, T, text_channels] -> the text's key and value [B, T, channels]: they do not depend
  // on the step.
  KeyValue key_value(const torch::Tensor& states) const;
  // input [B, C, H, W] -> the same.
  torch::Tensor operator()(const torch::Tensor& input, const KeyValue& text) const;
};

// SimpleCrossAttnDownBlock2D, or ResnetDownsampleBlock2D if it has no attentions; the same upward.
// Keys: resnets attentions downsamplers.0 or upsamplers.0.
struct SimpleBlock {
  std::vector<SimpleResnet> resnets;
  std::vector<AddedKvAttention> attentions;
  std::optional<SimpleResnet> sampler;
};

// Pools a text to one vector. Keys: norm1 pool.{positional_embedding,q_proj,k_proj,v_proj} proj
// norm2.
struct TextTimeEmbedding {
  LayerNorm norm1;
  torch::Tensor positional_embedding;  // [1, in]
  Linear q_proj, k_proj, v_proj;
  Linear proj;
  LayerNorm norm2;
  std::int64_t heads;

  TextTimeEmbedding(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t heads);
  // [B, T, in] -> [B, out]
  torch::Tensor operator()(const torch::Tensor& states) const;
};

class UNet2DSimpleCrossAttnModel {
 public:
  // Throws ConfigError on an option that is not implemented, and on tensors that do not fit.
  UNet2DSimpleCrossAttnModel(ComponentConfig& config, ModuleWeights& weights);

  // Of a text encoder's states [B, T, text_width]: what conditions the whole network [B,
  // time_channels], and what the attentions read [B, T, cross_attention_dim].
  torch::Tensor pool_text(const torch::Tensor& states) const;
  torch::Tensor project_text(const torch::Tensor& states) const;

  // sample [B, in_channels, H, W], timestep: one number, `text` by attention, `pooled` [B,
  // time_channels], `noise_level` read where has_class_embedding() -> [B, out_channels, H, W].
  torch::Tensor operator()(torch::Tensor sample, const torch::Tensor& timestep,
                           const std::vector<KeyValue>& text, const torch::Tensor& pooled,
                           double noise_level = 0) const;

  // Every attention, in forward order (down, mid, up).
  const std::vector<std::string>& attention_layers() const { return attention_layers_; }
  const AddedKvAttention& attention(std::size_t text_layer) const {
    return *attentions_[text_layer];
  }
  int in_channels() const { return in_channels_; }
  int out_channels() const { return out_channels_; }
  int text_width() const { return text_width_; }
  int sample_size() const { return sample_size_; }
  // Height and width must be multiples of it.
  int size_multiple() const { return 1 << (static_cast<int>(down_blocks.size()) - 1); }
  bool has_class_embedding() const { return class_embedding_linear_1.has_value(); }

  UNet2DSimpleCrossAttnModel(const UNet2DSimpleCrossAttnModel&) = delete;
  UNet2DSimpleCrossAttnModel& operator=(const UNet2DSimpleCrossAttnModel&) = delete;

  // The modules, under the checkpoint's names.
  std::optional<Conv2d> conv_in;
  std::optional<Linear> time_embedding_linear_1, time_embedding_linear_2;
  std::optional<Linear> class_embedding_linear_1, class_embedding_linear_2;
  std::optional<TextTimeEmbedding> add_embedding;
  std::optional<Linear> encoder_hid_proj;
  std::vector<SimpleBlock> down_blocks;
  SimpleBlock mid_block;
  std::vector<SimpleBlock> up_blocks;
  std::optional<GroupNorm> conv_norm_out;
  std::optional<Conv2d> conv_out;

 private:
  struct Options;
  Options read_options(ComponentConfig& config);
  void read_embeddings(ComponentConfig& config, Options& options);
  void build(const Options& options, ModuleWeights& weights);
  void build_embeddings(const Options& options, const Scope& scope);
  void collect_attention_layers();
  torch::Tensor embed(const torch::Tensor& number, const torch::Tensor& like) const;

  int in_channels_ = 0;
  int out_channels_ = 0;
  int text_width_ = 0;
  int sample_size_ = 0;
  int first_channels_ = 0;
  bool flip_sin_to_cos_ = true;
  double freq_shift_ = 0;
  bool activate_time_ = false;

  std::vector<std::string> attention_layers_;
  std::vector<const AddedKvAttention*> attentions_;  // point into the blocks above
};

}  // namespace glyphward::model
