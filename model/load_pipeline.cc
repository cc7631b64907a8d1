// One place that knows which pipeline class belongs to which family.
#include <boost/json/value.hpp>

#include "base/config_error.h"
#include "model/checkpoint.h"
#include "model/pipeline.h"
#include "model/stable_diffusion.h"

namespace glyphward::model {

std::unique_ptr<Pipeline> load_pipeline(const std::filesystem::path& checkpoint,
                                        const LoadOptions& options) {
  const std::filesystem::path index = checkpoint / "model_index.json";
  if (!std::filesystem::exists(index)) {
    throw ConfigError(index, 0, "", "expected a diffusers checkpoint folder, found no such file");
  }
  const boost::json::object root = load_json_object(index);
  const boost::json::value* name = root.if_contains("_class_name");
  if (!name || !name->is_string()) {
    throw ConfigError(index, 0, "_class_name", "expected a pipeline's class name");
  }
  if (name->get_string() == "StableDiffusionPipeline") {
    return load_stable_diffusion(checkpoint, options);
  }
  throw ConfigError(index, 0, "_class_name",
                    "expected StableDiffusionPipeline, found " + std::string(name->get_string()));
}

}  // namespace glyphward::model
