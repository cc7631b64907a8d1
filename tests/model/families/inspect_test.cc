// What configurations alone tell, and what a configuration may do wrong.
#include "model/families/inspect.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/config_error.h"
#include "model/proposals.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const fs::path kPublished = GLYPHWARD_PUBLISHED_CONFIGS;

// A copy of a published checkpoint's configurations, to be spoilt.
class ConfigCopy {
 public:
  explicit ConfigCopy(const std::string& name)
      : path_(fs::path(testing::TempDir()) / ("glyphward_config_" + std::to_string(getpid()))) {
    fs::remove_all(path_);
    fs::copy(kPublished / name, path_, fs::copy_options::recursive);
  }
  ~ConfigCopy() { fs::remove_all(path_); }
  ConfigCopy(const ConfigCopy&) = delete;
  ConfigCopy& operator=(const ConfigCopy&) = delete;

  const fs::path& path() const { return path_; }
  void set(const std::string& file, const std::string& key, const std::string& value) const {
    std::stringstream text;
    text << std::ifstream(path_ / file).rdbuf();
    json::value config = json::parse(text.str());
    config.as_object()[key] = json::parse(value);
    std::ofstream(path_ / file) << json::serialize(config);
  }
  std::string error() const {
    try {
      inspect_checkpoint(path_);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

 private:
  fs::path path_;
};

const PartDescription& part(const CheckpointDescription& checkpoint, const std::string& name) {
  for (const PartDescription& one : checkpoint.parts) {
    if (one.name == name) return one;
  }
  throw std::out_of_range(name);
}

TEST(Inspect, CountsSdxlAsPublished) {
  const CheckpointDescription sdxl =
      inspect_checkpoint(kPublished / "stable-diffusion-xl-base-1.0");
  EXPECT_EQ(sdxl.family, "stable-diffusion-xl");
  EXPECT_EQ(sdxl.denoiser, "unet");
  // What diffusers and transformers count of the same configurations.
  EXPECT_EQ(part(sdxl, "unet").parameters, 2567463684);
  EXPECT_EQ(part(sdxl, "text_encoder").parameters, 123060480);
  EXPECT_EQ(part(sdxl, "text_encoder_2").parameters, 694659840);
  EXPECT_EQ(part(sdxl, "vae").parameters, 83653863);
  EXPECT_EQ(part(sdxl, "text_encoder").dtype, "F16");
  EXPECT_EQ(part(sdxl, "unet").dtype, "");
  EXPECT_EQ(sdxl.bytes("float32"), 4 * sdxl.parameters());
  EXPECT_EQ(sdxl.bytes("bfloat16"), 2 * sdxl.parameters());
  EXPECT_EQ(sdxl.bytes("float16"), 2 * sdxl.parameters() + 2 * 83653863);  // the VAE stays wide
  // The order of the paper: down 0-23, mid 24-33, up_blocks.0 34-63, up_blocks.1 64-69.
  ASSERT_EQ(sdxl.layers.size(), 70u);
  EXPECT_EQ(sdxl.layers[0].name, "down_blocks.1.attentions.0.transformer_blocks.0.attn2");
  EXPECT_EQ(sdxl.layers[24].name, "mid_block.attentions.0.transformer_blocks.0.attn2");
  EXPECT_EQ(sdxl.layers[34].name, "up_blocks.0.attentions.0.transformer_blocks.0.attn2");
  EXPECT_EQ(sdxl.layers[64].name, "up_blocks.1.attentions.0.transformer_blocks.0.attn2");
}

// "15.7 M parameters, 0.61 %".
TEST(Inspect, ProposesThePapersLayersOfSdxl) {
  const CheckpointDescription sdxl =
      inspect_checkpoint(kPublished / "stable-diffusion-xl-base-1.0");
  std::int64_t parameters = 0;
  std::vector<std::string> proposed;
  for (const AttentionLayerDescription& layer : sdxl.layers) {
    if (!layer.proposed) continue;
    proposed.push_back(layer.name);
    parameters += layer.key_value_parameters;
  }
  EXPECT_EQ(proposed,
            (std::vector<std::string>{"up_blocks.0.attentions.2.transformer_blocks.1.attn2",
                                      "up_blocks.0.attentions.2.transformer_blocks.2.attn2",
                                      "up_blocks.0.attentions.2.transformer_blocks.3.attn2"}));
  EXPECT_EQ(proposed[0], sdxl.layers[55].name);
  EXPECT_EQ(parameters, 3 * 2 * 2048 * 1280);
  EXPECT_NEAR(
      100.0 * static_cast<double>(parameters) / static_cast<double>(sdxl.denoiser_parameters()),
      0.61, 0.005);
}

TEST(Inspect, ProposesNothingToAnotherShape) {
  const ConfigCopy narrow("stable-diffusion-xl-base-1.0");
  narrow.set("unet/config.json", "cross_attention_dim", "1024");
  for (const AttentionLayerDescription& layer : inspect_checkpoint(narrow.path()).layers) {
    EXPECT_FALSE(layer.proposed);
  }
  EXPECT_TRUE(
      propose_layers("stable-diffusion", std::vector<std::string>(70, "x"), [](const std::string&) {
        return std::vector<std::int64_t>{1280, 2048};
      }).empty());
}

TEST(Inspect, CountsLatentDiffusion) {
  const CheckpointDescription ldm = inspect_checkpoint(kPublished / "ldm-text2im-large-256");
  EXPECT_EQ(ldm.family, "latent-diffusion");
  EXPECT_EQ(part(ldm, "unet").parameters, 872300484);  // 872.30 M, as CompVis' own code counts it
  EXPECT_EQ(part(ldm, "bert").parameters, 581994042);
  EXPECT_EQ(ldm.layers.size(), 16u);
  for (const AttentionLayerDescription& layer : ldm.layers) EXPECT_FALSE(layer.proposed);
}

// "8.9 M parameters, 0.21 %" are the image's to_k and to_v of the layer; the text's are more.
TEST(Inspect, ProposesThePapersLayerOfDeepFloydIf) {
  const CheckpointDescription stage_1 = inspect_checkpoint(kPublished / "IF-I-XL-v1.0");
  EXPECT_EQ(stage_1.family, "deepfloyd-if");
  EXPECT_EQ(part(stage_1, "unet").parameters, 4304695110);
  EXPECT_EQ(part(stage_1, "text_encoder").parameters, 4762310656);  // T5-XXL's encoder
  ASSERT_EQ(stage_1.layers.size(), 22u);
  EXPECT_EQ(stage_1.layers[9].name, "mid_block.attentions.0");
  for (std::size_t i = 0; i < stage_1.layers.size(); ++i) {
    EXPECT_EQ(stage_1.layers[i].proposed, i == 17) << i;
  }
  const AttentionLayerDescription& layer = stage_1.layers[17];
  EXPECT_EQ(layer.name, "up_blocks.1.attentions.3");
  EXPECT_EQ(layer.key_value_parameters, 2 * (2112 * 2112 + 2112));
  EXPECT_EQ(layer.added_parameters, 2 * (2816 * 2112 + 2112));
  EXPECT_NEAR(100.0 * static_cast<double>(layer.key_value_parameters) /
                  static_cast<double>(stage_1.denoiser_parameters()),
              0.21, 0.005);
}

// "4.7 M parameters, 0.23 %".
TEST(Inspect, ProposesThePapersLayerOfStableDiffusion3) {
  const CheckpointDescription sd3 =
      inspect_checkpoint(kPublished / "stable-diffusion-3-medium-diffusers");
  EXPECT_EQ(sd3.family, "stable-diffusion-3");
  EXPECT_EQ(sd3.denoiser, "transformer");
  EXPECT_NEAR(static_cast<double>(sd3.denoiser_parameters()) / 1e6, 2028.3, 0.05);
  ASSERT_EQ(sd3.layers.size(), 24u);
  for (std::size_t i = 0; i < sd3.layers.size(); ++i) EXPECT_EQ(sd3.layers[i].proposed, i == 10);
  EXPECT_EQ(sd3.layers[10].name, "transformer_blocks.10.attn");
  EXPECT_EQ(sd3.layers[10].added_parameters, 2 * (1536 * 1536 + 1536));
  EXPECT_NEAR(100.0 * static_cast<double>(sd3.layers[10].added_parameters) /
                  static_cast<double>(sd3.denoiser_parameters()),
              0.23, 0.005);
  // The paper has none of Stable Diffusion 3.5, whose medium has the same shape but norms.
  for (const char* name : {"stable-diffusion-3.5-medium", "stable-diffusion-3.5-large"}) {
    for (const AttentionLayerDescription& layer : inspect_checkpoint(kPublished / name).layers) {
      EXPECT_FALSE(layer.proposed) << name << " " << layer.name;
    }
  }
}

TEST(Inspect, ReadsTheStoredDtype) {
  const CheckpointDescription bundled = inspect_checkpoint(GLYPHWARD_BUNDLED_MODEL);
  for (const PartDescription& one : bundled.parts) EXPECT_FALSE(one.dtype.empty()) << one.name;
  EXPECT_EQ(bundled.layers.size(), 5u);
}

TEST(HostileConfig, NamesAnOptionThatIsNotImplemented) {
  struct Case {
    const char* file;
    const char* key;
    const char* value;
  };
  const char* unet = "unet/config.json";
  const char* vae = "vae/config.json";
  const Case cases[] = {
      {unet, "act_fn", "\"gelu\""},
      {unet, "addition_embed_type", "\"text_image\""},
      {unet, "addition_time_embed_dim", "255"},
      {unet, "attention_type", "\"gated\""},
      {unet, "center_input_sample", "true"},
      {unet, "class_embed_type", "\"timestep\""},
      {unet, "class_embeddings_concat", "true"},
      {unet, "conv_in_kernel", "5"},
      {unet, "conv_out_kernel", "1"},
      {unet, "cross_attention_dim", "[2048, 2048, 1024]"},
      {unet, "cross_attention_norm", "\"group_norm\""},
      {unet, "down_block_types", "[\"DownBlock2D\", \"AttnDownBlock2D\", \"DownBlock2D\"]"},
      {unet, "dual_cross_attention", "true"},
      {unet, "encoder_hid_dim", "4096"},
      {unet, "encoder_hid_dim_type", "\"text_proj\""},
      {unet, "mid_block_only_cross_attention", "true"},
      {unet, "mid_block_scale_factor", "2"},
      {unet, "mid_block_type", "\"UNetMidBlock2D\""},
      {unet, "num_attention_heads", "8"},
      {unet, "num_class_embeds", "1000"},
      {unet, "only_cross_attention", "[true, true, false]"},
      {unet, "resnet_out_scale_factor", "1.414"},
      {unet, "resnet_skip_time_act", "true"},
      {unet, "resnet_time_scale_shift", "\"scale_shift\""},
      {unet, "reverse_transformer_layers_per_block", "[[10, 10], [2, 2], [1, 1]]"},
      {unet, "time_cond_proj_dim", "256"},
      {unet, "time_embedding_act_fn", "\"silu\""},
      {unet, "time_embedding_dim", "1024"},
      {unet, "time_embedding_type", "\"fourier\""},
      {unet, "timestep_post_act", "\"silu\""},
      {unet, "transformer_layers_per_block", "[[1, 1], [1, 2], [10, 10]]"},
      {unet, "up_block_types", "[\"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\"]"},
      {unet, "a_new_option", "true"},
      {vae, "act_fn", "\"relu\""},
      {vae, "latents_mean", "[0, 0, 0, 0]"},
      {vae, "latents_std", "[1, 1, 1, 1]"},
      {vae, "in_channels", "4"},
      {vae, "up_block_types", "[\"AttnUpDecoderBlock2D\"]"},
      {vae, "a_new_option", "[]"},
      {"text_encoder/config.json", "hidden_act", "\"relu\""},
      {"text_encoder/config.json", "model_type", "\"clip\""},
      {"model_index.json", "unet", "[\"diffusers\", \"UNet3DConditionModel\"]"},
      {"model_index.json", "prior", "[\"diffusers\", \"PriorTransformer\"]"},
      {"model_index.json", "_class_name", "\"StableDiffusionXLImg2ImgPipeline\""},
  };
  for (const Case& c : cases) {
    const ConfigCopy copy("stable-diffusion-xl-base-1.0");
    ASSERT_EQ(copy.error(), "");
    copy.set(c.file, c.key, c.value);
    const std::string error = copy.error();
    for (const char* named : {c.file, c.key}) {
      EXPECT_NE(error.find(named), std::string::npos)
          << c.key << " " << c.value << ": '" << error << "'";
    }
  }
}

TEST(HostileConfig, RefusesImpossibleSizes) {
  const char* unet = "unet/config.json";
  const std::string sizes[] = {
      "0", "-1", "1e30", "9223372036854775807", "1.5", "true", "\"64\"", "[[[[64]]]]", "{}", "[]"};
  const char* keys[] = {"block_out_channels",
                        "attention_head_dim",
                        "cross_attention_dim",
                        "layers_per_block",
                        "norm_num_groups",
                        "transformer_layers_per_block",
                        "addition_time_embed_dim",
                        "projection_class_embeddings_input_dim",
                        "sample_size",
                        "in_channels"};
  for (const char* key : keys) {
    for (const std::string& size : sizes) {
      const ConfigCopy copy("stable-diffusion-xl-base-1.0");
      copy.set(unet, key, size);
      const std::string error = copy.error();
      EXPECT_NE(error.find(unet), std::string::npos) << key << " = " << size << ": " << error;
      EXPECT_NE(error.find(key), std::string::npos) << key << " = " << size << ": " << error;
    }
  }
}

// Each number is possible by itself: together they would build without end.
TEST(HostileConfig, BoundsTheWholeNetwork) {
  const ConfigCopy copy("stable-diffusion-xl-base-1.0");
  copy.set("unet/config.json", "layers_per_block", "16");
  copy.set("unet/config.json", "transformer_layers_per_block", "64");
  EXPECT_NE(copy.error().find("expected a network of at most"), std::string::npos) << copy.error();
}

TEST(HostileConfig, RefusesWhatIsNoJsonObject) {
  for (const std::string& text :
       {std::string(), std::string("["), std::string("[]"), std::string("null"),
        std::string(1 << 20, '['), std::string("{\"a\": 1"), std::string("\xFF\xFE")}) {
    const ConfigCopy copy("stable-diffusion-xl-base-1.0");
    std::ofstream(copy.path() / "unet/config.json") << text;
    EXPECT_NE(copy.error().find("unet/config.json"), std::string::npos) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace glyphward::model
