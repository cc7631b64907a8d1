// T5EncoderModel of transformers, as published for T5 v1.1 (gated GELU): the text encoder of
// DeepFloyd IF and the third one of Stable Diffusion 3. Reference:
// transformers/models/t5/modeling_t5.py.
#pragma once

#include <torch/types.h>

#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/networks/layers.h"

namespace glyphward::model {

// Root mean square, in float32. Key: weight.
struct T5LayerNorm {
  torch::Tensor weight;
  double eps;

  T5LayerNorm(const Scope& scope, std::int64_t channels, double eps);
  torch::Tensor operator()(const torch::Tensor& hidden_states) const;
};

// Keys: layer.0.layer_norm layer.0.SelfAttention.{q,k,v,o} layer.1.layer_norm
// layer.1.DenseReluDense.{wi_0,wi_1,wo}.
struct T5Block {
  T5LayerNorm attention_norm;
  Linear q, k, v, o;
  T5LayerNorm ff_norm;
  Linear wi_0, wi_1;
  Linear wo;  // float32 under float16: its sums overflow
  std::int64_t heads;

  struct Sizes {
    std::int64_t channels, inner, intermediate, heads;
    double eps;
  };
  T5Block(const Scope& scope, const Sizes& sizes);
  // hidden_states [B, T, C], bias [B or 1, heads, T, T], added to the attention's scores.
  torch::Tensor operator()(torch::Tensor hidden_states, const torch::Tensor& bias) const;
};

class T5EncoderModel {
 public:
  // Throws ConfigError.
  T5EncoderModel(ComponentConfig& config, ModuleWeights& weights);

  // ids [B, T], int64, on the CPU or the device. `count` tokens from the left are seen, the others
  // are masked (DeepFloyd IF); T for all of them (Stable Diffusion 3). -> [B, T, d_model].
  torch::Tensor operator()(const torch::Tensor& ids, std::int64_t count) const;
  int d_model() const { return d_model_; }
  int vocab_size() const { return vocab_size_; }

 private:
  torch::Tensor position_bias(std::int64_t length) const;

  int d_model_ = 0;
  int vocab_size_ = 0;
  int buckets_ = 0;
  int max_distance_ = 0;
  torch::Tensor embed_tokens_;             // [vocab, d_model]
  torch::Tensor relative_attention_bias_;  // [buckets, heads]
  std::vector<T5Block> blocks_;
  std::optional<T5LayerNorm> final_layer_norm_;
};

}  // namespace glyphward::model
