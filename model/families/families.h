// Which pipeline class belongs to which family. Free of LibTorch; internal to model/.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "model/pipeline.h"

namespace glyphward::model {

struct Family {
  std::string pipeline_class;  // model_index.json's _class_name
  std::string name;            // ModelInfo::family
  std::unique_ptr<Pipeline> (*load)(const std::filesystem::path&, const LoadOptions&);
};

// Throws ConfigError if the folder has no model_index.json, or one of another class.
const Family& find_family(const std::filesystem::path& checkpoint);

}  // namespace glyphward::model
