// DeepFloyd IF: diffusers' IFPipeline and, where the checkpoint has it, IFSuperResolutionPipeline
// after it, number for number, with layer routing. Reference: diffusers/pipelines/deepfloyd_if/.
//
// The checkpoint is stage I's folder. If it holds a sub-folder (or a link) `stage_2` with stage
// II's checkpoint, both run as one pipeline: stage II's picture is the result, `height` and `width`
// are its own, and each image's generator goes on from stage I. stage_2/text_encoder is not read:
// both stages have the same. num_inference_steps and guidance_scale are stage I's, which draws the
// letters; stage II takes those of stage_2/glyphward.json, else 50 and 4.0, but no more steps than
// stage I, and no guidance if stage I has none.
//
// Layers of stage I alone are routed. Stage II sharpens what stage I drew: all of it reads the
// stream that stage I's first routed layer read at the last step, so that it cannot bring the other
// text back; if none is routed, the base.
//
// diffusers' `clean_caption` is off: it rewrites the prompt, quotation marks and digits included.
// As there, the prompt is lower-cased. There are no latents: Generation::latents stays empty.
#pragma once

#include <filesystem>
#include <memory>

#include "model/pipeline.h"

namespace glyphward::model {

// `checkpoint` holds a model_index.json whose class is IFPipeline. Throws ConfigError.
std::unique_ptr<Pipeline> load_deepfloyd_if(const std::filesystem::path& checkpoint,
                                            const LoadOptions& options);

}  // namespace glyphward::model
