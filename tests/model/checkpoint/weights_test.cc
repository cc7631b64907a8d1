// Which files are a component's weights, and the hash of layers. What shards may do wrong is in
// load_pipeline_test.cc.
#include "model/checkpoint/weights.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/config_error.h"
#include "tests/model/checkpoint_copy.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

const std::string kStem = "diffusion_pytorch_model";
const std::string kUnet = "unet/diffusion_pytorch_model.safetensors";

TEST(Weights, HashesNamesShapesAndBytesOfLayers) {
  const CheckpointCopy checkpoint;
  const std::string layer = "mid_block.attentions.0.transformer_blocks.0.attn2";
  const auto hash = [&] { return layers_sha256(checkpoint.path(), {layer}); };
  const std::string before = hash();
  EXPECT_EQ(before.size(), 64u);
  EXPECT_NE(before, layers_sha256(checkpoint.path(),
                                  {layer, "up_blocks.2.attentions.0.transformer_blocks.0.attn2"}));
  checkpoint.edit_tensors(kUnet, [](auto& tensors) { tensors["conv_in.bias"].bytes[0] ^= 1; });
  EXPECT_EQ(hash(), before) << "another layer's bytes";
  checkpoint.edit_tensors(kUnet,
                          [&](auto& tensors) { tensors[layer + ".to_v.weight"].bytes[0] ^= 1; });
  EXPECT_NE(hash(), before);
  EXPECT_THROW(
      layers_sha256(checkpoint.path(), {"mid_block.attentions.0.transformer_blocks.0.attn"}),
      std::invalid_argument)
      << "a name's beginning is not the name";
}

// An index before a file, full precision before half.
TEST(Weights, AreTakenFromTheFirstOfFourNames) {
  const CheckpointCopy checkpoint;
  const fs::path folder = checkpoint / "unet";
  const CheckpointCopy::Tensors tensors = {{"a", {"F32", {1}, std::string(4, 'x')}}};
  const std::string map = R"({"weight_map": {"a": "shard.safetensors"}})";
  fs::remove(checkpoint / kUnet);
  EXPECT_FALSE(Weights::exist(folder, kStem));
  EXPECT_THROW(Weights::open(folder, kStem), ConfigError);

  checkpoint.write_tensors("unet/shard.safetensors", tensors);
  checkpoint.write_tensors("unet/" + kStem + ".fp16.safetensors", tensors);
  EXPECT_EQ(Weights::open(folder, kStem).file(), folder / (kStem + ".fp16.safetensors"));
  checkpoint.write("unet/" + kStem + ".safetensors.index.fp16.json", map);
  EXPECT_EQ(Weights::open(folder, kStem).file(), folder / (kStem + ".safetensors.index.fp16.json"));
  checkpoint.write_tensors(kUnet, tensors);
  EXPECT_EQ(Weights::open(folder, kStem).file(), checkpoint / kUnet);
  checkpoint.write(kUnet + ".index.json", map);
  const Weights weights = Weights::open(folder, kStem);
  EXPECT_EQ(weights.file(), checkpoint / (kUnet + ".index.json"));
  ASSERT_EQ(weights.tensors().size(), 1u);
  EXPECT_EQ(weights.tensors().at("a").file->path(), folder / "shard.safetensors");
  EXPECT_TRUE(Weights::exist(folder, kStem));
}

TEST(Weights, ALinkToItselfIsNoFile) {
  const CheckpointCopy checkpoint;
  fs::remove(checkpoint / kUnet);
  fs::create_symlink(checkpoint / kUnet, checkpoint / kUnet);
  EXPECT_FALSE(Weights::exist(checkpoint / "unet", kStem));
}

}  // namespace
}  // namespace glyphward::model
