#include "model/networks/unet_2d_simple_cross_attn.h"

#include <cmath>

#include "base/config_error.h"
#include "model/networks/unet_2d_condition.h"

namespace glyphward::model {
namespace {

// norm_cross has its own number of groups, which no config names.
constexpr std::int64_t kCrossGroups = 32;
constexpr double kAttentionEps = 1e-5;

}  // namespace

SimpleResnet::SimpleResnet(const Scope& scope, std::int64_t in, std::int64_t out,
                           const SimpleResnetStyle& style, Resample resample_)
    : norm1(scope / "norm1", in, style.groups, style.eps),
      conv1(scope / "conv1", in, out, 3),
      time_emb_proj(scope / "time_emb_proj", style.temb_channels, 2 * out),
      norm2(scope / "norm2", out, style.groups, style.eps),
      conv2(scope / "conv2", out, out, 3),
      resample(resample_),
      skip_time_act(style.skip_time_act),
      output_scale_factor(style.output_scale_factor) {
  if (in != out) conv_shortcut.emplace(scope / "conv_shortcut", in, out, 1);
}

torch::Tensor SimpleResnet::operator()(torch::Tensor input, const torch::Tensor& temb) const {
  const auto change_size = [this](const torch::Tensor& x) {
    if (resample == Resample::Down) return at::avg_pool2d(x, 2, 2);
    if (resample == Resample::None) return x;
    return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  };
  // Both ways change the size: the convolutions' between norm and convolution, and the residual.
  torch::Tensor hidden_states = conv1(change_size(at::gelu(norm1(input))));
  input = change_size(input);
  // [B, 2 * out, 1, 1], the same for every pixel.
  const std::vector<torch::Tensor> scale_shift =
      time_emb_proj(skip_time_act ? temb : at::gelu(temb)).unsqueeze(-1).unsqueeze(-1).chunk(2, 1);
  hidden_states = norm2(hidden_states) * (1 + scale_shift[0]) + scale_shift[1];
  hidden_states = conv2(at::gelu(hidden_states));
  return ((conv_shortcut ? (*conv_shortcut)(input) : input) + hidden_states) / output_scale_factor;
}

AddedKvAttention::AddedKvAttention(const Scope& scope, const Sizes& sizes, std::size_t text_layer_)
    : group_norm(scope / "group_norm", sizes.channels, sizes.groups, kAttentionEps),
      to_q(scope / "to_q", sizes.channels, sizes.channels),
      to_out(scope / "to_out" / 0, sizes.channels, sizes.channels),
      norm_cross(scope / "norm_cross", sizes.text_channels, kCrossGroups, kAttentionEps),
      add_k_proj(scope / "add_k_proj", sizes.text_channels, sizes.channels),
      add_v_proj(scope / "add_v_proj", sizes.text_channels, sizes.channels),
      heads(sizes.heads),
      path(scope.path()),
      text_layer(text_layer_) {
  if (sizes.only_cross_attention) return;
  to_k.emplace(scope / "to_k", sizes.channels, sizes.channels);
  to_v.emplace(scope / "to_v", sizes.channels, sizes.channels);
}

KeyValue AddedKvAttention::key_value(const torch::Tensor& states) const {
  // Group norm over channels, for all tokens of a text together.
  const torch::Tensor normed = norm_cross(states.transpose(1, 2)).transpose(1, 2);
  return {add_k_proj(normed), add_v_proj(normed)};
}

torch::Tensor AddedKvAttention::operator()(const torch::Tensor& input, const KeyValue& text) const {
  // A pixel is a token: [B, C, H, W] -> [B, H * W, C].
  const torch::Tensor tokens = group_norm(input.flatten(2)).transpose(1, 2);
  // The route chose `text`; the picture's own keys and values come after it, unless the block reads
  // text alone (only_cross_attention).
  KeyValue source = text;
  if (to_k) {
    source = {at::cat({text.key, (*to_k)(tokens)}, 1), at::cat({text.value, (*to_v)(tokens)}, 1)};
  }
  const torch::Tensor output = to_out(attend(to_q(tokens), source, heads));
  return output.transpose(1, 2).reshape(input.sizes()) + input;
}

TextTimeEmbedding::TextTimeEmbedding(const Scope& scope, std::int64_t in, std::int64_t out,
                                     std::int64_t heads_)
    : norm1(scope / "norm1", in, 1e-5),
      positional_embedding((scope / "pool").take("positional_embedding", {1, in})),
      q_proj(scope / "pool" / "q_proj", in, in),
      k_proj(scope / "pool" / "k_proj", in, in),
      v_proj(scope / "pool" / "v_proj", in, in),
      proj(scope / "proj", in, out),
      norm2(scope / "norm2", out, 1e-5),
      heads(heads_) {}

torch::Tensor TextTimeEmbedding::operator()(const torch::Tensor& states) const {
  const torch::Tensor normed = norm1(states);
  // Attention pooling: a token for the whole, their mean, looks at itself and at all others. What
  // it finds is the text's vector. The padding takes part: no mask reaches this network.
  const torch::Tensor whole = normed.mean(1, true) + positional_embedding;
  const torch::Tensor all = at::cat({whole, normed}, 1);
  const auto split_heads = [this](const torch::Tensor& x) {  // -> [B, heads, T, D / heads]
    return x.unflatten(-1, {heads, -1}).transpose(1, 2);
  };
  // Scaled before they are multiplied, half and half, which float16 holds.
  const std::int64_t head_dim = whole.size(-1) / heads;
  const double scale = std::pow(static_cast<double>(head_dim), -0.25);
  const torch::Tensor scores = at::matmul(split_heads(q_proj(whole)) * scale,
                                          (split_heads(k_proj(all)) * scale).transpose(2, 3));
  const torch::Tensor weights = at::softmax(scores, -1, torch::kFloat32).to(scores.dtype());
  const torch::Tensor pooled = at::matmul(weights, split_heads(v_proj(all)));
  return norm2(proj(pooled.transpose(1, 2).flatten(2).squeeze(1)));
}

struct UNet2DSimpleCrossAttnModel::Options {
  std::vector<std::string> down_block_types;
  std::vector<std::string> up_block_types;
  std::vector<int> block_out_channels;
  std::vector<int> layers_per_block;  // the up blocks take them in reverse, with one layer more
  std::vector<int> head_dims;
  int cross_attention_dim = 0;
  int time_channels = 0;
  int pool_heads = 64;
  bool has_projection = false;
  bool has_class_embedding = false;
  bool only_cross_attention = false;
  bool mid_block_only_cross_attention = false;
  double mid_block_scale_factor = 1;
  SimpleResnetStyle style;
};

UNet2DSimpleCrossAttnModel::UNet2DSimpleCrossAttnModel(ComponentConfig& config,
                                                       ModuleWeights& weights) {
  build(read_options(config), weights);
  collect_attention_layers();
}

UNet2DSimpleCrossAttnModel::Options UNet2DSimpleCrossAttnModel::read_options(
    ComponentConfig& config) {
  config.expect("_class_name", {"\"UNet2DConditionModel\""});
  Options options;
  options.block_out_channels = config.integers("block_out_channels", 1, 1 << 14);
  const std::size_t blocks = options.block_out_channels.size();
  options.down_block_types = read_block_types(
      config, "down_block_types", blocks, "SimpleCrossAttnDownBlock2D", "ResnetDownsampleBlock2D");
  options.up_block_types = read_block_types(config, "up_block_types", blocks,
                                            "SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D");
  in_channels_ = config.integer("in_channels", 1, 256, 4);
  out_channels_ = config.integer("out_channels", 1, 256, 4);
  sample_size_ = config.integer("sample_size", 8, 1 << 12);
  options.layers_per_block = config.integers("layers_per_block", 1, 16, blocks, 2);
  // Here it is what its name says, unlike in Stable Diffusion's blocks.
  options.head_dims = config.integers("attention_head_dim", 1, 1024, blocks, 8);
  options.cross_attention_dim = config.integer("cross_attention_dim", 1, 1 << 16, 1280);
  options.style.groups = config.integer("norm_num_groups", 1, 1024, 32);
  options.style.eps = config.number("norm_eps", 1e-5);
  options.style.skip_time_act = config.boolean("resnet_skip_time_act", false);
  options.style.output_scale_factor = config.number("resnet_out_scale_factor", 1);
  options.mid_block_scale_factor = config.number("mid_block_scale_factor", 1);
  options.only_cross_attention = config.boolean("only_cross_attention", false);
  options.mid_block_only_cross_attention = options.only_cross_attention;
  if (!config.is_null("mid_block_only_cross_attention")) {
    options.mid_block_only_cross_attention =
        config.boolean("mid_block_only_cross_attention", false);
  }
  read_embeddings(config, options);
  for (std::size_t i = 0; i < blocks; ++i) {
    const int channels = options.block_out_channels[i];
    if (channels % options.style.groups != 0 || channels % 2 != 0) {
      config.fail("block_out_channels",
                  "expected even multiples of norm_num_groups, found " + std::to_string(channels));
    }
    if (channels % options.head_dims[i] != 0) {
      config.fail("attention_head_dim", "expected a divisor of the block's channels " +
                                            std::to_string(channels) + ", found " +
                                            std::to_string(options.head_dims[i]));
    }
  }
  if (options.cross_attention_dim % kCrossGroups != 0) {
    config.fail("cross_attention_dim",
                "expected a multiple of 32, found " + std::to_string(options.cross_attention_dim));
  }
  for (const auto& [key, factor] :
       {std::pair{"resnet_out_scale_factor", options.style.output_scale_factor},
        std::pair{"mid_block_scale_factor", options.mid_block_scale_factor}}) {
    if (!(factor > 0)) config.fail(key, "expected a number over 0");
  }

  config.expect("act_fn", {"\"gelu\""});
  config.expect("mid_block_type", {"\"UNetMidBlock2DSimpleCrossAttn\""});
  config.expect("resnet_time_scale_shift", {"\"scale_shift\""});
  config.expect("cross_attention_norm", {"\"group_norm\""});
  config.expect("attention_type", {"\"default\""});
  config.expect("conv_in_kernel", {"3"});
  config.expect("conv_out_kernel", {"3"});
  for (const char* key : {"center_input_sample", "dual_cross_attention", "class_embeddings_concat",
                          "use_linear_projection"}) {
    config.expect(key, {"false"});
  }
  for (const char* key :
       {"num_attention_heads", "addition_time_embed_dim", "num_class_embeds", "timestep_post_act",
        "time_cond_proj_dim", "projection_class_embeddings_input_dim",
        "reverse_transformer_layers_per_block"}) {
    config.expect(key, {"null"});
  }
  config.expect("upcast_attention", {"null", "false"});
  // Of blocks that are not there; training only.
  config.ignore({"transformer_layers_per_block", "downsample_padding", "dropout"});
  config.done();
  return options;
}

void UNet2DSimpleCrossAttnModel::read_embeddings(ComponentConfig& config, Options& options) {
  flip_sin_to_cos_ = config.boolean("flip_sin_to_cos", true);
  freq_shift_ = config.number("freq_shift", 0);
  first_channels_ = options.block_out_channels[0];
  config.expect("time_embedding_type", {"\"positional\""});
  options.time_channels = config.is_null("time_embedding_dim")
                              ? 4 * first_channels_
                              : config.integer("time_embedding_dim", 1, 1 << 16);
  config.ignore({"time_embedding_dim"});
  options.style.temb_channels = options.time_channels;
  config.expect("time_embedding_act_fn", {"null", "\"gelu\""});
  activate_time_ = !config.is_null("time_embedding_act_fn");

  options.has_projection = !config.is_null("encoder_hid_dim");
  text_width_ = options.has_projection ? config.integer("encoder_hid_dim", 1, 1 << 16)
                                       : options.cross_attention_dim;
  config.expect("encoder_hid_dim_type",
                {options.has_projection ? "\"text_proj\"" : "null", "null"});
  config.expect("class_embed_type", {"null", "\"timestep\""});
  options.has_class_embedding = !config.is_null("class_embed_type");
  if (config.string("addition_embed_type", "null") != "text") {
    config.fail("addition_embed_type", "expected text, found another");
  }
  options.pool_heads = config.integer("addition_embed_type_num_heads", 1, 1024, 64);
  if (text_width_ % options.pool_heads != 0) {
    config.fail("addition_embed_type_num_heads", "expected a divisor of " +
                                                     std::to_string(text_width_) + ", found " +
                                                     std::to_string(options.pool_heads));
  }
}

// What comes before the blocks: the first convolution, the time's layers and the text's.
void UNet2DSimpleCrossAttnModel::build_embeddings(const Options& options, const Scope& scope) {
  const int channels = options.block_out_channels[0];
  const std::int64_t time = options.time_channels;
  conv_in.emplace(scope / "conv_in", in_channels_, channels, 3);
  time_embedding_linear_1.emplace(scope / "time_embedding" / "linear_1", channels, time);
  time_embedding_linear_2.emplace(scope / "time_embedding" / "linear_2", time, time);
  if (options.has_class_embedding) {
    class_embedding_linear_1.emplace(scope / "class_embedding" / "linear_1", channels, time);
    class_embedding_linear_2.emplace(scope / "class_embedding" / "linear_2", time, time);
  }
  add_embedding.emplace(scope / "add_embedding", text_width_, time, options.pool_heads);
  if (options.has_projection) {
    encoder_hid_proj.emplace(scope / "encoder_hid_proj", text_width_, options.cross_attention_dim);
  }
}

void UNet2DSimpleCrossAttnModel::build(const Options& options, ModuleWeights& weights) {
  const Scope scope(weights);
  const std::vector<int>& channels = options.block_out_channels;
  const std::size_t blocks = channels.size();
  std::size_t text_layers = 0;
  const auto add_resnet = [&](SimpleBlock& block, const Scope& block_scope, std::int64_t in,
                              std::int64_t out) {
    block.resnets.emplace_back(block_scope / "resnets" / block.resnets.size(), in, out,
                               options.style);
  };
  const auto add_attention = [&](SimpleBlock& block, const Scope& block_scope, std::size_t level,
                                 bool only_cross_attention) {
    block.attentions.emplace_back(
        block_scope / "attentions" / block.attentions.size(),
        AddedKvAttention::Sizes{channels[level], options.cross_attention_dim,
                                channels[level] / options.head_dims[level], options.style.groups,
                                only_cross_attention},
        text_layers++);
  };

  build_embeddings(options, scope);

  // The widths of the skip connections, in the order in which they are made: a stack, which the up
  // blocks take from its end.
  std::vector<std::int64_t> skips = {channels[0]};
  for (std::size_t i = 0; i < blocks; ++i) {
    const Scope block_scope = scope / "down_blocks" / i;
    SimpleBlock& block = down_blocks.emplace_back();
    for (int j = 0; j < options.layers_per_block[i]; ++j) {
      add_resnet(block, block_scope, skips.back(), channels[i]);
      if (options.down_block_types[i] == "SimpleCrossAttnDownBlock2D") {
        add_attention(block, block_scope, i, options.only_cross_attention);
      }
      skips.push_back(channels[i]);
    }
    if (i + 1 < blocks) {
      block.sampler.emplace(block_scope / "downsamplers" / 0, channels[i], channels[i],
                            options.style, SimpleResnet::Resample::Down);
      skips.push_back(channels[i]);
    }
  }

  const Scope mid_scope = scope / "mid_block";
  const std::size_t last = blocks - 1;
  SimpleResnetStyle mid_style = options.style;
  mid_style.output_scale_factor = options.mid_block_scale_factor;
  for (std::size_t j = 0; j < 2; ++j) {
    mid_block.resnets.emplace_back(mid_scope / "resnets" / j, channels[last], channels[last],
                                   mid_style);
  }
  add_attention(mid_block, mid_scope, last, options.mid_block_only_cross_attention);

  std::int64_t in = channels[last];
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t level = last - i;
    const Scope block_scope = scope / "up_blocks" / i;
    SimpleBlock& block = up_blocks.emplace_back();
    for (int j = 0; j < options.layers_per_block[level] + 1; ++j) {
      add_resnet(block, block_scope, in + skips.back(), channels[level]);
      skips.pop_back();
      if (options.up_block_types[i] == "SimpleCrossAttnUpBlock2D") {
        add_attention(block, block_scope, level, options.only_cross_attention);
      }
      in = channels[level];
    }
    if (i + 1 < blocks) {
      block.sampler.emplace(block_scope / "upsamplers" / 0, in, in, options.style,
                            SimpleResnet::Resample::Up);
    }
  }
  conv_norm_out.emplace(scope / "conv_norm_out", channels[0], options.style.groups,
                        options.style.eps);
  conv_out.emplace(scope / "conv_out", channels[0], out_channels_, 3);
}

void UNet2DSimpleCrossAttnModel::collect_attention_layers() {
  const auto collect = [this](const SimpleBlock& block) {
    for (const AddedKvAttention& attention : block.attentions) {
      attention_layers_.push_back(attention.path);
      attentions_.push_back(&attention);
    }
  };
  for (const SimpleBlock& block : down_blocks) collect(block);
  collect(mid_block);
  for (const SimpleBlock& block : up_blocks) collect(block);
}

torch::Tensor UNet2DSimpleCrossAttnModel::pool_text(const torch::Tensor& states) const {
  return (*add_embedding)(states);
}

torch::Tensor UNet2DSimpleCrossAttnModel::project_text(const torch::Tensor& states) const {
  return encoder_hid_proj ? (*encoder_hid_proj)(states) : states;
}

// One number -> [B, first channels], in the dtype of `like` [B, ...].
torch::Tensor UNet2DSimpleCrossAttnModel::embed(const torch::Tensor& number,
                                                const torch::Tensor& like) const {
  const torch::Tensor numbers = number.to(like.device()).reshape({1}).expand(like.size(0));
  return sinusoids(numbers, first_channels_, flip_sin_to_cos_, freq_shift_).to(like.dtype());
}

torch::Tensor UNet2DSimpleCrossAttnModel::operator()(torch::Tensor sample,
                                                     const torch::Tensor& timestep,
                                                     const std::vector<KeyValue>& text,
                                                     const torch::Tensor& pooled,
                                                     double noise_level) const {
  torch::Tensor temb =
      (*time_embedding_linear_2)(at::gelu((*time_embedding_linear_1)(embed(timestep, sample))));
  if (has_class_embedding()) {
    temb = temb + (*class_embedding_linear_2)(at::gelu(
                      (*class_embedding_linear_1)(embed(torch::tensor(noise_level), sample))));
  }
  temb = temb + pooled;
  if (activate_time_) temb = at::gelu(temb);
  sample = (*conv_in)(sample);

  std::vector<torch::Tensor> skips = {sample};
  for (const SimpleBlock& block : down_blocks) {
    for (std::size_t i = 0; i < block.resnets.size(); ++i) {
      sample = block.resnets[i](sample, temb);
      if (!block.attentions.empty()) {
        sample = block.attentions[i](sample, text[block.attentions[i].text_layer]);
      }
      skips.push_back(sample);
    }
    if (block.sampler) {
      sample = (*block.sampler)(sample, temb);
      skips.push_back(sample);
    }
  }

  sample = mid_block.resnets[0](sample, temb);
  sample = mid_block.attentions[0](sample, text[mid_block.attentions[0].text_layer]);
  sample = mid_block.resnets[1](sample, temb);

  for (const SimpleBlock& block : up_blocks) {
    for (std::size_t i = 0; i < block.resnets.size(); ++i) {
      sample = block.resnets[i](at::cat({sample, skips.back()}, 1), temb);
      skips.pop_back();
      if (!block.attentions.empty()) {
        sample = block.attentions[i](sample, text[block.attentions[i].text_layer]);
      }
    }
    if (block.sampler) sample = (*block.sampler)(sample, temb);
  }
  return (*conv_out)(at::gelu((*conv_norm_out)(sample)));
}

}  // namespace glyphward::model
