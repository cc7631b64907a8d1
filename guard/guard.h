// One request's way: screen, decide, sanitize, generate, read, escalate, record. Fails closed: when lexicon, policy,
// OCR or audit cannot do its work, no image leaves.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "guard/audit.h"
#include "guard/ocr.h"
#include "model/pipeline.h"
#include "policy/policy.h"

namespace glyphward::guard {

inline constexpr std::size_t kPromptCharactersMax = 32000;
inline constexpr int kImagesMax = 10;

// What a client asked for. What is not given comes from the model.
struct ImageRequest {
  std::string request_id;
  std::string client;
  std::string endpoint;
  std::string prompt;
  std::string negative_prompt;
  int n = 1;
  std::uint64_t seed = 0;  // image i uses seed + i
  std::optional<int> num_inference_steps;
  std::optional<double> guidance_scale;
  std::optional<int> height;
  std::optional<int> width;
  std::string scheduler;
};

// A request that was looked at: pure CPU work, done before it queues.
struct Screened {
  ImageRequest request;
  lexicon::Analysis analysis;
  policy::Decision decision;
  std::shared_ptr<const policy::Policy> policy;  // the one revision that the whole request sees
};

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

// Checks the request's fields against their bounds and the model, then analyzes and decides. Thread-safe.
// InvalidRequest names the field: an empty, over-long (32,000 characters) or non-UTF-8 prompt, n, size, guidance_scale
// below 1, and a prompt whose rendered text the text encoder's window would cut.
Result<Screened> screen(ImageRequest request, std::shared_ptr<const policy::Policy> policy,
                        const model::Pipeline& pipeline);

// One thread owns a Guard (and with it pipeline, OCR and audit).
class Guard {
 public:
  Guard(model::Pipeline& pipeline, Ocr& ocr, AuditLog& audit);

  // Generates, verifies, records; the answer is given only after its row is committed and sealed. On Cancelled,
  // Unavailable and Internal a row is written too, as far as the log can be written.
  Result<Answer> complete(const Screened& screened, std::stop_token stop,
                          const model::Progress& progress = {});

 private:
  model::Pipeline& pipeline_;
  Ocr& ocr_;
  AuditLog& audit_;
};

}  // namespace glyphward::guard
