// What a checkpoint folder may do wrong, seen through load_pipeline: the error names file, key,
// expected and found.
#include <gtest/gtest.h>

#include <fstream>

#include "base/config_error.h"
#include "model/pipeline.h"
#include "tests/model/checkpoint_copy.h"

namespace glyphward::model {
namespace {

const std::string kUnet = "unet/diffusion_pytorch_model.safetensors";
const std::string kVae = "vae/diffusion_pytorch_model.safetensors";
const std::string kText = "text_encoder/model.safetensors";

std::string load_error(const CheckpointCopy& checkpoint) {
  try {
    load_pipeline(checkpoint.path());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

void expect_error(const std::string& error, const std::vector<std::string>& parts,
                  const std::string& note) {
  for (const std::string& part : parts) {
    EXPECT_NE(error.find(part), std::string::npos)
        << note << ": expected '" << part << "' in '" << error << "'";
  }
}

TEST(Checkpoint, NamesTheTensorThatDoesNotFit) {
  using Tensors = CheckpointCopy::Tensors;
  struct Case {
    const char* note;
    std::string file;
    std::function<void(Tensors&)> edit;
    std::vector<std::string> says;
  };
  const Case cases[] = {
      {"missing in the UNet",
       kUnet,
       [](Tensors& t) { t.erase("conv_in.bias"); },
       {kUnet, "conv_in.bias: expected [96], found no such tensor"}},
      {"missing in the text encoder",
       kText,
       [](Tensors& t) { t.erase("final_layer_norm.weight"); },
       {kText, "final_layer_norm.weight: expected [128], found no such tensor"}},
      {"missing in the decoder",
       kVae,
       [](Tensors& t) { t.erase("decoder.conv_out.weight"); },
       {kVae, "decoder.conv_out.weight: expected [3, 8, 3, 3]"}},
      {"missing in the encoder, which does not run",
       kVae,
       [](Tensors& t) { t.erase("encoder.conv_out.weight"); },
       {kVae, "encoder.conv_out.weight: expected [16, 96, 3, 3]"}},
      {"left over",
       kUnet,
       [](Tensors& t) { t["conv_in.extra"] = t["conv_in.bias"]; },
       {kUnet, "conv_in.extra: expected no such tensor by config.json, found F16 [96]"}},
      {"left over in the encoder",
       kVae,
       [](Tensors& t) { t["encoder.extra.weight"] = t["decoder.conv_out.bias"]; },
       {kVae, "encoder.extra.weight", "found F16 [3]"}},
      {"another shape",
       kUnet,
       [](Tensors& t) {
         t["conv_in.weight"].shape = {8, 96, 3, 3};
       },
       {kUnet, "conv_in.weight: expected F32, F16 or BF16 [96, 8, 3, 3], found F16 [8, 96, 3, 3]"}},
      {"another dtype",
       kUnet,
       [](Tensors& t) { t["conv_in.bias"].dtype = "I16"; },
       {kUnet, "conv_in.bias: expected F32, F16 or BF16 [96], found I16 [96]"}},
      {"a quarter of the names renamed",
       kText,
       [](Tensors& t) { t["text_model.final_layer_norm.bias"] = t["final_layer_norm.bias"]; },
       {kText, "text_model.embeddings.token_embedding.weight: expected [514, 128]"}},
  };
  for (const Case& c : cases) {
    const CheckpointCopy checkpoint;
    checkpoint.edit_tensors(c.file, c.edit);
    expect_error(load_error(checkpoint), c.says, c.note);
  }
}

TEST(Checkpoint, RefusesFilesThatAreNotWhole) {
  {
    const CheckpointCopy checkpoint;
    std::filesystem::resize_file(checkpoint / kUnet,
                                 std::filesystem::file_size(checkpoint / kUnet) - 1);
    expect_error(load_error(checkpoint), {kUnet, "truncated"}, "truncated");
  }
  {
    const CheckpointCopy checkpoint;
    std::ofstream(checkpoint / kUnet, std::ios::app) << "x";
    expect_error(load_error(checkpoint), {kUnet, "bytes of data"}, "appended");
  }
  {
    const CheckpointCopy checkpoint;
    checkpoint.write(kUnet, "");
    expect_error(load_error(checkpoint), {kUnet, "expected a file with content"}, "empty");
  }
  {
    const CheckpointCopy checkpoint;
    std::filesystem::remove(checkpoint / kUnet);
    expect_error(load_error(checkpoint),
                 {"/unet: expected diffusion_pytorch_model.safetensors, found no such file"},
                 "no file");
  }
  {
    const CheckpointCopy checkpoint;
    std::filesystem::rename(checkpoint / kUnet, checkpoint / "unet/diffusion_pytorch_model.bin");
    expect_error(load_error(checkpoint), {"unet/diffusion_pytorch_model.bin", "pickle runs code"},
                 "pickle");
  }
}

TEST(Checkpoint, RefusesOptionsThatAreNotImplemented) {
  struct Case {
    std::string file;
    std::string key;
    boost::json::value value;
  };
  const Case cases[] = {
      {"model_index.json", "_class_name", "StableCascadePipeline"},
      {"model_index.json", "unet", boost::json::array{"diffusers", "UNet3DConditionModel"}},
      {"model_index.json", "text_encoder", nullptr},
      {"unet/config.json", "_class_name", "UNet1DModel"},
      {"unet/config.json", "act_fn", "gelu"},
      {"unet/config.json", "mid_block_type", "UNetMidBlock2DSimpleCrossAttn"},
      {"unet/config.json", "down_block_types",
       boost::json::array{"DownBlock2D", "CrossAttnDownBlock2D", "AttnDownBlock2D"}},
      {"unet/config.json", "up_block_types", boost::json::array{"UpBlock2D", "UpBlock2D"}},
      {"unet/config.json", "addition_embed_type", "text_image"},
      {"unet/config.json", "only_cross_attention", true},
      {"unet/config.json", "block_out_channels", boost::json::array{96, 128, 161}},
      {"unet/config.json", "attention_head_dim", boost::json::array{4}},
      {"unet/config.json", "attention_head_dim", 7},
      {"unet/config.json", "attention_head_dim", "4"},
      {"unet/config.json", "norm_num_groups", 0},
      {"unet/config.json", "cross_attention_dim", 1.5},
      {"unet/config.json", "in_channels", 4000000000},
      {"unet/config.json", "an_option_of_next_year", 1},
      {"vae/config.json", "_class_name", "AutoencoderTiny"},
      {"vae/config.json", "scaling_factor", 0},
      {"vae/config.json", "shift_factor", 0.1},
      {"vae/config.json", "latent_channels", "8"},
      {"text_encoder/config.json", "model_type", "bert"},
      {"text_encoder/config.json", "hidden_act", "relu"},
      {"text_encoder/config.json", "num_attention_heads", 7},
      {"scheduler/scheduler_config.json", "_class_name", "UniPCMultistepScheduler"},
  };
  for (const Case& c : cases) {
    const CheckpointCopy checkpoint;
    checkpoint.edit_json(c.file, [&c](boost::json::object& object) { object[c.key] = c.value; });
    const std::string note = c.file + " " + c.key;
    expect_error(load_error(checkpoint), {c.file, c.key + ":", "expected"}, note);
  }
}

TEST(Checkpoint, RefusesComponentsThatDoNotFitTogether) {
  const CheckpointCopy checkpoint;
  checkpoint.edit_json("tokenizer/tokenizer_config.json",
                       [](boost::json::object& object) { object["model_max_length"] = 129; });
  expect_error(load_error(checkpoint), {"model_max_length", "128", "found 129"}, "tokenizer");
}

TEST(Checkpoint, RefusesWhatIsNoJson) {
  for (const char* file : {"model_index.json", "unet/config.json", "vae/config.json",
                           "text_encoder/config.json", "scheduler/scheduler_config.json"}) {
    for (const char* content : {"", "{", "[1]", "\xff\xfe"}) {
      const CheckpointCopy checkpoint;
      checkpoint.write(file, content);
      expect_error(load_error(checkpoint), {file, "JSON"}, file);
    }
    const CheckpointCopy checkpoint;
    std::filesystem::remove(checkpoint / file);
    expect_error(load_error(checkpoint), {file}, file);
  }
}

// Splits the UNet's file in two and writes the index.
boost::json::object shard(const CheckpointCopy& checkpoint) {
  CheckpointCopy::Tensors first = checkpoint.read_tensors(kUnet);
  CheckpointCopy::Tensors second;
  boost::json::object map;
  while (second.size() < first.size()) second.insert(first.extract(std::prev(first.end())));
  for (const auto& [key, stored] : first) map[key] = "a.safetensors";
  for (const auto& [key, stored] : second) map[key] = "b.safetensors";
  checkpoint.write_tensors("unet/a.safetensors", first);
  checkpoint.write_tensors("unet/b.safetensors", second);
  std::filesystem::remove(checkpoint / kUnet);
  return map;
}

TEST(Checkpoint, ReadsShards) {
  const CheckpointCopy checkpoint;
  const std::string index = kUnet + ".index.json";
  const std::string whole = load_pipeline(checkpoint.path())->info().weights_sha256;
  const boost::json::object map = shard(checkpoint);
  const auto write_index = [&](const boost::json::object& weight_map) {
    checkpoint.write(index, boost::json::serialize(
                                boost::json::object{{"metadata", {}}, {"weight_map", weight_map}}));
  };
  write_index(map);
  ASSERT_EQ(load_error(checkpoint), "");
  EXPECT_EQ(load_pipeline(checkpoint.path())->info().weights_sha256, whole);

  boost::json::object wrong = map;
  wrong["conv_in.bias"] = "c.safetensors";
  write_index(wrong);
  expect_error(load_error(checkpoint),
               {index, "expected the shard c.safetensors, found no such file"}, "missing shard");
  for (const char* name : {"../vae/diffusion_pytorch_model.safetensors", "/etc/passwd", "", "a.bin",
                           ".", "diffusion_pytorch_model.safetensors.index.json"}) {
    wrong["conv_in.bias"] = name;
    write_index(wrong);
    expect_error(load_error(checkpoint),
                 {index, "conv_in.bias: expected the name of a .safetensors file"}, name);
  }
  wrong = map;
  wrong["conv_in.bias"] = "b.safetensors";
  write_index(wrong);
  expect_error(load_error(checkpoint),
               {"unet/b.safetensors", "conv_in.bias: expected, as the index says"}, "other shard");
  wrong = map;
  wrong.erase("conv_in.bias");
  write_index(wrong);
  expect_error(load_error(checkpoint),
               {"unet/a.safetensors", "conv_in.bias", "index does not name it"}, "unnamed");
  write_index(map);
  CheckpointCopy::Tensors second = checkpoint.read_tensors("unet/b.safetensors");
  second["conv_in.bias"] = checkpoint.read_tensors("unet/a.safetensors").at("conv_in.bias");
  checkpoint.write_tensors("unet/b.safetensors", second);
  expect_error(load_error(checkpoint), {"unet/b.safetensors", "conv_in.bias", "found also in"},
               "in both");
  checkpoint.write(index, R"({"weight_map": 3})");
  expect_error(load_error(checkpoint), {index, "weight_map: expected an object"}, "no map");
}

TEST(Checkpoint, TakesTheHalfPrecisionVariantWhereThereIsNoOther) {
  const CheckpointCopy checkpoint;
  std::filesystem::rename(checkpoint / kUnet,
                          checkpoint / "unet/diffusion_pytorch_model.fp16.safetensors");
  EXPECT_EQ(load_error(checkpoint), "");
}

}  // namespace
}  // namespace glyphward::model
