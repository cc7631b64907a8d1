// One request's way: it was screened (guard/screen.h); now generate, read, escalate, record. Fails
// closed: when lexicon, policy, OCR or audit cannot do its work, no image leaves.
#pragma once

#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "guard/audit/audit_log.h"
#include "guard/reading/ocr.h"
#include "guard/request.h"
#include "guard/screen.h"
#include "model/pipeline.h"

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
  // A picture is made by each of attempts_for() (guard/attempts.h) until one passes. Then its text
  // is redacted if the policy lets it, else the request is refused.
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

}  // namespace glyphward::guard
