#include "model/networks/text_encoders/clip_text_model.h"

#include "base/config_error.h"

namespace glyphward::model {

ClipEncoderLayer::ClipEncoderLayer(const Scope& scope, std::int64_t channels,
                                   std::int64_t intermediate, std::int64_t heads_, double eps,
                                   bool quick_gelu_)
    : layer_norm1(scope / "layer_norm1", channels, eps),
      q_proj(scope / "self_attn" / "q_proj", channels, channels),
      k_proj(scope / "self_attn" / "k_proj", channels, channels),
      v_proj(scope / "self_attn" / "v_proj", channels, channels),
      out_proj(scope / "self_attn" / "out_proj", channels, channels),
      layer_norm2(scope / "layer_norm2", channels, eps),
      fc1(scope / "mlp" / "fc1", channels, intermediate),
      fc2(scope / "mlp" / "fc2", intermediate, channels),
      heads(heads_),
      quick_gelu(quick_gelu_) {}

torch::Tensor ClipEncoderLayer::operator()(torch::Tensor hidden_states) const {
  const torch::Tensor normed = layer_norm1(hidden_states);
  hidden_states = hidden_states +
                  out_proj(attend(q_proj(normed), {k_proj(normed), v_proj(normed)}, heads, true));
  const torch::Tensor inner = fc1(layer_norm2(hidden_states));
  return hidden_states + fc2(quick_gelu ? inner * at::sigmoid(1.702 * inner) : at::gelu(inner));
}

ClipTextModel::ClipTextModel(ComponentConfig& config, ModuleWeights& weights) {
  config.expect("model_type", {"\"clip_text_model\""});
  hidden_size_ = config.integer("hidden_size", 1, 1 << 14);
  max_position_embeddings_ = config.integer("max_position_embeddings", 2, 1 << 14, 77);
  vocab_size_ = config.integer("vocab_size", 1, 1 << 24, 49408);
  const int intermediate = config.integer("intermediate_size", 1, 1 << 16, 2048);
  const int layer_count = config.integer("num_hidden_layers", 1, 256, 12);
  const int heads = config.integer("num_attention_heads", 1, 1024, 8);
  const double eps = config.number("layer_norm_eps", 1e-5);
  const std::string act = config.string("hidden_act", "quick_gelu");
  if (act != "quick_gelu" && act != "gelu") {
    config.fail("hidden_act", "expected quick_gelu or gelu, found " + act);
  }
  if (hidden_size_ % heads != 0) {
    config.fail("num_attention_heads",
                "expected a divisor of hidden_size, found " + std::to_string(heads));
  }
  eos_token_id_ = config.integer("eos_token_id", 0, 1 << 24, 49407);
  // transformers' other keys are notes or training options: what they could change shows in the
  // tensors.

  const Scope root(weights);
  const Scope scope = weights.has_prefix("text_model.") ? root / "text_model" : root;
  const Scope embeddings = scope / "embeddings";
  token_embedding_ = (embeddings / "token_embedding").take("weight", {vocab_size_, hidden_size_});
  position_embedding_ =
      (embeddings / "position_embedding").take("weight", {max_position_embeddings_, hidden_size_});
  weights.skip(embeddings.path() + ".position_ids");  // 0, 1, 2, ..: a buffer that older files hold
  for (int i = 0; i < layer_count; ++i) {
    layers_.emplace_back(scope / "encoder" / "layers" / i, hidden_size_, intermediate, heads, eps,
                         act == "quick_gelu");
  }
  final_layer_norm_.emplace(scope / "final_layer_norm", hidden_size_, eps);
}

ClipTextOutput ClipTextModel::operator()(const torch::Tensor& ids) const {
  torch::Tensor hidden_states = at::embedding(token_embedding_, ids.to(token_embedding_.device())) +
                                position_embedding_.slice(0, 0, ids.size(1));
  ClipTextOutput output;
  for (const ClipEncoderLayer& layer : layers_) {
    output.penultimate_hidden_state = hidden_states;
    hidden_states = layer(hidden_states);
  }
  output.last_hidden_state = (*final_layer_norm_)(hidden_states);
  // The first end of text. Configs of old say 2, which is no end of CLIP's vocabulary: there
  // transformers takes the largest id, which is.
  const torch::Tensor ends = eos_token_id_ == 2 ? ids : (ids == eos_token_id_).to(torch::kInt64);
  const torch::Tensor end = ends.argmax(1, true).unsqueeze(-1).to(hidden_states.device());
  output.pooled =
      output.last_hidden_state.gather(1, end.expand({-1, 1, hidden_states.size(2)})).squeeze(1);
  return output;
}

ClipTextModelWithProjection::ClipTextModelWithProjection(ComponentConfig& config,
                                                         ModuleWeights& weights)
    : projection_dim_(config.integer("projection_dim", 1, 1 << 14, 512)),
      text_model_(config, weights),
      text_projection_(Scope(weights) / "text_projection", text_model_.hidden_size(),
                       projection_dim_, false) {}

ClipTextOutput ClipTextModelWithProjection::operator()(const torch::Tensor& ids) const {
  ClipTextOutput output = text_model_(ids);
  output.pooled = text_projection_(output.pooled);
  return output;
}

}  // namespace glyphward::model
