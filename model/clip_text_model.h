// CLIPTextModel of transformers: the text encoder of Stable Diffusion 1.x (CLIP-L, quick_gelu)
// and 2.x (OpenCLIP-H, gelu). Reference: transformers/models/clip/modeling_clip.py.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "model/checkpoint.h"
#include "model/layers.h"

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

class ClipTextModel {
 public:
  // Keys with and without the prefix `text_model.` (METHOD: as published, as transformers 5 saves).
  // Throws ConfigError.
  ClipTextModel(ComponentConfig& config, ModuleWeights& weights);

  // ids [B, T], int64, on the CPU or the device -> last hidden state, final-normed, [B, T,
  // hidden_size].
  torch::Tensor operator()(const torch::Tensor& ids) const;
  int hidden_size() const { return hidden_size_; }
  int max_position_embeddings() const { return max_position_embeddings_; }
  int vocab_size() const { return vocab_size_; }

 private:
  int hidden_size_;
  int max_position_embeddings_;
  int vocab_size_;
  torch::Tensor token_embedding_;     // [vocab, C]
  torch::Tensor position_embedding_;  // [positions, C]
  std::vector<ClipEncoderLayer> layers_;
  std::optional<LayerNorm> final_layer_norm_;
};

}  // namespace glyphward::model
