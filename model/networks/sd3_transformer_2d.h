// SD3Transformer2DModel of diffusers (MM-DiT, arXiv 2403.03206): the denoiser of Stable Diffusion 3
// and 3.5, whose picture and text tokens attend jointly. References:
// diffusers/models/transformers/transformer_sd3.py, models/attention.py (JointTransformerBlock),
// models/attention_processor.py (JointAttnProcessor2_0); docs/METHOD.md, section 8.
//
// Tokens. A patch of patch_size x patch_size latents is a picture token: N = (H / p) (W / p), row
// by row. The text has T: the 77 of the two CLIPs, side by side in width, then T5's 256. Each kind
// has its own norms, projections and feed-forward in every block; they meet in the attention alone,
// as one sequence of N + T, the picture first:
//
//     attn(Q = [Q_picture; Q_text], K = [K_picture; K_text], V = [V_picture; V_text])
//
// (In DeepFloyd IF the text comes first, and has no queries.) So the text is no constant that each
// layer looks up: it is rewritten from block to block by what it reads of the picture. Swapping the
// embedding at the entrance changes every block, and there is no embedding to swap at block 10.
//
// Routing. What can be swapped at one block is what the queries find there: K_text and V_text,
// after head split and key norm. The block's own text queries go on, so the other text is read but
// never becomes the text of the pass:
//
//     attn(Q = [Q_picture; Q_text], K = [K_picture; K'_text], V = [V_picture; V'_text])
//
// K' and V' are the other text's at that block: what it has become on its way there beside a
// picture. Beside which one is the difference between the modes (JointMode in model/pipeline.h):
//
//   Paper    its own, in a generation of its own from the same noise: the caller runs that one with
//            `kept`, and gives what was kept as JointRoute::given (docs/METHOD.md, section 1).
//   Shared   this pass's latents: text_key_values() runs text and picture together up to the last
//            block that is asked for, without guidance, and the result is `given` too.
//   Side     this very pass: the other text's T tokens alone travel along (SideText). At each block
//            they read [K_picture; K'_text] with the picture's keys as they are in the pass, and
//            are advanced by their own text's modulation. The picture is computed once, so the
//            price is T tokens of N + T up to the last block that reads them.
//
// The other text is modulated by its own pooled embedding in all three.
#pragma once

#include <torch/types.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/checkpoint/component_config.h"
#include "model/networks/layers.h"

namespace glyphward::model {

// ---- What a pass reads -------------------------------------------------------------------------

// A text as the network reads it.
struct JointText {
  torch::Tensor encoder_hidden_states;  // [B, T, joint_attention_dim]
  torch::Tensor pooled_projections;     // [B, pooled_projection_dim]
};

// Keys and values of text tokens at some blocks, after head split and key norm: [B, heads, T, D /
// heads].
using BlockKeyValues = std::map<std::size_t, KeyValue>;

// A text that travels beside the picture: at every block it reads the picture's keys and values,
// and at `blocks` the picture reads its own. Nothing else of it reaches the picture.
struct SideText {
  JointText text;
  std::set<std::size_t> blocks;
};

// How the text keys and values of some blocks are other ones than the pass's own. They hold for the
// last rows of the batch, as many as they have: the conditional half of [uncond, cond]. A block has
// at most one other text, be it given or at the side.
struct JointRoute {
  BlockKeyValues given;        // modes Paper and Shared
  std::vector<SideText> side;  // mode Side
};

// ---- Modules -----------------------------------------------------------------------------------

// Scale and shift after a norm without weights, and gates, all from the time embedding.
// AdaLayerNormZero: 6 rows of them; with a second attention 9; AdaLayerNormContinuous: 2. Key:
// linear.
struct AdaLayerNorm {
  Linear linear;
  std::int64_t rows;

  AdaLayerNorm(const Scope& scope, std::int64_t channels, std::int64_t rows);
  // Each [B, 1, C].
  std::vector<torch::Tensor> modulation(const torch::Tensor& temb) const;
};

// Keys: net.0.proj net.2. GELU by its tanh.
struct JointFeedForward {
  Linear proj, out;
  JointFeedForward(const Scope& scope, std::int64_t channels);
  torch::Tensor operator()(const torch::Tensor& input) const;
};

// Queries, keys and values of one kind of tokens, each head's normed where the config says so: [B,
// heads, N, D / heads].
struct QueryKeyValue {
  torch::Tensor query, key, value;
};

// Keys: three linear layers, two norms (weight) or none.
struct HeadProjections {
  Linear q, k, v;
  torch::Tensor norm_q, norm_k;  // [D / heads], undefined without qk_norm
  std::int64_t heads;

  // The names of the keys under `scope`: q, k, v, norm_q, norm_k.
  using Names = std::array<const char*, 5>;
  HeadProjections(const Scope& scope, const Names& names, std::int64_t channels, std::int64_t heads,
                  bool qk_norm);
  QueryKeyValue operator()(const torch::Tensor& hidden_states) const;
  KeyValue key_value(const torch::Tensor& hidden_states) const;
};

// Keys: to_q to_k to_v norm_q norm_k to_out.0; of the text add_q_proj add_k_proj add_v_proj
// norm_added_q norm_added_k to_add_out (not in the last block).
struct JointAttention {
  HeadProjections image, text;
  Linear to_out;
  std::optional<Linear> to_add_out;

  JointAttention(const Scope& scope, std::int64_t channels, std::int64_t heads, bool qk_norm,
                 bool context_pre_only);
};

// What travels from block to block.
struct JointState {
  torch::Tensor hidden_states;          // the picture's: [B, N, C]
  torch::Tensor encoder_hidden_states;  // the text's: [B, T, C]
  torch::Tensor temb;                   // [B, C]
};

// Keys: norm1 norm1_context attn attn2 ff ff_context.
struct JointTransformerBlock {
  AdaLayerNorm norm1, norm1_context;
  JointAttention attn;
  std::optional<HeadProjections> attn2;  // over the picture alone
  std::optional<Linear> attn2_out;
  JointFeedForward ff;
  std::optional<JointFeedForward> ff_context;  // none in the last block

  JointTransformerBlock(const Scope& scope, std::int64_t channels, std::int64_t heads, bool qk_norm,
                        bool context_pre_only, bool dual_attention);

  // A text that travels beside the picture (mode Side), as it is at this block, with the time
  // embedding of its own pooled text.
  struct Side {
    torch::Tensor encoder_hidden_states;  // [b, T, C]
    torch::Tensor temb;                   // [b, C]
    bool read_here;                       // by the picture, at this block
  };
  // `given` replaces the text's key and value for the last rows, where not null; so does each side
  // text that is read here. `kept`, where not null, gets the text's own. Advances all.
  void operator()(JointState& state, const KeyValue* given, std::vector<Side>& sides,
                  KeyValue* kept) const;
  // Of the text's tokens alone, as this block would make them.
  KeyValue text_key_value(const JointState& state) const;

 private:
  torch::Tensor advance_text(const torch::Tensor& encoder_hidden_states,
                             const torch::Tensor& attended,
                             const std::vector<torch::Tensor>& modulation) const;
  torch::Tensor advance_image(const JointState& state, const torch::Tensor& attended,
                              const std::vector<torch::Tensor>& modulation) const;
};

class SD3Transformer2DModel {
 public:
  // Throws ConfigError on an option that is not implemented, and on tensors that do not fit.
  SD3Transformer2DModel(ComponentConfig& config, ModuleWeights& weights);

  // latents [B, in_channels, H, W], timestep: one number, 0 to 1000 -> velocity [B, out_channels,
  // H, W]. `kept`, where not null, gets the text keys and values of the blocks it has entries for.
  torch::Tensor operator()(const torch::Tensor& latents, const torch::Tensor& timestep,
                           const JointText& text, const JointRoute& route = {},
                           BlockKeyValues* kept = nullptr) const;
  // The text keys and values at `blocks` alone: runs no further than they need.
  BlockKeyValues text_key_values(const torch::Tensor& latents, const torch::Tensor& timestep,
                                 const JointText& text, const std::set<std::size_t>& blocks) const;

  // "transformer_blocks.N.attn": the joint attention of every block.
  const std::vector<std::string>& attention_layers() const { return attention_layers_; }
  int in_channels() const { return in_channels_; }
  int out_channels() const { return out_channels_; }
  int patch_size() const { return patch_size_; }
  int sample_size() const { return sample_size_; }
  // The largest height and width of the latents: beyond it there are no positions.
  int sample_size_max() const { return patch_size_ * pos_embed_max_size_; }
  int joint_attention_dim() const { return joint_attention_dim_; }
  int pooled_projection_dim() const { return pooled_projection_dim_; }

  // The modules, under the checkpoint's names.
  std::optional<Conv2d> pos_embed_proj;
  torch::Tensor pos_embed;  // [1, pos_embed_max_size^2, C]
  std::optional<Linear> timestep_linear_1, timestep_linear_2;
  std::optional<Linear> text_linear_1, text_linear_2;
  std::optional<Linear> context_embedder;
  std::vector<JointTransformerBlock> transformer_blocks;
  std::optional<AdaLayerNorm> norm_out;
  std::optional<Linear> proj_out;

 private:
  void read_options(ComponentConfig& config);
  void build(ModuleWeights& weights);
  JointState enter(const torch::Tensor& latents, const torch::Tensor& timestep,
                   const JointText& text) const;
  torch::Tensor embed(const torch::Tensor& timestep, const torch::Tensor& pooled) const;
  torch::Tensor leave(const JointState& state, std::int64_t height, std::int64_t width) const;

  int in_channels_ = 0;
  int out_channels_ = 0;
  int patch_size_ = 0;
  int sample_size_ = 0;
  int pos_embed_max_size_ = 0;
  int joint_attention_dim_ = 0;
  int pooled_projection_dim_ = 0;
  int heads_ = 0;
  int layers_ = 0;
  int channels_ = 0;
  bool qk_norm_ = false;
  std::set<int> dual_attention_layers_;
  std::vector<std::string> attention_layers_;
};

}  // namespace glyphward::model
