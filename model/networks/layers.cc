#include "model/networks/layers.h"

#include <cmath>

namespace glyphward::model {

Linear::Linear(const Scope& scope, std::int64_t in, std::int64_t out, bool has_bias)
    : weight(scope.take("weight", {out, in})),
      bias(has_bias ? scope.take("bias", {out}) : torch::Tensor()) {}

Linear::Linear(torch::Tensor weight_, torch::Tensor bias_)
    : weight(std::move(weight_)), bias(std::move(bias_)) {}

torch::Tensor Linear::operator()(const torch::Tensor& input) const {
  return at::linear(input, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

Conv2d::Conv2d(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t kernel)
    : Conv2d(scope, in, out, kernel, 1, (kernel - 1) / 2) {}

Conv2d::Conv2d(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t kernel,
               std::int64_t stride_, std::int64_t padding_)
    : weight(scope.take("weight", {out, in, kernel, kernel})),
      bias(scope.take("bias", {out})),
      stride(stride_),
      padding(padding_) {}

torch::Tensor Conv2d::operator()(const torch::Tensor& input) const {
  return at::conv2d(input, weight, bias, stride, padding);
}

LayerNorm::LayerNorm(const Scope& scope, std::int64_t channels, double eps_)
    : weight(scope.take("weight", {channels})), bias(scope.take("bias", {channels})), eps(eps_) {}

torch::Tensor LayerNorm::operator()(const torch::Tensor& input) const {
  return at::layer_norm(input, weight.sizes(), weight, bias, eps);
}

GroupNorm::GroupNorm(const Scope& scope, std::int64_t channels, std::int64_t groups_, double eps_)
    : weight(scope.take("weight", {channels})),
      bias(scope.take("bias", {channels})),
      groups(groups_),
      eps(eps_) {}

torch::Tensor GroupNorm::operator()(const torch::Tensor& input) const {
  return at::group_norm(input, groups, weight, bias, eps);
}

ResnetBlock2D::ResnetBlock2D(const Scope& scope, std::int64_t in, std::int64_t out,
                             std::int64_t temb_channels, std::int64_t groups, double eps)
    : norm1(scope / "norm1", in, groups, eps),
      conv1(scope / "conv1", in, out, 3),
      norm2(scope / "norm2", out, groups, eps),
      conv2(scope / "conv2", out, out, 3) {
  if (temb_channels > 0) time_emb_proj.emplace(scope / "time_emb_proj", temb_channels, out);
  if (in != out) conv_shortcut.emplace(scope / "conv_shortcut", in, out, 1);
}

torch::Tensor ResnetBlock2D::operator()(const torch::Tensor& input,
                                        const torch::Tensor& temb) const {
  torch::Tensor hidden_states = conv1(at::silu(norm1(input)));
  if (time_emb_proj) {
    // [B, out] -> [B, out, 1, 1], the same for every pixel.
    hidden_states = hidden_states + (*time_emb_proj)(at::silu(temb)).unsqueeze(-1).unsqueeze(-1);
  }
  hidden_states = conv2(at::silu(norm2(hidden_states)));
  return (conv_shortcut ? (*conv_shortcut)(input) : input) + hidden_states;
}

Downsample2D::Downsample2D(const Scope& scope, std::int64_t channels, std::int64_t padding)
    : conv(scope / "conv", channels, channels, 3, 2, padding) {}

torch::Tensor Downsample2D::operator()(const torch::Tensor& input) const {
  return conv(conv.padding == 0 ? at::constant_pad_nd(input, {0, 1, 0, 1}, 0) : input);
}

Upsample2D::Upsample2D(const Scope& scope, std::int64_t channels)
    : conv(scope / "conv", channels, channels, 3) {}

torch::Tensor Upsample2D::operator()(const torch::Tensor& input, torch::IntArrayRef size) const {
  return conv(at::upsample_nearest2d(input, size));
}

torch::Tensor sinusoids(const torch::Tensor& numbers, int dim, bool cos_first, double freq_shift) {
  const int half = dim / 2;
  const torch::TensorOptions options = torch::dtype(torch::kFloat32).device(numbers.device());
  const torch::Tensor frequencies =
      at::exp(-std::log(10000.0) * at::arange(half, options) / (half - freq_shift));
  const torch::Tensor angles = numbers.to(options).unsqueeze(1) * frequencies.unsqueeze(0);
  return cos_first ? at::cat({at::cos(angles), at::sin(angles)}, -1)
                   : at::cat({at::sin(angles), at::cos(angles)}, -1);
}

torch::Tensor attend(const torch::Tensor& query, const KeyValue& source, std::int64_t heads,
                     bool is_causal) {
  const auto split_heads = [heads](const torch::Tensor& states) {
    // [B, T, D] -> [B, heads, T, D / heads]
    return states.unflatten(-1, {heads, -1}).transpose(1, 2);
  };
  const torch::Tensor hidden_states = at::scaled_dot_product_attention(
      split_heads(query), split_heads(source.key), split_heads(source.value), {}, 0.0, is_causal);
  return hidden_states.transpose(1, 2).flatten(2);
}

}  // namespace glyphward::model
