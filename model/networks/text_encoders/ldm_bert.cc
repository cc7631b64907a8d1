#include "model/networks/text_encoders/ldm_bert.h"

#include <cmath>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

constexpr double kEps = 1e-5;

// As the reference spells it out, rather than by attend(): the queries are scaled before the
// product, and the network behind it is steep enough to show the last bits. [B, T, inner] each.
torch::Tensor attend_by_products(const torch::Tensor& query, const KeyValue& source,
                                 std::int64_t heads) {
  const auto split_heads = [heads](const torch::Tensor& states) {
    // [B, T, inner] -> [B * heads, T, inner / heads]
    return states.unflatten(-1, {heads, -1}).transpose(1, 2).contiguous().flatten(0, 1);
  };
  const std::int64_t head_dim = query.size(-1) / heads;
  const double scale = 1 / std::sqrt(static_cast<double>(head_dim));
  const torch::Tensor weights =
      at::softmax(at::bmm(split_heads(query * scale), split_heads(source.key).transpose(1, 2)), -1);
  // [B * heads, T, inner / heads] -> [B, T, inner]
  return at::bmm(weights, split_heads(source.value))
      .unflatten(0, {-1, heads})
      .transpose(1, 2)
      .flatten(2);
}

}  // namespace

LdmBertEncoderLayer::LdmBertEncoderLayer(const Scope& scope, std::int64_t channels,
                                         std::int64_t inner, std::int64_t intermediate,
                                         std::int64_t heads_)
    : self_attn_layer_norm(scope / "self_attn_layer_norm", channels, kEps),
      q_proj(scope / "self_attn" / "q_proj", channels, inner, false),
      k_proj(scope / "self_attn" / "k_proj", channels, inner, false),
      v_proj(scope / "self_attn" / "v_proj", channels, inner, false),
      out_proj(scope / "self_attn" / "out_proj", inner, channels),
      final_layer_norm(scope / "final_layer_norm", channels, kEps),
      fc1(scope / "fc1", channels, intermediate),
      fc2(scope / "fc2", intermediate, channels),
      heads(heads_) {}

torch::Tensor LdmBertEncoderLayer::operator()(torch::Tensor hidden_states) const {
  const torch::Tensor normed = self_attn_layer_norm(hidden_states);
  hidden_states = hidden_states + out_proj(attend_by_products(
                                      q_proj(normed), {k_proj(normed), v_proj(normed)}, heads));
  return hidden_states + fc2(at::gelu(fc1(final_layer_norm(hidden_states))));
}

LdmBertModel::LdmBertModel(ComponentConfig& config, ModuleWeights& weights) {
  config.expect("model_type", {"\"ldmbert\""});
  hidden_size_ = config.integer("d_model", 1, 1 << 14, 1280);
  max_position_embeddings_ = config.integer("max_position_embeddings", 3, 1 << 14, 77);
  const int vocab_size = config.integer("vocab_size", 1, 1 << 24, 30522);
  const int layer_count = config.integer("encoder_layers", 1, 256, 32);
  const int intermediate = config.integer("encoder_ffn_dim", 1, 1 << 16, 5120);
  const int heads = config.integer("encoder_attention_heads", 1, 1024, 8);
  const int head_dim = config.integer("head_dim", 1, 1024, 64);
  config.expect("activation_function", {"\"gelu\""});
  // The reference does not read it: a value would mean another network.
  config.expect("scale_embedding", {"false"});
  // transformers' other keys are notes or training options.

  const Scope root(weights);
  const Scope scope = root / "model";
  embed_tokens_ = (scope / "embed_tokens").take("weight", {vocab_size, hidden_size_});
  embed_positions_ =
      (scope / "embed_positions").take("weight", {max_position_embeddings_, hidden_size_});
  for (int i = 0; i < layer_count; ++i) {
    layers_.emplace_back(scope / "layers" / i, hidden_size_, std::int64_t{heads} * head_dim,
                         intermediate, heads);
  }
  layer_norm_.emplace(scope / "layer_norm", hidden_size_, kEps);
  const Linear to_logits(root.checked_only() / "to_logits", hidden_size_, vocab_size);
}

torch::Tensor LdmBertModel::operator()(const torch::Tensor& ids) const {
  torch::Tensor hidden_states = at::embedding(embed_tokens_, ids.to(embed_tokens_.device())) +
                                embed_positions_.slice(0, 0, ids.size(1));
  for (const LdmBertEncoderLayer& layer : layers_) hidden_states = layer(hidden_states);
  return (*layer_norm_)(hidden_states);
}

}  // namespace glyphward::model
