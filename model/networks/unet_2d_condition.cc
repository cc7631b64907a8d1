#include "model/networks/unet_2d_condition.h"

#include <algorithm>

#include "base/config_error.h"

namespace glyphward::model {

Attention::Attention(const Scope& scope, std::int64_t channels, std::int64_t context,
                     std::int64_t heads_)
    : to_q(scope / "to_q", channels, channels, false),
      to_k(scope / "to_k", context, channels, false),
      to_v(scope / "to_v", context, channels, false),
      to_out(scope / "to_out" / 0, channels, channels),
      heads(heads_) {}

BasicTransformerBlock::BasicTransformerBlock(const Scope& scope, std::int64_t channels,
                                             std::int64_t context, std::int64_t heads,
                                             std::size_t text_layer_)
    : norm1(scope / "norm1", channels, 1e-5),
      attn1(scope / "attn1", channels, channels, heads),
      norm2(scope / "norm2", channels, 1e-5),
      attn2(scope / "attn2", channels, context, heads),
      norm3(scope / "norm3", channels, 1e-5),
      ff_proj(scope / "ff" / "net" / 0 / "proj", channels, 8 * channels),
      ff_out(scope / "ff" / "net" / 2, 4 * channels, channels),
      attn2_path((scope / "attn2").path()),
      text_layer(text_layer_) {}

torch::Tensor BasicTransformerBlock::operator()(torch::Tensor hidden_states,
                                                const TextRoute& text) const {
  const torch::Tensor normed = norm1(hidden_states);
  hidden_states = attn1(normed, attn1.key_value(normed)) + hidden_states;
  // Self-attention above, cross-attention here: the route picks whose text this layer reads, and no
  // other line knows of it.
  hidden_states = attn2(norm2(hidden_states), text[text_layer]) + hidden_states;
  const std::vector<torch::Tensor> halves = ff_proj(norm3(hidden_states)).chunk(2, -1);
  return ff_out(halves[0] * at::gelu(halves[1])) + hidden_states;
}

Transformer2DModel::Transformer2DModel(const Scope& scope, std::int64_t channels,
                                       std::int64_t context, std::int64_t heads, int layers,
                                       std::int64_t groups, bool use_linear_projection,
                                       std::size_t& text_layers)
    : norm(scope / "norm", channels, groups, 1e-6) {
  if (use_linear_projection) {
    linear_in.emplace(scope / "proj_in", channels, channels);
    linear_out.emplace(scope / "proj_out", channels, channels);
  } else {
    conv_in.emplace(scope / "proj_in", channels, channels, 1);
    conv_out.emplace(scope / "proj_out", channels, channels, 1);
  }
  for (int i = 0; i < layers; ++i) {
    transformer_blocks.emplace_back(scope / "transformer_blocks" / i, channels, context, heads,
                                    text_layers++);
  }
}

torch::Tensor Transformer2DModel::operator()(const torch::Tensor& input,
                                             const TextRoute& text) const {
  const std::int64_t height = input.size(2);
  // A pixel is a token: [B, C, H, W] -> [B, H * W, C]. A convolution works before the change, a
  // Linear after it.
  const auto to_tokens = [](const torch::Tensor& x) {
    return x.permute({0, 2, 3, 1}).flatten(1, 2);
  };
  const auto to_image = [height](const torch::Tensor& x) {
    return x.unflatten(1, {height, -1}).permute({0, 3, 1, 2}).contiguous();
  };
  torch::Tensor hidden_states = norm(input);
  hidden_states =
      conv_in ? to_tokens((*conv_in)(hidden_states)) : (*linear_in)(to_tokens(hidden_states));
  for (const BasicTransformerBlock& block : transformer_blocks) {
    hidden_states = block(hidden_states, text);
  }
  hidden_states =
      conv_out ? (*conv_out)(to_image(hidden_states)) : to_image((*linear_out)(hidden_states));
  return hidden_states + input;
}

namespace {

constexpr int kTransformerLayersMax = 64;

}  // namespace

std::vector<std::string> read_block_types(ComponentConfig& config, const std::string& key,
                                          std::size_t blocks, const std::string& with,
                                          const std::string& without) {
  std::vector<std::string> types = config.strings(key);
  if (types.size() != blocks) {
    config.fail(
        key, "expected one for each of block_out_channels, found " + std::to_string(types.size()));
  }
  const auto other = std::find_if(types.begin(), types.end(), [&](const std::string& type) {
    return type != with && type != without;
  });
  if (other != types.end())
    config.fail(key, "expected " + with + " or " + without + ", found " + *other);
  return types;
}

struct UNet2DConditionModel::Options {
  std::vector<std::string> down_block_types;
  std::vector<std::string> up_block_types;
  std::vector<int> block_out_channels;
  // One a block; the up blocks take them in reverse, with one layer more.
  std::vector<int> layers_per_block;
  std::vector<int> heads;
  // By block and layer, in the order of the down and of the up blocks.
  std::vector<std::vector<int>> down_transformer_layers;
  std::vector<std::vector<int>> up_transformer_layers;
  bool has_mid_block = true;
  int downsample_padding = 1;
  int norm_num_groups = 32;
  double norm_eps = 1e-5;
  bool use_linear_projection = false;
};

UNet2DConditionModel::UNet2DConditionModel(ComponentConfig& config, ModuleWeights& weights) {
  build(read_options(config), weights);
  collect_attention_layers();
}

UNet2DConditionModel::Options UNet2DConditionModel::read_options(ComponentConfig& config) {
  config.expect("_class_name", {"\"UNet2DConditionModel\""});
  Options options;
  options.block_out_channels = config.integers("block_out_channels", 1, 1 << 14);
  const std::size_t blocks = options.block_out_channels.size();
  options.down_block_types =
      read_block_types(config, "down_block_types", blocks, "CrossAttnDownBlock2D", "DownBlock2D");
  options.up_block_types =
      read_block_types(config, "up_block_types", blocks, "CrossAttnUpBlock2D", "UpBlock2D");
  in_channels_ = config.integer("in_channels", 1, 256, 4);
  out_channels_ = config.integer("out_channels", 1, 256, 4);
  options.layers_per_block = config.integers("layers_per_block", 1, 16, blocks, 2);
  read_transformer_layers(config, options);
  // Named so by mistake, and kept so for the sake of published files: it is the number of heads.
  options.heads = config.integers("attention_head_dim", 1, 1024, blocks, 8);
  options.downsample_padding = config.integer("downsample_padding", 0, 1, 1);
  options.norm_num_groups = config.integer("norm_num_groups", 1, 1024, 32);
  options.norm_eps = config.number("norm_eps", 1e-5);
  options.use_linear_projection = config.boolean("use_linear_projection", false);
  cross_attention_dim_ = config.integer("cross_attention_dim", 1, 1 << 16, 1280);
  flip_sin_to_cos_ = config.boolean("flip_sin_to_cos", true);
  freq_shift_ = config.number("freq_shift", 0);
  const std::vector<int> size = config.integers("sample_size", 1, 1 << 12, 2, 64);
  sample_size_ = {size[0], size[1]};
  time_channels_ = options.block_out_channels[0];
  read_added_conditions(config);
  check_options(config, options);

  config.expect("act_fn", {"\"silu\"", "\"swish\""});
  options.has_mid_block = !config.is_given("mid_block_type") || !config.is_null("mid_block_type");
  config.expect("mid_block_type", {"\"UNetMidBlock2DCrossAttn\"", "null"});
  config.expect("mid_block_scale_factor", {"1"});
  config.expect("resnet_out_scale_factor", {"1"});
  config.expect("resnet_time_scale_shift", {"\"default\""});
  config.expect("time_embedding_type", {"\"positional\""});
  config.expect("attention_type", {"\"default\""});
  config.expect("conv_in_kernel", {"3"});
  config.expect("conv_out_kernel", {"3"});
  for (const char* key : {"center_input_sample", "only_cross_attention", "dual_cross_attention",
                          "resnet_skip_time_act", "class_embeddings_concat"}) {
    config.expect(key, {"false"});
  }
  for (const char* key :
       {"num_attention_heads", "encoder_hid_dim", "encoder_hid_dim_type", "class_embed_type",
        "num_class_embeds", "time_embedding_dim", "time_embedding_act_fn", "timestep_post_act",
        "time_cond_proj_dim", "cross_attention_norm"}) {
    config.expect(key, {"null"});
  }
  config.expect("mid_block_only_cross_attention", {"null", "false"});
  // upcast_attention: scaled dot product attention sums in float32 itself, and diffusers' default
  // processor does not read the option either. dropout: training only. The heads of an
  // addition_embed_type that is not text_time's.
  config.expect("upcast_attention", {"null", "false", "true"});
  config.ignore({"dropout", "addition_embed_type_num_heads"});
  config.done();
  return options;
}

void UNet2DConditionModel::read_transformer_layers(ComponentConfig& config, Options& options) {
  const char* key = "transformer_layers_per_block";
  const char* reverse_key = "reverse_transformer_layers_per_block";
  options.down_transformer_layers =
      config.integers_by_layer(key, 1, kTransformerLayersMax, options.layers_per_block, 1);
  std::vector<int> up_counts;
  for (auto it = options.layers_per_block.rbegin(); it != options.layers_per_block.rend(); ++it) {
    up_counts.push_back(*it + 1);
  }
  if (!config.is_null(reverse_key)) {
    options.up_transformer_layers =
        config.integers_by_layer(reverse_key, 1, kTransformerLayersMax, up_counts, 1);
    return;
  }
  config.expect(reverse_key, {"null"});
  for (std::size_t i = 0; i < up_counts.size(); ++i) {
    const std::vector<int>& down = options.down_transformer_layers[up_counts.size() - 1 - i];
    if (std::adjacent_find(down.begin(), down.end(), std::not_equal_to<>()) != down.end()) {
      config.fail(reverse_key, std::string("expected a list beside layers of different depth in ") +
                                   key + ", found none");
    }
    options.up_transformer_layers.emplace_back(up_counts[i], down[0]);
  }
}

// SDXL's: the pooled text and some numbers' sinusoids, through two layers of their own.
void UNet2DConditionModel::read_added_conditions(ComponentConfig& config) {
  config.expect("addition_embed_type", {"null", "\"text_time\""});
  if (config.is_null("addition_embed_type")) {
    config.expect("addition_time_embed_dim", {"null"});
    config.expect("projection_class_embeddings_input_dim", {"null"});
    return;
  }
  added_time_dim_ = config.integer("addition_time_embed_dim", 2, 1 << 14);
  added_dim_ = config.integer("projection_class_embeddings_input_dim", 1, 1 << 16);
  if (added_time_dim_ % 2 != 0) {
    config.fail("addition_time_embed_dim",
                "expected an even number, found " + std::to_string(added_time_dim_));
  }
}

void UNet2DConditionModel::check_options(ComponentConfig& config, const Options& options) const {
  for (std::size_t i = 0; i < options.block_out_channels.size(); ++i) {
    const int channels = options.block_out_channels[i];
    if (channels % options.norm_num_groups != 0 || channels % 2 != 0) {
      config.fail("block_out_channels",
                  "expected even multiples of norm_num_groups, found " + std::to_string(channels));
    }
    if (channels % options.heads[i] != 0) {
      config.fail("attention_head_dim",
                  "expected a number of heads that divides the block's channels " +
                      std::to_string(channels) + ", found " + std::to_string(options.heads[i]));
    }
  }
}

// What comes before the blocks: the first convolution and the layers of the time and, in SDXL, of
// the added conditions.
void UNet2DConditionModel::build_embeddings(std::int64_t channels, const Scope& scope) {
  const std::int64_t temb_channels = 4 * channels;
  conv_in.emplace(scope / "conv_in", in_channels_, channels, 3);
  time_embedding_linear_1.emplace(scope / "time_embedding" / "linear_1", channels, temb_channels);
  time_embedding_linear_2.emplace(scope / "time_embedding" / "linear_2", temb_channels,
                                  temb_channels);

  if (added_dim_ > 0) {
    const Scope added = scope / "add_embedding";
    add_embedding_linear_1.emplace(added / "linear_1", added_dim_, temb_channels);
    add_embedding_linear_2.emplace(added / "linear_2", temb_channels, temb_channels);
  }
}

void UNet2DConditionModel::build(const Options& options, ModuleWeights& weights) {
  const Scope scope(weights);
  const std::vector<int>& channels = options.block_out_channels;
  const std::size_t blocks = channels.size();
  const std::int64_t temb_channels = std::int64_t{4} * channels[0];
  const std::int64_t groups = options.norm_num_groups;
  std::size_t text_layers = 0;

  const auto add_resnet = [&](std::vector<ResnetBlock2D>& resnets, const Scope& block,
                              std::int64_t in, std::int64_t out) {
    resnets.emplace_back(block / "resnets" / resnets.size(), in, out, temb_channels, groups,
                         options.norm_eps);
  };
  const auto add_attention = [&](std::vector<Transformer2DModel>& attentions, const Scope& block,
                                 std::size_t level, int layers) {
    attentions.emplace_back(block / "attentions" / attentions.size(), channels[level],
                            cross_attention_dim_, options.heads[level], layers, groups,
                            options.use_linear_projection, text_layers);
  };

  build_embeddings(channels[0], scope);

  // Layers number themselves as they are built, `text_layers` counting: down, mid, up.
  // The widths of the skip connections, in the order in which they are made.
  std::vector<std::int64_t> skips = {channels[0]};
  for (std::size_t i = 0; i < blocks; ++i) {
    const Scope block_scope = scope / "down_blocks" / i;
    DownBlock2D& block = down_blocks.emplace_back();
    for (int j = 0; j < options.layers_per_block[i]; ++j) {
      add_resnet(block.resnets, block_scope, skips.back(), channels[i]);
      if (options.down_block_types[i] == "CrossAttnDownBlock2D") {
        add_attention(block.attentions, block_scope, i, options.down_transformer_layers[i][j]);
      }
      skips.push_back(channels[i]);
    }
    if (i + 1 < blocks) {
      block.downsampler.emplace(block_scope / "downsamplers" / 0, channels[i],
                                options.downsample_padding);
      skips.push_back(channels[i]);
    }
  }

  const Scope mid_scope = scope / "mid_block";
  const std::size_t last = blocks - 1;
  if (options.has_mid_block) {
    add_resnet(mid_block.resnets, mid_scope, channels[last], channels[last]);
    add_attention(mid_block.attentions, mid_scope, last, options.down_transformer_layers[last][0]);
    add_resnet(mid_block.resnets, mid_scope, channels[last], channels[last]);
  }

  std::int64_t in = channels[last];
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t level = last - i;
    const Scope block_scope = scope / "up_blocks" / i;
    UpBlock2D& block = up_blocks.emplace_back();
    for (int j = 0; j < options.layers_per_block[level] + 1; ++j) {
      add_resnet(block.resnets, block_scope, in + skips.back(), channels[level]);
      skips.pop_back();
      if (options.up_block_types[i] == "CrossAttnUpBlock2D") {
        add_attention(block.attentions, block_scope, level, options.up_transformer_layers[i][j]);
      }
      in = channels[level];
    }
    if (i + 1 < blocks) block.upsampler.emplace(block_scope / "upsamplers" / 0, channels[level]);
  }
  conv_norm_out.emplace(scope / "conv_norm_out", channels[0], groups, options.norm_eps);
  conv_out.emplace(scope / "conv_out", channels[0], out_channels_, 3);
}

void UNet2DConditionModel::collect_attention_layers() {
  const auto collect = [this](const std::vector<Transformer2DModel>& transformers) {
    for (const Transformer2DModel& transformer : transformers) {
      for (const BasicTransformerBlock& block : transformer.transformer_blocks) {
        attention_layers_.push_back(block.attn2_path);
        attentions_.push_back(&block.attn2);
      }
    }
  };
  for (const DownBlock2D& block : down_blocks) collect(block.attentions);
  collect(mid_block.attentions);
  for (const UpBlock2D& block : up_blocks) collect(block.attentions);
}

// -> [B, temb_channels]
torch::Tensor UNet2DConditionModel::embed_time(const torch::Tensor& timestep,
                                               const torch::Tensor& sample) const {
  const torch::Tensor timesteps = timestep.to(sample.device()).reshape({1}).expand(sample.size(0));
  return (*time_embedding_linear_2)(at::silu((*time_embedding_linear_1)(
      sinusoids(timesteps, time_channels_, flip_sin_to_cos_, freq_shift_).to(sample.dtype()))));
}

// -> [B, temb_channels]
torch::Tensor UNet2DConditionModel::embed_added(const AddedConditions& added) const {
  const torch::Tensor times =
      sinusoids(added.time_ids.flatten(), added_time_dim_, flip_sin_to_cos_, freq_shift_);
  const torch::Tensor input =
      at::cat({added.text_embeds,
               times.reshape({added.text_embeds.size(0), -1}).to(added.text_embeds.dtype())},
              1);
  return (*add_embedding_linear_2)(at::silu((*add_embedding_linear_1)(input)));
}

torch::Tensor UNet2DConditionModel::operator()(torch::Tensor sample, const torch::Tensor& timestep,
                                               const TextRoute& text,
                                               const AddedConditions& added) const {
  torch::Tensor temb = embed_time(timestep, sample);
  if (has_added_conditions()) temb = temb + embed_added(added);
  sample = (*conv_in)(sample);

  std::vector<torch::Tensor> skips = {sample};
  for (const DownBlock2D& block : down_blocks) {
    for (std::size_t i = 0; i < block.resnets.size(); ++i) {
      sample = block.resnets[i](sample, temb);
      if (!block.attentions.empty()) sample = block.attentions[i](sample, text);
      skips.push_back(sample);
    }
    if (block.downsampler) {
      sample = (*block.downsampler)(sample);
      skips.push_back(sample);
    }
  }

  if (!mid_block.resnets.empty()) {
    sample = mid_block.resnets[0](sample, temb);
    sample = mid_block.attentions[0](sample, text);
    sample = mid_block.resnets[1](sample, temb);
  }

  for (const UpBlock2D& block : up_blocks) {
    for (std::size_t i = 0; i < block.resnets.size(); ++i) {
      sample = block.resnets[i](at::cat({sample, skips.back()}, 1), temb);
      skips.pop_back();
      if (!block.attentions.empty()) sample = block.attentions[i](sample, text);
    }
    if (block.upsampler) {
      const torch::Tensor& next = skips.back();
      sample = (*block.upsampler)(sample, next.sizes().slice(2));
    }
  }
  return (*conv_out)(at::silu((*conv_norm_out)(sample)));
}

}  // namespace glyphward::model
