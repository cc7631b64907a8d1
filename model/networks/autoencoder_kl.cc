#include "model/networks/autoencoder_kl.h"

#include <algorithm>
#include <array>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

constexpr double kEps = 1e-6;

// One of the attention's matrices, under its name of today or of old.
Linear take_projection(const Scope& scope, const std::string& name, const std::string& old_name,
                       std::int64_t channels) {
  if (!scope.has(old_name + ".weight")) {
    return Linear(name == "to_out" ? scope / name / 0 : scope / name, channels, channels);
  }
  const Scope old = scope / old_name;
  if (old.shape("weight").size() != 4) return Linear(old, channels, channels);
  // Older still: a 1x1 convolution, which is the same matrix.
  const Conv2d conv(old, channels, channels, 1);
  return Linear(conv.weight.defined() ? conv.weight.flatten(1) : conv.weight, conv.bias);
}

}  // namespace

VaeAttention::VaeAttention(const Scope& scope, std::int64_t channels, std::int64_t groups)
    : group_norm(scope / "group_norm", channels, groups, kEps),
      to_q(take_projection(scope, "to_q", "query", channels)),
      to_k(take_projection(scope, "to_k", "key", channels)),
      to_v(take_projection(scope, "to_v", "value", channels)),
      to_out(take_projection(scope, "to_out", "proj_attn", channels)) {}

torch::Tensor VaeAttention::operator()(const torch::Tensor& input) const {
  // [B, C, H, W] -> [B, H * W, C]: a pixel is a token.
  const torch::Tensor tokens = group_norm(input.flatten(2)).transpose(1, 2);
  const torch::Tensor output = to_out(attend(to_q(tokens), {to_k(tokens), to_v(tokens)}, 1));
  return output.transpose(1, 2).reshape(input.sizes()) + input;
}

VaeMidBlock::VaeMidBlock(const Scope& scope, std::int64_t channels, std::int64_t groups,
                         bool add_attention)
    : resnet_0(scope / "resnets" / 0, channels, channels, 0, groups, kEps),
      resnet_1(scope / "resnets" / 1, channels, channels, 0, groups, kEps) {
  if (add_attention) attention.emplace(scope / "attentions" / 0, channels, groups);
}

torch::Tensor VaeMidBlock::operator()(torch::Tensor sample) const {
  sample = resnet_0(sample);
  if (attention) sample = (*attention)(sample);
  return resnet_1(sample);
}

struct AutoencoderKL::Options {
  int in_channels = 3;
  int out_channels = 3;
  std::vector<int> block_out_channels;
  int layers_per_block = 1;
  int norm_num_groups = 32;
  bool mid_block_add_attention = true;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
};

namespace {

// The encoder's tree of modules, for its keys and shapes alone (see the header).
void account_for_encoder(const Scope& scope, const std::vector<int>& channels, int in_channels,
                         int latent_channels, int layers, int groups, bool add_attention) {
  const Conv2d conv_in(scope / "conv_in", in_channels, channels[0], 3);
  int in = channels[0];
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const Scope block = scope / "down_blocks" / i;
    for (int j = 0; j < layers; ++j) {
      const ResnetBlock2D resnet(block / "resnets" / j, in, channels[i], 0, groups, kEps);
      in = channels[i];
    }
    if (i + 1 < channels.size()) const Downsample2D down(block / "downsamplers" / 0, in, 0);
  }
  const VaeMidBlock mid_block(scope / "mid_block", in, groups, add_attention);
  const GroupNorm conv_norm_out(scope / "conv_norm_out", in, groups, kEps);
  const Conv2d conv_out(scope / "conv_out", in, std::int64_t{2} * latent_channels, 3);
}

}  // namespace

AutoencoderKL::AutoencoderKL(ComponentConfig& config, ModuleWeights& weights) {
  const Options options = read_options(config);
  const Scope scope(weights);
  build_decoder(options, scope);
  const Scope unused = scope.checked_only();
  account_for_encoder(unused / "encoder", options.block_out_channels, options.in_channels,
                      latent_channels_, options.layers_per_block, options.norm_num_groups,
                      options.mid_block_add_attention);
  if (options.use_quant_conv) {
    const Conv2d quant_conv(unused / "quant_conv", std::int64_t{2} * latent_channels_,
                            std::int64_t{2} * latent_channels_, 1);
  }
}

AutoencoderKL::Options AutoencoderKL::read_options(ComponentConfig& config) {
  config.expect("_class_name", {"\"AutoencoderKL\""});
  Options options;
  options.block_out_channels = config.integers("block_out_channels", 1, 1 << 14);
  for (const auto& [key, type] : {std::pair{"down_block_types", "DownEncoderBlock2D"},
                                  std::pair{"up_block_types", "UpDecoderBlock2D"}}) {
    const std::vector<std::string> types = config.strings(key);
    if (types != std::vector<std::string>(options.block_out_channels.size(), type)) {
      config.fail(key, std::string("expected ") + type +
                           " for each of block_out_channels, found another list");
    }
  }
  options.in_channels = config.integer("in_channels", 3, 3, 3);
  options.out_channels = config.integer("out_channels", 3, 3, 3);
  latent_channels_ = config.integer("latent_channels", 1, 256, 4);
  options.layers_per_block = config.integer("layers_per_block", 1, 16, 1);
  options.norm_num_groups = config.integer("norm_num_groups", 1, 1024, 32);
  for (const int channels : options.block_out_channels) {
    if (channels % options.norm_num_groups != 0) {
      config.fail("block_out_channels",
                  "expected multiples of norm_num_groups, found " + std::to_string(channels));
    }
  }
  options.mid_block_add_attention = config.boolean("mid_block_add_attention", true);
  options.use_quant_conv = config.boolean("use_quant_conv", true);
  options.use_post_quant_conv = config.boolean("use_post_quant_conv", true);
  scaling_factor_ = config.number("scaling_factor", 0.18215);
  if (!(scaling_factor_ > 0)) config.fail("scaling_factor", "expected a number over 0");
  config.expect("act_fn", {"\"silu\"", "\"swish\""});
  if (!config.is_null("shift_factor")) shift_factor_ = config.number("shift_factor", 0);
  config.ignore({"shift_factor"});
  // None of our pipelines reads them: a value here would mean another family.
  for (const char* key : {"latents_mean", "latents_std"}) config.expect(key, {"null"});
  config.boolean("force_upcast", true);
  sample_size_ = config.integer("sample_size", 1, 1 << 16, 32);
  config.done();
  return options;
}

void AutoencoderKL::build_decoder(const Options& options, const Scope& scope) {
  const Scope decoder = scope / "decoder";
  const std::vector<int>& channels = options.block_out_channels;
  const int groups = options.norm_num_groups;
  if (options.use_post_quant_conv) {
    post_quant_conv.emplace(scope / "post_quant_conv", latent_channels_, latent_channels_, 1);
  }
  int in = channels.back();
  conv_in.emplace(decoder / "conv_in", latent_channels_, in, 3);
  mid_block.emplace(decoder / "mid_block", in, groups, options.mid_block_add_attention);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const int out = channels[channels.size() - 1 - i];
    const Scope block_scope = decoder / "up_blocks" / i;
    UpDecoderBlock2D& block = up_blocks.emplace_back();
    for (int j = 0; j < options.layers_per_block + 1; ++j) {
      block.resnets.emplace_back(block_scope / "resnets" / j, in, out, 0, groups, kEps);
      in = out;
    }
    if (i + 1 < channels.size()) block.upsampler.emplace(block_scope / "upsamplers" / 0, out);
  }
  conv_norm_out.emplace(decoder / "conv_norm_out", in, groups, kEps);
  conv_out.emplace(decoder / "conv_out", in, options.out_channels, 3);
}

torch::Tensor AutoencoderKL::decode(const torch::Tensor& latents, bool tiling) const {
  torch::Tensor sample = latents / scaling_factor_;
  if (shift_factor_ != 0) sample = sample + shift_factor_;
  const std::int64_t tile = sample_size_ / scale_factor();
  const bool large = sample.size(2) > tile || sample.size(3) > tile;
  return tiling && large && tile > 0 ? decode_tiles(sample) : decode_whole(sample);
}

namespace {

// The first `extent` rows (dim 2) or columns (3) of `tile` come out of the last ones of `before`.
torch::Tensor blend(const torch::Tensor& before, const torch::Tensor& tile, std::int64_t dim,
                    std::int64_t extent) {
  extent = std::min({extent, before.size(dim), tile.size(dim)});
  if (extent == 0) return tile;
  std::vector<std::int64_t> shape(4, 1);
  shape[static_cast<std::size_t>(dim)] = extent;
  const torch::Tensor share = (at::arange(extent, torch::kFloat64) / static_cast<double>(extent))
                                  .to(tile.options())
                                  .view(shape);
  const torch::Tensor seam = before.narrow(dim, before.size(dim) - extent, extent) * (1 - share) +
                             tile.narrow(dim, 0, extent) * share;
  return at::cat({seam, tile.narrow(dim, extent, tile.size(dim) - extent)}, dim);
}

}  // namespace

torch::Tensor AutoencoderKL::decode_tiles(const torch::Tensor& latents) const {
  constexpr double kOverlap = 0.25;
  const std::int64_t tile = sample_size_ / scale_factor();
  const auto stride = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(static_cast<double>(tile) * (1 - kOverlap)));
  const auto extent = static_cast<std::int64_t>(sample_size_ * kOverlap);
  const std::int64_t kept = sample_size_ - extent;
  const auto part = [](std::int64_t from, std::int64_t length, std::int64_t size) {
    return std::min(length, size - from);
  };
  std::vector<torch::Tensor> rows;
  std::vector<torch::Tensor> above;  // the row before, blended
  for (std::int64_t y = 0; y < latents.size(2); y += stride) {
    std::vector<torch::Tensor> row;
    std::vector<torch::Tensor> cut;
    for (std::int64_t x = 0; x < latents.size(3); x += stride) {
      torch::Tensor image = decode_whole(latents.narrow(2, y, part(y, tile, latents.size(2)))
                                             .narrow(3, x, part(x, tile, latents.size(3))));
      if (!above.empty()) image = blend(above[row.size()], image, 2, extent);
      if (!row.empty()) image = blend(row.back(), image, 3, extent);
      cut.push_back(image.narrow(2, 0, part(0, kept, image.size(2)))
                        .narrow(3, 0, part(0, kept, image.size(3))));
      row.push_back(std::move(image));
    }
    rows.push_back(at::cat(cut, 3));
    above = std::move(row);
  }
  return at::cat(rows, 2);
}

torch::Tensor AutoencoderKL::decode_whole(const torch::Tensor& latents) const {
  torch::Tensor sample = latents;
  if (post_quant_conv) sample = (*post_quant_conv)(sample);
  sample = (*mid_block)((*conv_in)(sample));
  for (const UpDecoderBlock2D& block : up_blocks) {
    for (const ResnetBlock2D& resnet : block.resnets) sample = resnet(sample);
    if (block.upsampler) {
      const std::array<std::int64_t, 2> size = {2 * sample.size(2), 2 * sample.size(3)};
      sample = (*block.upsampler)(sample, size);
    }
  }
  return (*conv_out)(at::silu((*conv_norm_out)(sample)));
}

bool vae_must_upcast(const std::filesystem::path& config_file) {
  ComponentConfig config(config_file);
  return config.boolean("force_upcast", true);
}

}  // namespace glyphward::model
