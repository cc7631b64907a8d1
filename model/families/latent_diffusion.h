// CompVis' latent diffusion (ldm-text2im-large-256): diffusers' LDMTextToImagePipeline, number for
// number, with layer routing. Reference:
// diffusers/pipelines/latent_diffusion/pipeline_latent_diffusion.py.
#pragma once

#include <filesystem>
#include <memory>

#include "model/pipeline.h"

namespace glyphward::model {

// `checkpoint` holds a model_index.json whose class is LDMTextToImagePipeline; its autoencoder,
// under the key vqvae, must be an AutoencoderKL. Guidance is off (1) unless asked for. Throws
// ConfigError.
std::unique_ptr<Pipeline> load_latent_diffusion(const std::filesystem::path& checkpoint,
                                                const LoadOptions& options);

}  // namespace glyphward::model
