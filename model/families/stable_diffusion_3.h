// Stable Diffusion 3 and 3.5: diffusers' StableDiffusion3Pipeline, number for number, with routing
// of the joint attention. Reference:
// diffusers/pipelines/stable_diffusion_3/pipeline_stable_diffusion_3.py.
#pragma once

#include <filesystem>
#include <memory>

#include "model/pipeline.h"

namespace glyphward::model {

// `checkpoint` holds a model_index.json whose class is StableDiffusion3Pipeline; text_encoder_3 and
// tokenizer_3 (T5) may be null there. Throws ConfigError.
std::unique_ptr<Pipeline> load_stable_diffusion_3(const std::filesystem::path& checkpoint,
                                                  const LoadOptions& options);

}  // namespace glyphward::model
