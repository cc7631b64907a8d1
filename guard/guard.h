// One request's way: screen, decide, sanitize, generate, read, escalate, record. Fails closed: when
// lexicon, policy, OCR or audit cannot do its work, no image leaves.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "guard/audit/audit_log.h"
#include "guard/reading/ocr.h"
#include "guard/request.h"
#include "model/pipeline.h"
#include "policy/policy.h"

namespace glyphward::guard {

// A picture that may leave.
struct ReleasedImage {
  model::Image image;
  std::string png;
  std::string route;    // how it was made: as Record::route
  std::string reading;  // what OCR saw in it
};

struct Reply {
  std::vector<ReleasedImage> images;
  Record record;  // as appended
};

// How a request ends that is refused by policy or by verification: a good answer, and recorded.
struct Refusal {
  std::string reason;  // for the client; never quotes the prompt
  Record record;
};

using Answer = std::variant<Reply, Refusal>;

// Checks the request's fields against their bounds and the model, then analyzes and decides.
// Thread-safe. InvalidRequest names the field: an empty, over-long (32,000 characters) or non-UTF-8
// prompt, n, size, guidance_scale below 1, and a prompt whose rendered text the text encoder's
// window would cut.
Result<Screened> screen(ImageRequest request, std::shared_ptr<const policy::Policy> policy,
                        const model::Pipeline& pipeline);

// The same for a text that no picture is made of (moderations): only `prompt` is checked.
// Thread-safe.
Result<Screened> screen_text(ImageRequest request, std::shared_ptr<const policy::Policy> policy);

// One thread owns a Guard (and with it pipeline, OCR and audit).
class Guard {
 public:
  Guard(model::Pipeline& pipeline, Ocr& ocr, AuditLog& audit);

  // Generates, verifies, records; the answer is given only after its row is committed and sealed.
  // On Cancelled, Unavailable and Internal a row is written too, as far as the log can be written.
  // If one image of several must be refused, the whole request is. A request that was stopped
  // before it began (deadline in the queue) comes here too: its row says so, and nothing is
  // generated.
  //
  // A picture takes these routes until one passes: "plain" for an allowed prompt; for a substituted
  // one "localized" (the profile's layers read the sanitized prompt), "more_layers" (all layers of
  // the blocks that hold one of them), "prompt_swap" (all layers; at once where the model has no
  // profile), less those that the policy's escalation leaves out. Then, for either, "redacted" if
  // the policy lets it, else refusal.
  //
  // progress: steps over all images, n * num_inference_steps; an image that is made anew counts its
  // steps again.
  Result<Answer> complete(const Screened& screened, std::stop_token stop,
                          const model::Progress& progress = {});

 private:
  model::Pipeline& pipeline_;
  Ocr& ocr_;
  AuditLog& audit_;
};

// Records what screening a text (screen_text) found; makes no picture. On the thread that owns the
// log. Unavailable if the log cannot be written.
Result<Record> record_moderation(const Screened& screened, AuditLog& audit);

// The layers of "more_layers": all of the blocks ("down_blocks.0", "mid_block", ...) that hold a
// localized one. Empty if that adds nothing to the localized ones, or leaves out none.
std::vector<std::string> widened_layers(const model::ModelInfo& info);

}  // namespace glyphward::guard
