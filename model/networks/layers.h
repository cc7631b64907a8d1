// The layers that the networks share. Each takes its tensors from a Scope as it is built; its
// members are the checkpoint's keys. Callable: `conv_in(sample)`. Immutable once built.
#pragma once

#include <torch/types.h>

#include <optional>

#include "model/networks/module_weights.h"

namespace glyphward::model {

// Keys: weight bias.
struct Linear {
  torch::Tensor weight;  // [out, in]
  torch::Tensor bias;    // undefined if there is none

  Linear(const Scope& scope, std::int64_t in, std::int64_t out, bool has_bias = true);
  Linear(torch::Tensor weight, torch::Tensor bias);
  torch::Tensor operator()(const torch::Tensor& input) const;
};

// Keys: weight bias. A square kernel, padded to keep the size at stride 1 unless told otherwise.
struct Conv2d {
  torch::Tensor weight;  // [out, in, kernel, kernel]
  torch::Tensor bias;
  std::int64_t stride;
  std::int64_t padding;

  Conv2d(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t kernel);
  Conv2d(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t kernel,
         std::int64_t stride, std::int64_t padding);
  torch::Tensor operator()(const torch::Tensor& input) const;
};

// Keys: weight bias.
struct LayerNorm {
  torch::Tensor weight;
  torch::Tensor bias;
  double eps;

  LayerNorm(const Scope& scope, std::int64_t channels, double eps);
  torch::Tensor operator()(const torch::Tensor& input) const;
};

// Keys: weight bias.
struct GroupNorm {
  torch::Tensor weight;
  torch::Tensor bias;
  std::int64_t groups;
  double eps;

  GroupNorm(const Scope& scope, std::int64_t channels, std::int64_t groups, double eps);
  torch::Tensor operator()(const torch::Tensor& input) const;
};

// Keys: norm1 conv1 time_emb_proj norm2 conv2 conv_shortcut (where the width changes).
struct ResnetBlock2D {
  GroupNorm norm1;
  Conv2d conv1;
  std::optional<Linear> time_emb_proj;  // none in an autoencoder
  GroupNorm norm2;
  Conv2d conv2;
  std::optional<Conv2d> conv_shortcut;

  // temb_channels 0: no time embedding.
  ResnetBlock2D(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t temb_channels,
                std::int64_t groups, double eps);
  // input [B, in, H, W], temb [B, temb_channels] or undefined -> [B, out, H, W].
  torch::Tensor operator()(const torch::Tensor& input, const torch::Tensor& temb = {}) const;
};

// Keys: conv. [B, C, H, W] -> half the size. Padding 0 pads right and below only, as autoencoders
// do.
struct Downsample2D {
  Conv2d conv;

  Downsample2D(const Scope& scope, std::int64_t channels, std::int64_t padding);
  torch::Tensor operator()(const torch::Tensor& input) const;
};

// Keys: conv. Nearest neighbour, then a convolution.
struct Upsample2D {
  Conv2d conv;

  Upsample2D(const Scope& scope, std::int64_t channels);
  // To the size of the skip connection that comes next: it may be odd.
  torch::Tensor operator()(const torch::Tensor& input, torch::IntArrayRef size) const;
};

// numbers [N] -> [N, dim], in float32, whatever the network's dtype. `freq_shift` and the order as
// get_timestep_embedding (diffusers/models/embeddings.py) has them.
torch::Tensor sinusoids(const torch::Tensor& numbers, int dim, bool cos_first = true,
                        double freq_shift = 0);

// Keys and values of a sequence, before the heads are split: [B, T, D].
struct KeyValue {
  torch::Tensor key;
  torch::Tensor value;
};

// Scaled dot product attention over `heads` heads. query [B, N, D], key and value [B, T, D] -> [B,
// N, D].
torch::Tensor attend(const torch::Tensor& query, const KeyValue& source, std::int64_t heads,
                     bool is_causal = false);

}  // namespace glyphward::model
