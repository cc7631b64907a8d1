#include "model/networks/sd3_transformer_2d.h"

#include "base/config_error.h"

namespace glyphward::model {
namespace {

constexpr double kEps = 1e-6;
constexpr int kTimeChannels = 256;  // sinusoids of the timestep

torch::Tensor plain_norm(const torch::Tensor& hidden_states) {
  return at::layer_norm(hidden_states, {hidden_states.size(-1)}, {}, {}, kEps);
}

torch::Tensor modulate(const torch::Tensor& normed, const torch::Tensor& scale,
                       const torch::Tensor& shift) {
  return normed * (1 + scale) + shift;
}

// Root mean square of a head's numbers, in float32.
torch::Tensor rms_norm(const torch::Tensor& states, const torch::Tensor& weight) {
  if (!weight.defined()) return states;
  const torch::Tensor variance = states.to(torch::kFloat32).pow(2).mean(-1, true);
  return (states * at::rsqrt(variance + kEps)).to(weight.dtype()) * weight;
}

// [B, N, C] -> [B, heads, N, C / heads]
torch::Tensor split_heads(const torch::Tensor& states, std::int64_t heads) {
  return states.unflatten(-1, {heads, -1}).transpose(1, 2);
}

// All [B, heads, N, D / heads] -> [B, N, D].
torch::Tensor attend_heads(const torch::Tensor& query, const torch::Tensor& key,
                           const torch::Tensor& value) {
  return at::scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2);
}

// `own` with its last rows replaced.
torch::Tensor replace_last_rows(const torch::Tensor& own, const torch::Tensor& other) {
  const std::int64_t kept = own.size(0) - other.size(0);
  return kept > 0 ? at::cat({own.slice(0, 0, kept), other}) : other;
}

torch::Tensor last_rows(const torch::Tensor& states, std::int64_t rows) {
  return states.slice(0, states.size(0) - rows);
}

}  // namespace

AdaLayerNorm::AdaLayerNorm(const Scope& scope, std::int64_t channels, std::int64_t rows_)
    : linear(scope / "linear", channels, rows_ * channels), rows(rows_) {}

std::vector<torch::Tensor> AdaLayerNorm::modulation(const torch::Tensor& temb) const {
  return linear(at::silu(temb)).unsqueeze(1).chunk(rows, -1);
}

JointFeedForward::JointFeedForward(const Scope& scope, std::int64_t channels)
    : proj(scope / "net" / 0 / "proj", channels, 4 * channels),
      out(scope / "net" / 2, 4 * channels, channels) {}

torch::Tensor JointFeedForward::operator()(const torch::Tensor& input) const {
  return out(at::gelu(proj(input), "tanh"));
}

HeadProjections::HeadProjections(const Scope& scope, const Names& names, std::int64_t channels,
                                 std::int64_t heads_, bool qk_norm)
    : q(scope / names[0], channels, channels),
      k(scope / names[1], channels, channels),
      v(scope / names[2], channels, channels),
      heads(heads_) {
  if (!qk_norm) return;
  norm_q = (scope / names[3]).take("weight", {channels / heads});
  norm_k = (scope / names[4]).take("weight", {channels / heads});
}

QueryKeyValue HeadProjections::operator()(const torch::Tensor& hidden_states) const {
  const KeyValue source = key_value(hidden_states);
  return {rms_norm(split_heads(q(hidden_states), heads), norm_q), source.key, source.value};
}

KeyValue HeadProjections::key_value(const torch::Tensor& hidden_states) const {
  return {rms_norm(split_heads(k(hidden_states), heads), norm_k),
          split_heads(v(hidden_states), heads)};
}

JointAttention::JointAttention(const Scope& scope, std::int64_t channels, std::int64_t heads,
                               bool qk_norm, bool context_pre_only)
    : image(scope, {"to_q", "to_k", "to_v", "norm_q", "norm_k"}, channels, heads, qk_norm),
      text(scope, {"add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k"},
           channels, heads, qk_norm),
      to_out(scope / "to_out" / 0, channels, channels) {
  if (!context_pre_only) to_add_out.emplace(scope / "to_add_out", channels, channels);
}

JointTransformerBlock::JointTransformerBlock(const Scope& scope, std::int64_t channels,
                                             std::int64_t heads, bool qk_norm,
                                             bool context_pre_only, bool dual_attention)
    : norm1(scope / "norm1", channels, dual_attention ? 9 : 6),
      norm1_context(scope / "norm1_context", channels, context_pre_only ? 2 : 6),
      attn(scope / "attn", channels, heads, qk_norm, context_pre_only),
      ff(scope / "ff", channels) {
  if (dual_attention) {
    attn2.emplace(scope / "attn2",
                  HeadProjections::Names{"to_q", "to_k", "to_v", "norm_q", "norm_k"}, channels,
                  heads, qk_norm);
    attn2_out.emplace(scope / "attn2" / "to_out" / 0, channels, channels);
  }
  if (!context_pre_only) ff_context.emplace(scope / "ff_context", channels);
}

namespace {

// The text's tokens as they enter a block's attention. The last block's norm has scale before
// shift, the others' shift before scale.
torch::Tensor enter_text(const torch::Tensor& encoder_hidden_states,
                         const std::vector<torch::Tensor>& modulation) {
  const bool last = modulation.size() == 2;
  return modulate(plain_norm(encoder_hidden_states), modulation[last ? 0 : 1],
                  modulation[last ? 1 : 0]);
}

}  // namespace

KeyValue JointTransformerBlock::text_key_value(const JointState& state) const {
  return attn.text.key_value(
      enter_text(state.encoder_hidden_states, norm1_context.modulation(state.temb)));
}

// What a kind of tokens does with what it attended to: each of the two steps is added to the states
// through a gate, as in DiT (arXiv 2212.09748, adaLN-Zero). modulation: shift, scale, gate of the
// attention, then of the feed-forward.
torch::Tensor JointTransformerBlock::advance_text(
    const torch::Tensor& encoder_hidden_states, const torch::Tensor& attended,
    const std::vector<torch::Tensor>& modulation) const {
  const torch::Tensor states = encoder_hidden_states + modulation[2] * (*attn.to_add_out)(attended);
  return states +
         modulation[5] * (*ff_context)(modulate(plain_norm(states), modulation[4], modulation[3]));
}

// Then, with a second attention (3.5-medium's first blocks), its shift, scale and gate. It is over
// the picture alone, and reads the states as they entered the block: side by side with the joint
// one.
torch::Tensor JointTransformerBlock::advance_image(
    const JointState& state, const torch::Tensor& attended,
    const std::vector<torch::Tensor>& modulation) const {
  torch::Tensor states = state.hidden_states + modulation[2] * attn.to_out(attended);
  if (attn2) {
    const auto [query, key, value] =
        (*attn2)(modulate(plain_norm(state.hidden_states), modulation[7], modulation[6]));
    states = states + modulation[8] * (*attn2_out)(attend_heads(query, key, value));
  }
  return states + modulation[5] * ff(modulate(plain_norm(states), modulation[4], modulation[3]));
}

void JointTransformerBlock::operator()(JointState& state, const KeyValue* given,
                                       std::vector<Side>& sides, KeyValue* kept) const {
  // 1. Each kind of tokens is normed, modulated by the time and the pooled text, and projected.
  const std::vector<torch::Tensor> image_modulation = norm1.modulation(state.temb);
  const std::vector<torch::Tensor> text_modulation = norm1_context.modulation(state.temb);
  const QueryKeyValue image = attn.image(
      modulate(plain_norm(state.hidden_states), image_modulation[1], image_modulation[0]));
  const QueryKeyValue text = attn.text(enter_text(state.encoder_hidden_states, text_modulation));
  if (kept) *kept = {text.key, text.value};

  // 2. What the queries find of the text: the pass's own keys and values, unless the route says
  // otherwise. In the rows of the unconditional half they are always the own ones. No line outside
  // stages 2 and 3 knows of the route.
  KeyValue read{text.key, text.value};
  if (given) {
    read = {replace_last_rows(text.key, given->key), replace_last_rows(text.value, given->value)};
  }

  // 3. A text at the side makes its queries, keys and values with the text's matrices and its own
  // modulation. Where it is read, its keys and values go where given ones would. Then it advances
  // as the text of a pass does: its queries attend to the picture, as the conditional rows have it,
  // and to itself. Nothing of it goes into the picture's or the text's own states.
  for (Side& side : sides) {
    const std::vector<torch::Tensor> modulation = norm1_context.modulation(side.temb);
    const QueryKeyValue own = attn.text(enter_text(side.encoder_hidden_states, modulation));
    if (side.read_here) {
      read = {replace_last_rows(text.key, own.key), replace_last_rows(text.value, own.value)};
    }
    if (!ff_context) continue;  // nothing comes after the last block
    const std::int64_t rows = own.query.size(0);
    const torch::Tensor attended =
        attend_heads(own.query, at::cat({last_rows(image.key, rows), own.key}, 2),
                     at::cat({last_rows(image.value, rows), own.value}, 2));
    side.encoder_hidden_states = advance_text(side.encoder_hidden_states, attended, modulation);
  }

  // 4. The joint attention, picture before text, and each kind goes on with its part of the result.
  // The last block's text goes nowhere (context_pre_only): it is read there, and dropped.
  const std::int64_t pixels = state.hidden_states.size(1);
  const torch::Tensor attended =
      attend_heads(at::cat({image.query, text.query}, 2), at::cat({image.key, read.key}, 2),
                   at::cat({image.value, read.value}, 2));
  if (ff_context) {
    state.encoder_hidden_states =
        advance_text(state.encoder_hidden_states, attended.slice(1, pixels), text_modulation);
  }
  state.hidden_states = advance_image(state, attended.slice(1, 0, pixels), image_modulation);
}

SD3Transformer2DModel::SD3Transformer2DModel(ComponentConfig& config, ModuleWeights& weights) {
  read_options(config);
  build(weights);
}

void SD3Transformer2DModel::read_options(ComponentConfig& config) {
  config.expect("_class_name", {"\"SD3Transformer2DModel\""});
  sample_size_ = config.integer("sample_size", 1, 1 << 12, 128);
  patch_size_ = config.integer("patch_size", 1, 64, 2);
  in_channels_ = config.integer("in_channels", 1, 256, 16);
  out_channels_ =
      config.is_null("out_channels") ? in_channels_ : config.integer("out_channels", 1, 256, 16);
  config.ignore({"out_channels"});
  layers_ = config.integer("num_layers", 1, 256, 18);
  heads_ = config.integer("num_attention_heads", 1, 1024, 18);
  const int head_dim = config.integer("attention_head_dim", 1, 1024, 64);
  joint_attention_dim_ = config.integer("joint_attention_dim", 1, 1 << 16, 4096);
  pooled_projection_dim_ = config.integer("pooled_projection_dim", 1, 1 << 16, 2048);
  pos_embed_max_size_ = config.integer("pos_embed_max_size", 1, 1 << 10, 96);
  channels_ = heads_ * head_dim;
  if (channels_ > 1 << 14) {
    config.fail("num_attention_heads",
                "expected at most 16384 channels in all, found " + std::to_string(channels_));
  }
  const int caption = config.integer("caption_projection_dim", 1, 1 << 16, 1152);
  if (caption != channels_) {
    config.fail("caption_projection_dim",
                "expected num_attention_heads times attention_head_dim, " +
                    std::to_string(channels_) + ", found " + std::to_string(caption));
  }
  if (sample_size_ > patch_size_ * pos_embed_max_size_) {
    config.fail("pos_embed_max_size", "expected at least sample_size / patch_size, found " +
                                          std::to_string(pos_embed_max_size_));
  }
  config.expect("qk_norm", {"null", "\"rms_norm\""});
  qk_norm_ = !config.is_null("qk_norm");
  for (const int layer : config.integer_list("dual_attention_layers", 0, layers_ - 1)) {
    dual_attention_layers_.insert(layer);
  }
  config.done();
}

void SD3Transformer2DModel::build(ModuleWeights& weights) {
  const Scope scope(weights);
  const Scope embed = scope / "time_text_embed";
  pos_embed_proj.emplace(scope / "pos_embed" / "proj", in_channels_, channels_, patch_size_,
                         patch_size_, 0);
  pos_embed = (scope / "pos_embed")
                  .take("pos_embed",
                        {1, std::int64_t{pos_embed_max_size_} * pos_embed_max_size_, channels_});
  timestep_linear_1.emplace(embed / "timestep_embedder" / "linear_1", kTimeChannels, channels_);
  timestep_linear_2.emplace(embed / "timestep_embedder" / "linear_2", channels_, channels_);
  text_linear_1.emplace(embed / "text_embedder" / "linear_1", pooled_projection_dim_, channels_);
  text_linear_2.emplace(embed / "text_embedder" / "linear_2", channels_, channels_);
  context_embedder.emplace(scope / "context_embedder", joint_attention_dim_, channels_);
  for (int i = 0; i < layers_; ++i) {
    transformer_blocks.emplace_back(scope / "transformer_blocks" / i, channels_, heads_, qk_norm_,
                                    i + 1 == layers_, dual_attention_layers_.contains(i));
    attention_layers_.push_back((scope / "transformer_blocks" / i / "attn").path());
  }
  norm_out.emplace(scope / "norm_out", channels_, 2);
  proj_out.emplace(scope / "proj_out", channels_,
                   std::int64_t{patch_size_} * patch_size_ * out_channels_);
}

// [B, C]: the timestep and the pooled text, which all modulation comes from.
torch::Tensor SD3Transformer2DModel::embed(const torch::Tensor& timestep,
                                           const torch::Tensor& pooled) const {
  const torch::Tensor timesteps = timestep.to(pooled.device()).reshape({1}).expand(pooled.size(0));
  const torch::Tensor times = sinusoids(timesteps, kTimeChannels).to(pooled.dtype());
  return (*timestep_linear_2)(at::silu((*timestep_linear_1)(times))) +
         (*text_linear_2)(at::silu((*text_linear_1)(pooled)));
}

JointState SD3Transformer2DModel::enter(const torch::Tensor& latents, const torch::Tensor& timestep,
                                        const JointText& text) const {
  const std::int64_t height = latents.size(2) / patch_size_;
  const std::int64_t width = latents.size(3) / patch_size_;
  // The table holds a square of positions; a picture takes its middle
  // (PatchEmbed.cropped_pos_embed), so that its centre has the same position whatever its size.
  const std::int64_t top = (pos_embed_max_size_ - height) / 2;
  const std::int64_t left = (pos_embed_max_size_ - width) / 2;
  const torch::Tensor positions = pos_embed.unflatten(1, {pos_embed_max_size_, -1})
                                      .slice(1, top, top + height)
                                      .slice(2, left, left + width)
                                      .flatten(1, 2);
  // A patch is a token: [B, C, h, w] -> [B, h * w, C].
  const torch::Tensor patches = (*pos_embed_proj)(latents).flatten(2).transpose(1, 2);
  return {(patches + positions).contiguous(), (*context_embedder)(text.encoder_hidden_states),
          embed(timestep, text.pooled_projections)};
}

// [B, h * w, C] -> [B, out_channels, height, width]: a token becomes its patch again. The rows of
// proj_out count (y, x, channel) within the patch.
torch::Tensor SD3Transformer2DModel::leave(const JointState& state, std::int64_t height,
                                           std::int64_t width) const {
  const std::vector<torch::Tensor> modulation = norm_out->modulation(state.temb);
  const std::int64_t p = patch_size_;
  const torch::Tensor patches =
      (*proj_out)(modulate(plain_norm(state.hidden_states), modulation[0], modulation[1]));
  return patches.reshape({-1, height / p, width / p, p, p, out_channels_})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({-1, out_channels_, height, width});
}

torch::Tensor SD3Transformer2DModel::operator()(const torch::Tensor& latents,
                                                const torch::Tensor& timestep,
                                                const JointText& text, const JointRoute& route,
                                                BlockKeyValues* kept) const {
  JointState state = enter(latents, timestep, text);
  // The texts at the side enter as the pass's own does, each through its own pooled embedding.
  struct Traveller {
    const SideText* text;
    torch::Tensor encoder_hidden_states;
    torch::Tensor temb;
  };
  std::vector<Traveller> travellers;
  for (const SideText& side : route.side) {
    travellers.push_back({&side, (*context_embedder)(side.text.encoder_hidden_states),
                          embed(timestep, side.text.pooled_projections)});
  }
  for (std::size_t i = 0; i < transformer_blocks.size(); ++i) {
    std::vector<JointTransformerBlock::Side> sides;
    // A side text goes no further than where it is last read.
    std::erase_if(travellers, [i](const Traveller& t) {
      return t.text->blocks.empty() || *t.text->blocks.rbegin() < i;
    });
    sides.reserve(travellers.size());
    for (const Traveller& t : travellers) {
      sides.push_back({t.encoder_hidden_states, t.temb, t.text->blocks.contains(i)});
    }
    const auto given = route.given.find(i);
    const auto wanted = kept ? kept->find(i) : BlockKeyValues::iterator{};
    transformer_blocks[i](state, given != route.given.end() ? &given->second : nullptr, sides,
                          kept && wanted != kept->end() ? &wanted->second : nullptr);
    for (std::size_t j = 0; j < sides.size(); ++j) {
      travellers[j].encoder_hidden_states = sides[j].encoder_hidden_states;
    }
  }
  return leave(state, latents.size(2), latents.size(3));
}

BlockKeyValues SD3Transformer2DModel::text_key_values(const torch::Tensor& latents,
                                                      const torch::Tensor& timestep,
                                                      const JointText& text,
                                                      const std::set<std::size_t>& blocks) const {
  BlockKeyValues result;
  if (blocks.empty()) return result;
  // Text and picture run together, as if this were the pass's own text.
  JointState state = enter(latents, timestep, text);
  std::vector<JointTransformerBlock::Side> none;
  for (std::size_t i = 0; i < *blocks.rbegin(); ++i) {
    transformer_blocks[i](state, nullptr, none, blocks.contains(i) ? &result[i] : nullptr);
  }
  // Of the last one nothing but the keys and values is needed.
  result[*blocks.rbegin()] = transformer_blocks[*blocks.rbegin()].text_key_value(state);
  return result;
}

}  // namespace glyphward::model
