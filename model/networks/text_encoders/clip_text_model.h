// CLIPTextModel and CLIPTextModelWithProjection of transformers: the text encoders of Stable
// Diffusion 1.x (CLIP-L, quick_gelu), 2.x (OpenCLIP-H, gelu), SDXL and SD3 (CLIP-L and bigG).
// Reference: transformers/models/clip/modeling_clip.py.
#pragma once

#include <torch/types.h>

#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/networks/layers.h"

namespace glyphward::model {

// Keys: self_attn.{q,k,v,out}_proj layer_norm1 mlp.fc1 mlp.fc2 layer_norm2.
struct ClipEncoderLayer {
  LayerNorm layer_norm1;
  Linear q_proj, k_proj, v_proj, out_proj;
  LayerNorm layer_norm2;
  Linear fc1, fc2;
  std::int64_t heads;
  bool quick_gelu;

  ClipEncoderLayer(const Scope& scope, std::int64_t channels, std::int64_t intermediate,
                   std::int64_t heads, double eps, bool quick_gelu);
  // [B, T, C] -> [B, T, C]; a token sees only those before it.
  torch::Tensor operator()(torch::Tensor hidden_states) const;
};

// What a family may want of one pass.
struct ClipTextOutput {
  torch::Tensor last_hidden_state;         // [B, T, C], final-normed
  torch::Tensor penultimate_hidden_state;  // [B, T, C], before the last layer, not normed
  torch::Tensor pooled;                    // [B, C]: last_hidden_state where the text ends
};

class ClipTextModel {
 public:
  // Keys with and without the prefix `text_model.` (as published, and as transformers 5 saves:
  // docs/METHOD.md, section 6). Throws ConfigError.
  ClipTextModel(ComponentConfig& config, ModuleWeights& weights);

  // ids [B, T], int64, on the CPU or the device.
  ClipTextOutput operator()(const torch::Tensor& ids) const;
  int hidden_size() const { return hidden_size_; }
  int max_position_embeddings() const { return max_position_embeddings_; }
  int vocab_size() const { return vocab_size_; }

 private:
  int hidden_size_;
  int max_position_embeddings_;
  int vocab_size_;
  std::int64_t eos_token_id_;
  torch::Tensor token_embedding_;     // [vocab, C]
  torch::Tensor position_embedding_;  // [positions, C]
  std::vector<ClipEncoderLayer> layers_;
  std::optional<LayerNorm> final_layer_norm_;
};

// Keys: text_model text_projection.
class ClipTextModelWithProjection {
 public:
  // Throws ConfigError.
  ClipTextModelWithProjection(ComponentConfig& config, ModuleWeights& weights);

  // The model's output; its `pooled` is projected: [B, projection_dim].
  ClipTextOutput operator()(const torch::Tensor& ids) const;
  int hidden_size() const { return text_model_.hidden_size(); }
  int max_position_embeddings() const { return text_model_.max_position_embeddings(); }
  int projection_dim() const { return projection_dim_; }

 private:
  int projection_dim_;
  ClipTextModel text_model_;
  Linear text_projection_;
};

}  // namespace glyphward::model
