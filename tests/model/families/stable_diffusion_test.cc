// The pipeline on the bundled model. Equality with diffusers is tested in
// tests/reference/parity_test.py.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/config_error.h"
#include "model/checkpoint/weights.h"
#include "model/pipeline.h"
#include "tests/model/checkpoint_copy.h"

namespace glyphward::model {
namespace {

const char kPrompt[] = "a thing that says \"hello\"";
const char kOther[] = "a thing that says \"garden\"";

Pipeline& bundled() {
  static const std::unique_ptr<Pipeline> pipeline = load_pipeline(GLYPHWARD_BUNDLED_MODEL);
  return *pipeline;
}

GenerationRequest request_for(const char* prompt) {
  GenerationRequest request;
  request.streams = {{"prompt", prompt}};
  request.settings.num_inference_steps = 4;
  request.keep_tensors = true;
  return request;
}

std::vector<float> latents_of(const GenerationRequest& request) {
  const auto generation = bundled().generate(request, {});
  if (!generation) {
    ADD_FAILURE() << generation.error().param << ": " << generation.error().message;
    return {};
  }
  return generation->latents->data;
}

TEST(StableDiffusion, TellsItsLayersInForwardOrder) {
  const ModelInfo& info = bundled().info();
  const std::vector<std::string> expected = {
      "down_blocks.2.attentions.0.transformer_blocks.0.attn2",
      "mid_block.attentions.0.transformer_blocks.0.attn2",
      "up_blocks.2.attentions.0.transformer_blocks.0.attn2",
      "up_blocks.2.attentions.1.transformer_blocks.0.attn2",
      "up_blocks.2.attentions.2.transformer_blocks.0.attn2"};
  EXPECT_EQ(info.attention_layers, expected);
  EXPECT_EQ(info.name, "stable-diffusion");
  EXPECT_EQ(info.family, "stable-diffusion");
  EXPECT_EQ(info.weights_sha256, layers_sha256(GLYPHWARD_BUNDLED_MODEL, expected));
}

TEST(StableDiffusion, TakesItsDefaultsFromTheProfileAndElseFromTheConfiguration) {
  EXPECT_EQ(bundled().info().num_inference_steps, 12);
  EXPECT_EQ(bundled().info().guidance_scale, 2.0);
  const CheckpointCopy checkpoint;
  std::filesystem::remove(checkpoint / "glyphward.json");
  const auto pipeline = load_pipeline(checkpoint.path().string() + "/");
  EXPECT_EQ(pipeline->info().num_inference_steps, 50);
  EXPECT_EQ(pipeline->info().guidance_scale, 7.5);
  EXPECT_EQ(pipeline->info().height, 96);
  EXPECT_EQ(pipeline->info().width, 192);
  EXPECT_EQ(pipeline->info().profile_state, "none");
  EXPECT_EQ(pipeline->info().name, checkpoint.path().filename().string());
}

TEST(StableDiffusion, TrustsAProfileOnlyOnItsOwnWeights) {
  const CheckpointCopy checkpoint;
  const std::string layer = bundled().info().attention_layers[2];
  const auto write = [&](const std::string& name, const std::string& sha256) {
    checkpoint.edit_json("glyphward.json", [&](boost::json::object& profile) {
      profile["localization"] = {{"layers", boost::json::array{name}},
                                 {"sha256", sha256},
                                 {"evidence", boost::json::object{}}};
    });
  };
  const std::string sha256 = layers_sha256(checkpoint.path(), {layer});
  write(layer, sha256);
  EXPECT_EQ(load_pipeline(checkpoint.path())->info().profile_state, "localized");
  EXPECT_EQ(load_pipeline(checkpoint.path())->info().localized_layers,
            std::vector<std::string>{layer});

  write("up_blocks.7.attentions.0.transformer_blocks.0.attn2", sha256);
  EXPECT_EQ(load_pipeline(checkpoint.path())->info().profile_state.rfind("mismatch: ", 0), 0u);
  EXPECT_TRUE(load_pipeline(checkpoint.path())->info().localized_layers.empty());

  write(layer, sha256);
  checkpoint.edit_tensors("unet/diffusion_pytorch_model.safetensors",
                          [&](auto& tensors) { tensors[layer + ".to_k.weight"].bytes[0] ^= 1; });
  const auto pipeline = load_pipeline(checkpoint.path());
  EXPECT_EQ(pipeline->info().profile_state.rfind("mismatch: ", 0), 0u);
  EXPECT_NE(pipeline->info().profile_state.find(sha256), std::string::npos);
  EXPECT_TRUE(pipeline->info().localized_layers.empty());
}

TEST(StableDiffusion, IsBitEqualWhereNothingIsRouted) {
  const std::vector<float> plain = latents_of(request_for(kPrompt));
  GenerationRequest request = request_for(kPrompt);
  request.streams.push_back({"sanitized", kOther});
  EXPECT_EQ(latents_of(request), plain);
  for (const std::string& layer : bundled().info().attention_layers) {
    request.route.layers.push_back({layer, "prompt", 0});
  }
  EXPECT_EQ(latents_of(request), plain);
}

TEST(StableDiffusion, IsBitEqualToTheOtherPromptWhereAllLayersReadIt) {
  for (const double guidance_scale : {1.0, 2.0}) {
    GenerationRequest plain = request_for(kOther);
    plain.settings.guidance_scale = guidance_scale;
    GenerationRequest request = request_for(kPrompt);
    request.settings.guidance_scale = guidance_scale;
    request.streams.push_back({"sanitized", kOther});
    for (const std::string& layer : bundled().info().attention_layers) {
      request.route.layers.push_back({layer, "sanitized", 0});
    }
    EXPECT_EQ(latents_of(request), latents_of(plain));
    request.route.layers.clear();
    request.route.base = "sanitized";
    EXPECT_EQ(latents_of(request), latents_of(plain));
  }
}

TEST(StableDiffusion, ReadsAnotherStreamInOneLayerFromOneStepOn) {
  const std::vector<float> plain = latents_of(request_for(kPrompt));
  std::vector<std::vector<float>> seen = {plain, latents_of(request_for(kOther))};
  for (const std::string& layer : bundled().info().attention_layers) {
    for (const int from_step : {0, 2, 3}) {
      GenerationRequest request = request_for(kPrompt);
      request.streams.push_back({"sanitized", kOther});
      request.route.layers = {{layer, "sanitized", from_step}};
      const std::vector<float> latents = latents_of(request);
      for (const std::vector<float>& other : seen)
        EXPECT_NE(latents, other) << layer << " " << from_step;
      seen.push_back(latents);
    }
  }
}

TEST(StableDiffusion, GivesEachSeedItsPicture) {
  GenerationRequest request = request_for(kPrompt);
  request.seeds = {3, 4};
  const auto both = bundled().generate(request, {});
  ASSERT_TRUE(both);
  ASSERT_EQ(both->images.size(), 2u);
  request.seeds = {4};
  const auto second = bundled().generate(request, {});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->images[0].width, 192);
  EXPECT_EQ(second->images[0].height, 96);
  ASSERT_EQ(second->images[0].rgb.size(), both->images[1].rgb.size());
  int largest = 0;
  for (std::size_t i = 0; i < second->images[0].rgb.size(); ++i) {
    largest = std::max(largest, std::abs(second->images[0].rgb[i] - both->images[1].rgb[i]));
  }
  EXPECT_LE(largest, 1);
  EXPECT_NE(both->images[0], both->images[1]);
  EXPECT_EQ(both->image->shape, (std::vector<std::int64_t>{2, 3, 96, 192}));
  EXPECT_EQ(both->latents->shape, (std::vector<std::int64_t>{2, 8, 12, 24}));
}

TEST(StableDiffusion, StopsWithinOneStep) {
  std::stop_source before;
  before.request_stop();
  const auto none = bundled().generate(request_for(kPrompt), before.get_token());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::Cancelled);

  for (const int last : {2, 4}) {
    std::stop_source source;
    std::vector<int> steps;
    const auto cut =
        bundled().generate(request_for(kPrompt), source.get_token(), [&](int step, int count) {
          EXPECT_EQ(count, 4);
          steps.push_back(step);
          if (step == last) source.request_stop();
        });
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(static_cast<int>(steps.size()), last);
  }
}

TEST(StableDiffusion, RefusesRequestsOutOfRange) {
  struct Case {
    const char* note;
    std::function<void(GenerationRequest&)> edit;
    const char* param;
  };
  const Case cases[] = {
      {"no steps", [](GenerationRequest& r) { r.settings.num_inference_steps = 0; },
       "num_inference_steps"},
      {"many steps", [](GenerationRequest& r) { r.settings.num_inference_steps = 1001; },
       "num_inference_steps"},
      {"guidance below 1", [](GenerationRequest& r) { r.settings.guidance_scale = 0.99; },
       "guidance_scale"},
      {"negative guidance", [](GenerationRequest& r) { r.settings.guidance_scale = -7.5; },
       "guidance_scale"},
      {"guidance is no number",
       [](GenerationRequest& r) { r.settings.guidance_scale = std::nan(""); }, "guidance_scale"},
      {"endless guidance",
       [](GenerationRequest& r) {
         r.settings.guidance_scale = std::numeric_limits<double>::infinity();
       },
       "guidance_scale"},
      {"odd height", [](GenerationRequest& r) { r.settings.height = 60; }, "height"},
      {"no height", [](GenerationRequest& r) { r.settings.height = 0; }, "height"},
      {"negative width", [](GenerationRequest& r) { r.settings.width = -8; }, "width"},
      {"wide", [](GenerationRequest& r) { r.settings.width = 1 << 20; }, "width"},
      {"no seeds", [](GenerationRequest& r) { r.seeds.clear(); }, "seeds"},
      {"many seeds", [](GenerationRequest& r) { r.seeds.assign(33, 0); }, "seeds"},
      {"scheduler",
       [](GenerationRequest& r) { r.settings.scheduler = "FlowMatchEulerDiscreteScheduler"; },
       "scheduler"},
      {"no streams", [](GenerationRequest& r) { r.streams.clear(); }, "streams"},
      {"unknown layer",
       [](GenerationRequest& r) {
         r.route.layers = {{"attn2", "prompt", 0}};
       },
       "route.layers"},
      {"unknown stream",
       [](GenerationRequest& r) {
         r.route.layers = {{bundled().info().attention_layers[0], "x", 0}};
       },
       "route.layers"},
      {"a step that never comes",
       [](GenerationRequest& r) {
         r.route.layers = {{bundled().info().attention_layers[0], "prompt", 4}};
       },
       "route.layers"},
  };
  for (const Case& c : cases) {
    GenerationRequest request = request_for(kPrompt);
    c.edit(request);
    const auto generation = bundled().generate(request, {});
    ASSERT_FALSE(generation) << c.note;
    EXPECT_EQ(generation.error().code, ErrorCode::InvalidRequest) << c.note;
    EXPECT_EQ(generation.error().param, c.param) << c.note;
    EXPECT_EQ(generation.error().message.find("hello"), std::string::npos) << c.note;
  }
}

// Data need not begin where a float may lie: the tensors are then copied, and the picture is the
// same.
TEST(StableDiffusion, ReadsFilesOfOddAlignment) {
  const CheckpointCopy checkpoint;
  const std::string file = "unet/diffusion_pytorch_model.safetensors";
  checkpoint.write_tensors(file, checkpoint.read_tensors(file), 1);
  const auto odd = load_pipeline(checkpoint.path())->generate(request_for(kPrompt), {});
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->latents->data, latents_of(request_for(kPrompt)));
}

TEST(StableDiffusion, SaysWhichDeviceOrDtypeIsNotThere) {
  for (const LoadOptions& options :
       {LoadOptions{"tpu", "float32"}, LoadOptions{"cuda:x", "float32"}, LoadOptions{"cpu", "int8"},
        LoadOptions{"cuda:99", "float32"}}) {
    try {
      load_pipeline(GLYPHWARD_BUNDLED_MODEL, options);
      ADD_FAILURE() << options.device << " " << options.dtype;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(options.dtype == "int8" ? "dtype" : "device"),
                std::string::npos);
    }
  }
}

TEST(StableDiffusion, RunsInHalfPrecision) {
  const auto pipeline = load_pipeline(GLYPHWARD_BUNDLED_MODEL, {"cpu", "bfloat16"});
  const auto generation = pipeline->generate(request_for(kPrompt), {});
  ASSERT_TRUE(generation) << generation.error().message;
  EXPECT_EQ(pipeline->info().dtype, "bfloat16");
  double sum = 0;
  for (const float value : generation->latents->data) sum += value * value;
  EXPECT_GT(sum, 0);
}

}  // namespace
}  // namespace glyphward::model
