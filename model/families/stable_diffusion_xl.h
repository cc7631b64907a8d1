// SDXL base: diffusers' StableDiffusionXLPipeline, number for number, with layer routing.
// Reference: diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py.
#pragma once

#include <filesystem>
#include <memory>

#include "model/pipeline.h"

namespace glyphward::model {

// `checkpoint` holds a model_index.json whose class is StableDiffusionXLPipeline. Throws
// ConfigError.
std::unique_ptr<Pipeline> load_stable_diffusion_xl(const std::filesystem::path& checkpoint,
                                                   const LoadOptions& options);

}  // namespace glyphward::model
