#include <boost/json/value.hpp>
#include <vector>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/families/deepfloyd_if.h"
#include "model/families/families.h"
#include "model/families/latent_diffusion.h"
#include "model/families/stable_diffusion.h"
#include "model/families/stable_diffusion_3.h"
#include "model/families/stable_diffusion_xl.h"
#include "model/pipeline.h"

namespace glyphward::model {
namespace {

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"IFPipeline", "deepfloyd-if", load_deepfloyd_if},
      {"LDMTextToImagePipeline", "latent-diffusion", load_latent_diffusion},
      {"StableDiffusionPipeline", "stable-diffusion", load_stable_diffusion},
      {"StableDiffusion3Pipeline", "stable-diffusion-3", load_stable_diffusion_3},
      {"StableDiffusionXLPipeline", "stable-diffusion-xl", load_stable_diffusion_xl},
  };
  return all;
}

}  // namespace

const Family& find_family(const std::filesystem::path& checkpoint) {
  const std::filesystem::path index = checkpoint / "model_index.json";
  if (!std::filesystem::exists(index)) {
    throw ConfigError(index, 0, "", "expected a diffusers checkpoint folder, found no such file");
  }
  const boost::json::object root = load_json_object(index);
  const boost::json::value* name = root.if_contains("_class_name");
  if (!name || !name->is_string()) {
    throw ConfigError(index, 0, "_class_name", "expected a pipeline's class name");
  }
  std::string expected;
  for (const Family& family : families()) {
    if (name->get_string() == family.pipeline_class) return family;
    expected += (expected.empty() ? "" : " or ") + family.pipeline_class;
  }
  throw ConfigError(index, 0, "_class_name",
                    "expected " + expected + ", found " + std::string(name->get_string()));
}

std::unique_ptr<Pipeline> load_pipeline(const std::filesystem::path& checkpoint,
                                        const LoadOptions& options) {
  return find_family(checkpoint).load(checkpoint, options);
}

}  // namespace glyphward::model
