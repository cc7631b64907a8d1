// LDMBertModel: the text encoder of CompVis' latent diffusion. Not BERT: a pre-norm transformer
// over BERT's tokens, neither causal nor masked. Reference:
// diffusers/pipelines/latent_diffusion/pipeline_latent_diffusion.py.
#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/networks/layers.h"

namespace glyphward::model {

// Keys: self_attn.{q,k,v,out}_proj self_attn_layer_norm fc1 fc2 final_layer_norm.
struct LdmBertEncoderLayer {
  LayerNorm self_attn_layer_norm;
  Linear q_proj, k_proj, v_proj, out_proj;
  LayerNorm final_layer_norm;
  Linear fc1, fc2;
  std::int64_t heads;

  // The heads' width is free: `inner` is heads times it.
  LdmBertEncoderLayer(const Scope& scope, std::int64_t channels, std::int64_t inner,
                      std::int64_t intermediate, std::int64_t heads);
  // [B, T, C] -> [B, T, C]
  torch::Tensor operator()(torch::Tensor hidden_states) const;
};

// Keys: model.{embed_tokens,embed_positions,layers,layer_norm} to_logits (accounted for, not used).
class LdmBertModel {
 public:
  // Throws ConfigError.
  LdmBertModel(ComponentConfig& config, ModuleWeights& weights);

  // ids [B, T], int64, on the CPU or the device -> [B, T, hidden_size].
  torch::Tensor operator()(const torch::Tensor& ids) const;
  int hidden_size() const { return hidden_size_; }
  int max_position_embeddings() const { return max_position_embeddings_; }

 private:
  int hidden_size_;
  int max_position_embeddings_;
  torch::Tensor embed_tokens_;     // [vocab, C]
  torch::Tensor embed_positions_;  // [positions, C]
  std::vector<LdmBertEncoderLayer> layers_;
  std::optional<LayerNorm> layer_norm_;
};

}  // namespace glyphward::model
