// Stable Diffusion 1.x and 2.x: diffusers' StableDiffusionPipeline, number for number, with layer
// routing. Reference: diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py.
#pragma once

#include <filesystem>
#include <memory>

#include "model/pipeline.h"

namespace glyphward::model {

// `checkpoint` holds a model_index.json whose class is StableDiffusionPipeline. Throws ConfigError.
std::unique_ptr<Pipeline> load_stable_diffusion(const std::filesystem::path& checkpoint,
                                                const LoadOptions& options);

}  // namespace glyphward::model
