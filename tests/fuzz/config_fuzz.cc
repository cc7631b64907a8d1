// Fuzz target: a component's config.json, read as each class of component that is implemented, and
// as a scheduler's; without weights.
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/families/inspect.h"
#include "model/schedulers/scheduler.h"
#include "tests/fuzz/fuzz_folder.h"

namespace {

using glyphward::ConfigError;

void build_as(const glyphward::fuzz::Folder& folder, const std::string& class_name) {
  folder.write(
      "model_index.json",
      R"({"_class_name": "StableDiffusionXLPipeline", "part": ["x", ")" + class_name + "\"]}");
  try {
    glyphward::model::inspect_checkpoint(folder.path());
  } catch (const ConfigError&) {
    // The only way to say no.
  }
}

void make_scheduler(const glyphward::fuzz::Folder& folder) {
  const std::filesystem::path file = folder.path() / "part" / "config.json";
  try {
    const auto scheduler =
        glyphward::model::Scheduler::create(glyphward::model::load_json_object(file), file);
    scheduler->set_timesteps(3);
  } catch (const ConfigError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const glyphward::fuzz::Folder folder("config");
  folder.write("part/config.json", {reinterpret_cast<const char*>(data), size});
  for (const char* class_name :
       {"AutoencoderKL", "CLIPTextModel", "CLIPTextModelWithProjection", "LDMBertModel",
        "SD3Transformer2DModel", "T5EncoderModel", "UNet2DConditionModel"}) {
    build_as(folder, class_name);
  }
  make_scheduler(folder);
  return 0;
}
