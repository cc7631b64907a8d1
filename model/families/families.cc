#include "model/families/families.h"

#include <boost/json/value.hpp>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/networks/autoencoder_kl.h"
#include "model/networks/module_weights.h"
#include "model/networks/sd3_transformer_2d.h"
#include "model/networks/text_encoders/clip_text_model.h"
#include "model/networks/text_encoders/ldm_bert.h"
#include "model/networks/text_encoders/t5_encoder_model.h"
#include "model/networks/unet_2d_condition.h"
#include "model/networks/unet_2d_simple_cross_attn.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

// ---- Classes -----------------------------------------------------------------------------------

template <typename Module>
Skeleton build(const fs::path& folder) {
  ComponentConfig config(folder / "config.json");
  ModuleWeights weights = ModuleWeights::of_config_alone(folder / "config.json");
  const Module module(config, weights);
  Skeleton skeleton{weights.taken(), {}};
  skeleton.tensors.erase("pos_embed.pos_embed");  // stored, but computed: no parameter (SD3)
  if constexpr (requires { module.attention_layers(); }) {
    skeleton.attention_layers = module.attention_layers();
  }
  return skeleton;
}

// diffusers has one class for two kinds of network: DeepFloyd IF's names blocks of its own.
Skeleton build_unet(const fs::path& folder) {
  ComponentConfig config(folder / "config.json");
  for (const std::string& type : config.strings("down_block_types")) {
    if (type == "SimpleCrossAttnDownBlock2D" || type == "ResnetDownsampleBlock2D") {
      return build<UNet2DSimpleCrossAttnModel>(folder);
    }
  }
  return build<UNet2DConditionModel>(folder);
}

constexpr const char* kDiffusers = "diffusion_pytorch_model";
constexpr const char* kTransformers = "model";

constexpr ComponentClass kAutoencoder{"AutoencoderKL", {}, build<AutoencoderKL>, kDiffusers};
constexpr ComponentClass kClip{"CLIPTextModel", {}, build<ClipTextModel>, kTransformers};
constexpr ComponentClass kClipWithProjection{
    "CLIPTextModelWithProjection", {}, build<ClipTextModelWithProjection>, kTransformers};
constexpr ComponentClass kLdmBert{"LDMBertModel", {}, build<LdmBertModel>, kTransformers};
constexpr ComponentClass kSd3Transformer{
    "SD3Transformer2DModel", {}, build<SD3Transformer2DModel>, kDiffusers};
constexpr ComponentClass kT5{"T5EncoderModel", {}, build<T5EncoderModel>, kTransformers};
constexpr ComponentClass kUNet{"UNet2DConditionModel", {}, build_unet, kDiffusers};

constexpr ComponentClass without_weights(std::string_view name, std::string_view other_name = {}) {
  return {name, other_name, nullptr, nullptr};
}
constexpr ComponentClass kBertTokenizer = without_weights("BertTokenizer", "BertTokenizerFast");
constexpr ComponentClass kClipTokenizer = without_weights("CLIPTokenizer", "CLIPTokenizerFast");
constexpr ComponentClass kT5Tokenizer = without_weights("T5Tokenizer", "T5TokenizerFast");
constexpr ComponentClass kDdpm = without_weights("DDPMScheduler");
constexpr ComponentClass kFlowMatchEuler = without_weights("FlowMatchEulerDiscreteScheduler");

ComponentClasses classes_of(const Family& family, const fs::path& index_file) {
  const boost::json::object index = load_json_object(index_file);
  ComponentClasses classes;
  for (const Component& component : family.components) {
    if (!component.only_with.empty() && !has_component(index, component.only_with)) continue;
    std::set<std::string>& names = classes[std::string(component.name)];
    for (const std::string_view name :
         {component.component_class.name, component.component_class.other_name}) {
      if (!name.empty()) names.emplace(name);
    }
  }
  return classes;
}

}  // namespace

// ---- The table ---------------------------------------------------------------------------------

const std::vector<Family>& families() {
  // Where any scheduler will do, of those that there are, none is listed: it says itself whether it
  // is implemented.
  static const std::vector<Family> all = {
      {"IFPipeline",
       "deepfloyd-if",
       open_deepfloyd_if,
       {{"text_encoder", kT5}, {"tokenizer", kT5Tokenizer}, {"unet", kUNet}, {"scheduler", kDdpm}}},
      {"LDMTextToImagePipeline",
       "latent-diffusion",
       open_latent_diffusion,
       {{"bert", kLdmBert},
        {"tokenizer", kBertTokenizer},
        {"unet", kUNet},
        {"vqvae", kAutoencoder}}},
      {"StableDiffusionPipeline",
       "stable-diffusion",
       open_stable_diffusion,
       {{"text_encoder", kClip},
        {"tokenizer", kClipTokenizer},
        {"unet", kUNet},
        {"vae", kAutoencoder}}},
      {"StableDiffusion3Pipeline",
       "stable-diffusion-3",
       open_stable_diffusion_3,
       {{"text_encoder", kClipWithProjection},
        {"text_encoder_2", kClipWithProjection},
        {"text_encoder_3", kT5, /*only_with=*/"text_encoder_3"},
        {"tokenizer", kClipTokenizer},
        {"tokenizer_2", kClipTokenizer},
        {"tokenizer_3", kT5Tokenizer, /*only_with=*/"text_encoder_3"},
        {"transformer", kSd3Transformer},
        {"scheduler", kFlowMatchEuler},
        {"vae", kAutoencoder}}},
      {"StableDiffusionXLPipeline",
       "stable-diffusion-xl",
       open_stable_diffusion_xl,
       {{"text_encoder", kClip},
        {"text_encoder_2", kClipWithProjection},
        {"tokenizer", kClipTokenizer},
        {"tokenizer_2", kClipTokenizer},
        {"unet", kUNet},
        {"vae", kAutoencoder}}},
  };
  return all;
}

const Family& find_family(const fs::path& checkpoint) {
  const fs::path index = checkpoint / "model_index.json";
  if (!fs::exists(index)) {
    throw ConfigError(index, 0, "", "expected a diffusers checkpoint folder, found no such file");
  }
  const boost::json::object root = load_json_object(index);
  const boost::json::value* name = root.if_contains("_class_name");
  if (!name || !name->is_string()) {
    throw ConfigError(index, 0, "_class_name", "expected a pipeline's class name");
  }
  std::string expected;
  for (const Family& family : families()) {
    if (std::string_view(name->get_string()) == family.pipeline_class) return family;
    expected += (expected.empty() ? "" : " or ") + std::string(family.pipeline_class);
  }
  throw ConfigError(index, 0, "_class_name",
                    "expected " + expected + ", found " + std::string(name->get_string()));
}

const ComponentClass* find_network(std::string_view class_name) {
  for (const Family& family : families()) {
    for (const Component& component : family.components) {
      const ComponentClass& found = component.component_class;
      if (found.build && found.name == class_name) return &found;
    }
  }
  return nullptr;
}

std::unique_ptr<Pipeline> load_pipeline(const fs::path& checkpoint, const LoadOptions& options) {
  const Family& family = find_family(checkpoint);
  const Target target = open_target(checkpoint, options);
  const fs::path index = checkpoint / "model_index.json";
  check_classes(index, classes_of(family, index));
  return family.open({checkpoint, options, target, family.name});
}

}  // namespace glyphward::model
