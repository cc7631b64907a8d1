// The families of models, in one table: what load_pipeline() opens, what its components must be,
// and what inspect_checkpoint() can describe. Internal to model/.
//
// A new family is a row in families.cc and an opener in a file of its own. The row names its
// components by their classes; a class that holds weights cannot be named without the network that
// inspection builds from its configuration. tests/model/families/families_test.cc fails if a row
// has no published configurations under tests/data/configs/, or no word in model/proposals.cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/families/open.h"
#include "model/pipeline.h"

namespace glyphward::model {

// A network as its configuration alone tells it.
struct Skeleton {
  std::map<std::string, std::vector<std::int64_t>> tensors;  // their shapes by name
  std::vector<std::string> attention_layers;                 // of a denoiser
};

// A class of diffusers or transformers.
struct ComponentClass {
  std::string_view name;
  std::string_view other_name;  // of a tokenizer: the fast class for the same files
  // Of a network, else null: builds it without weights. Throws ConfigError.
  Skeleton (*build)(const std::filesystem::path& folder);
  const char* weights;  // the stem of a network's files
};

// A component that a family's model_index.json names.
struct Component {
  std::string_view name;
  ComponentClass component_class;
  // Checked only where model_index.json has this component too; empty: always.
  std::string_view only_with = {};
};

struct Family {
  std::string_view pipeline_class;  // model_index.json's _class_name
  std::string_view name;            // ModelInfo::family
  std::unique_ptr<Pipeline> (*open)(const Opening&);
  std::vector<Component> components;
};

const std::vector<Family>& families();

// Throws ConfigError if the folder has no model_index.json, or one of another class.
const Family& find_family(const std::filesystem::path& checkpoint);

// The class of a network, whichever family has it; null if none is implemented.
const ComponentClass* find_network(std::string_view class_name);

// ---- Openers -----------------------------------------------------------------------------------
// Each is given a checkpoint of its family whose components have the row's classes, and throws
// ConfigError naming file, key, expected and found. What its pipeline does is said in its file.

std::unique_ptr<Pipeline> open_deepfloyd_if(const Opening& opening);
std::unique_ptr<Pipeline> open_latent_diffusion(const Opening& opening);
std::unique_ptr<Pipeline> open_stable_diffusion(const Opening& opening);
std::unique_ptr<Pipeline> open_stable_diffusion_3(const Opening& opening);
std::unique_ptr<Pipeline> open_stable_diffusion_xl(const Opening& opening);

}  // namespace glyphward::model
