// The first thing that happens to a request: its fields are checked, its text is analyzed, and the
// policy decides. No picture is made here. Pure functions of their arguments; any number of
// threads.
#pragma once

#include <memory>

#include "base/result.h"
#include "guard/request.h"
#include "model/pipeline.h"
#include "policy/policy.h"

namespace glyphward::guard {

// Checks the request's fields against their bounds (guard/request.h) and the model, then analyzes
// and decides. InvalidRequest names the field: an empty, over-long or non-UTF-8 prompt, n, size,
// guidance_scale below 1, an unknown scheduler, and a prompt whose rendered text the text encoder's
// window would cut. Calls nothing of the pipeline but info() and fit().
Result<Screened> screen(ImageRequest request, std::shared_ptr<const policy::Policy> policy,
                        const model::Pipeline& pipeline);

// The same for a text that no picture is made of (moderations): only `prompt` is checked.
Result<Screened> screen_text(ImageRequest request, std::shared_ptr<const policy::Policy> policy);

}  // namespace glyphward::guard
