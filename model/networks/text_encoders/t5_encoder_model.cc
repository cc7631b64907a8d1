#include "model/networks/text_encoders/t5_encoder_model.h"

#include <cmath>
#include <limits>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

// What float16 cannot hold becomes its largest number, so that the next layer's norm can work.
torch::Tensor clamp_half(const torch::Tensor& hidden_states) {
  if (hidden_states.dtype() != torch::kFloat16) return hidden_states;
  const double max = std::numeric_limits<c10::Half>::max();
  return at::isinf(hidden_states).any().item<bool>()
             ? hidden_states.clamp(-(max - 1000), max - 1000)
             : hidden_states;
}

// transformers' "gelu_new", term by term: at::gelu(x, "tanh") rounds otherwise.
torch::Tensor new_gelu(const torch::Tensor& x) {
  return 0.5 * x * (1.0 + at::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * at::pow(x, 3.0))));
}

}  // namespace

T5LayerNorm::T5LayerNorm(const Scope& scope, std::int64_t channels, double eps_)
    : weight(scope.take("weight", {channels})), eps(eps_) {}

torch::Tensor T5LayerNorm::operator()(const torch::Tensor& hidden_states) const {
  const torch::Tensor variance = hidden_states.to(torch::kFloat32).pow(2).mean(-1, true);
  return weight * (hidden_states * at::rsqrt(variance + eps)).to(weight.dtype());
}

T5Block::T5Block(const Scope& scope, const Sizes& sizes)
    : attention_norm(scope / "layer" / 0 / "layer_norm", sizes.channels, sizes.eps),
      q(scope / "layer" / 0 / "SelfAttention" / "q", sizes.channels, sizes.inner, false),
      k(scope / "layer" / 0 / "SelfAttention" / "k", sizes.channels, sizes.inner, false),
      v(scope / "layer" / 0 / "SelfAttention" / "v", sizes.channels, sizes.inner, false),
      o(scope / "layer" / 0 / "SelfAttention" / "o", sizes.inner, sizes.channels, false),
      ff_norm(scope / "layer" / 1 / "layer_norm", sizes.channels, sizes.eps),
      wi_0(scope / "layer" / 1 / "DenseReluDense" / "wi_0", sizes.channels, sizes.intermediate,
           false),
      wi_1(scope / "layer" / 1 / "DenseReluDense" / "wi_1", sizes.channels, sizes.intermediate,
           false),
      wo((scope / "layer" / 1 / "DenseReluDense" / "wo").half_as_float(), sizes.intermediate,
         sizes.channels, false),
      heads(sizes.heads) {}

torch::Tensor T5Block::operator()(torch::Tensor hidden_states, const torch::Tensor& bias) const {
  const auto split_heads = [this](const torch::Tensor& states) {
    return states.unflatten(-1, {heads, -1}).transpose(1, 2);  // [B, heads, T, D / heads]
  };
  const torch::Tensor normed = attention_norm(hidden_states);
  // No 1 / sqrt(d): it is part of T5's initial weights.
  const torch::Tensor attended =
      at::scaled_dot_product_attention(split_heads(q(normed)), split_heads(k(normed)),
                                       split_heads(v(normed)), bias, 0.0, false, 1.0);
  hidden_states = clamp_half(hidden_states + o(attended.transpose(1, 2).flatten(2)));
  const torch::Tensor inner_normed = ff_norm(hidden_states);
  const torch::Tensor inner = new_gelu(wi_0(inner_normed)) * wi_1(inner_normed);
  return clamp_half(hidden_states + wo(inner.to(wo.weight.dtype())));
}

T5EncoderModel::T5EncoderModel(ComponentConfig& config, ModuleWeights& weights) {
  config.expect("model_type", {"\"t5\""});
  d_model_ = config.integer("d_model", 1, 1 << 14, 512);
  vocab_size_ = config.integer("vocab_size", 1, 1 << 24, 32128);
  buckets_ = config.integer("relative_attention_num_buckets", 4, 1 << 12, 32);
  max_distance_ = config.integer("relative_attention_max_distance", 2, 1 << 20, 128);
  const int layers = config.integer("num_layers", 1, 256, 6);
  const int heads = config.integer("num_heads", 1, 1024, 8);
  const T5Block::Sizes sizes{d_model_, std::int64_t{heads} * config.integer("d_kv", 1, 1024, 64),
                             config.integer("d_ff", 1, 1 << 17, 2048), heads,
                             config.number("layer_norm_epsilon", 1e-6)};
  const std::string proj = config.string("feed_forward_proj", "relu");
  if (proj != "gated-gelu") {
    config.fail("feed_forward_proj",
                "expected gated-gelu (T5 v1.1; others are not implemented), found " + proj);
  }
  if (buckets_ % 4 != 0 || max_distance_ <= buckets_ / 4) {
    config.fail("relative_attention_num_buckets",
                "expected a multiple of 4, less than 4 times relative_attention_max_distance, "
                "found " +
                    std::to_string(buckets_));
  }
  // transformers' other keys are notes, training options, or the decoder's.

  const Scope root(weights);
  const Scope encoder = root / "encoder";
  // One matrix under two names; a file holds either or both.
  const bool shared = (root / "shared").has("weight");
  embed_tokens_ =
      (shared ? root / "shared" : encoder / "embed_tokens").take("weight", {vocab_size_, d_model_});
  weights.skip("encoder.embed_tokens.weight");
  relative_attention_bias_ =
      (encoder / "block" / 0 / "layer" / 0 / "SelfAttention" / "relative_attention_bias")
          .take("weight", {buckets_, heads});
  for (int i = 0; i < layers; ++i) blocks_.emplace_back(encoder / "block" / i, sizes);
  final_layer_norm_.emplace(encoder / "final_layer_norm", d_model_, sizes.eps);
}

// [1, heads, T, T]: one number for each head and bucket of the distance from query to key. Half of
// the buckets look back, half ahead; half of each are exact, the others grow as the logarithm.
torch::Tensor T5EncoderModel::position_bias(std::int64_t length) const {
  const torch::Tensor positions = at::arange(length, torch::kInt64);
  const torch::Tensor relative = positions.unsqueeze(0) - positions.unsqueeze(1);
  const int half = buckets_ / 2;
  const int exact = half / 2;
  const torch::Tensor distance = relative.abs();
  const torch::Tensor large =
      (exact + (at::log(distance.to(torch::kFloat32) / exact) /
                std::log(static_cast<double>(max_distance_) / exact) * (half - exact))
                   .to(torch::kInt64))
          .clamp_max(half - 1);
  const torch::Tensor bucket =
      (relative > 0).to(torch::kInt64) * half + at::where(distance < exact, distance, large);
  return at::embedding(relative_attention_bias_, bucket.to(relative_attention_bias_.device()))
      .permute({2, 0, 1})
      .unsqueeze(0);
}

torch::Tensor T5EncoderModel::operator()(const torch::Tensor& ids, std::int64_t count) const {
  torch::Tensor hidden_states = at::embedding(embed_tokens_, ids.to(embed_tokens_.device()));
  torch::Tensor bias = position_bias(ids.size(1)).contiguous();
  // -inf on the padding as seen from anywhere; </s> is always seen, so that no row is empty.
  if (count < ids.size(1)) {
    bias = bias.clone();
    bias.slice(3, count).fill_(-std::numeric_limits<float>::infinity());
  }
  for (const T5Block& block : blocks_) hidden_states = block(hidden_states, bias);
  return (*final_layer_norm_)(hidden_states);
}

}  // namespace glyphward::model
