#include "guard/screen.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/stopwatch.h"
#include "base/utf8.h"
#include "model/schedulers/names.h"

namespace glyphward::guard {
namespace {

Error invalid(const std::string& param, const std::string& message) {
  return {ErrorCode::InvalidRequest, param + ": " + message, param};
}

std::optional<Error> text_fault(const std::string& param, const std::string& text, bool required) {
  if (required && text.find_first_not_of(" \t\r\n") == std::string::npos)
    return invalid(param, "must not be empty");
  const std::string too_long =
      "is longer than " + std::to_string(kPromptCharactersMax) + " characters";
  if (text.size() > 4 * kPromptCharactersMax) return invalid(param, too_long);
  const std::optional<std::size_t> characters = count_characters(text);
  if (!characters) return invalid(param, "is not valid UTF-8");
  if (*characters > kPromptCharactersMax) return invalid(param, too_long);
  return std::nullopt;
}

std::optional<Error> size_fault(const std::string& param, std::optional<int> size, int multiple) {
  if (!size) return std::nullopt;
  if (*size < multiple || *size > kImageSideMax || *size % multiple != 0)
    return invalid(param, "expected a multiple of " + std::to_string(multiple) + " from " +
                              std::to_string(multiple) + " to " + std::to_string(kImageSideMax) +
                              ", found " + std::to_string(*size));
  return std::nullopt;
}

std::optional<Error> scheduler_fault(const std::string& scheduler) {
  if (scheduler.empty() || model::is_scheduler_name(scheduler)) return std::nullopt;
  return invalid("scheduler", "unknown; known are " + model::scheduler_name_list());
}

std::optional<Error> request_fault(const ImageRequest& request, const model::ModelInfo& info) {
  if (auto fault = text_fault("prompt", request.prompt, true)) return fault;
  if (auto fault = text_fault("negative_prompt", request.negative_prompt, false)) return fault;
  if (request.n < 1 || request.n > kImagesMax)
    return invalid("n", "expected 1 to " + std::to_string(kImagesMax) + ", found " +
                            std::to_string(request.n));
  const int steps = request.settings.num_inference_steps.value_or(1);
  if (steps < 1 || steps > kInferenceStepsMax)
    return invalid("num_inference_steps", "expected 1 to " + std::to_string(kInferenceStepsMax) +
                                              ", found " + std::to_string(steps));
  const double guidance = request.settings.guidance_scale.value_or(1);
  // Below 1 the picture would follow the negative prompt, whose text nobody guards.
  if (!(guidance >= 1 && guidance <= kGuidanceScaleMax))
    return invalid("guidance_scale", "expected 1 to 100");
  if (auto fault = size_fault("height", request.settings.height, info.size_multiple)) return fault;
  if (auto fault = size_fault("width", request.settings.width, info.size_multiple)) return fault;
  return scheduler_fault(request.settings.scheduler);
}

// A word to be drawn that the text encoder would not see is lost silently: the client hears of it.
std::optional<Error> window_fault(const Screened& screened) {
  if (screened.fit.bytes_kept >= screened.request.prompt.size()) return std::nullopt;
  const auto& rendered = screened.analysis.rendered;
  const bool cut = std::any_of(
      rendered.begin(), rendered.end(),
      [&](const lexicon::RenderedText& text) { return text.end > screened.fit.bytes_kept; });
  if (!cut) return std::nullopt;
  return invalid("prompt", "its " + std::to_string(screened.fit.tokens) +
                               " tokens are more than the text encoder's " +
                               std::to_string(screened.fit.tokens_max) +
                               ", and text to be drawn stands beyond them; shorten the prompt");
}

}  // namespace

Result<Screened> screen_text(ImageRequest request, std::shared_ptr<const policy::Policy> policy) {
  const Stopwatch stopwatch;
  if (auto fault = text_fault("prompt", request.prompt, true)) return *fault;
  Screened screened;
  screened.request = std::move(request);
  screened.policy = std::move(policy);
  screened.analysis = screened.policy->analyze(screened.request.prompt);
  screened.decision =
      screened.policy->decide(screened.request.prompt, screened.analysis, screened.request.tenant);
  screened.screening_ms = stopwatch.milliseconds();
  return screened;
}

Result<Screened> screen(ImageRequest request, std::shared_ptr<const policy::Policy> policy,
                        const model::Pipeline& pipeline) {
  const Stopwatch stopwatch;
  if (auto fault = request_fault(request, pipeline.info())) return *fault;
  Result<Screened> screened = screen_text(std::move(request), std::move(policy));
  if (!screened) return screened;
  if (!screened->request.negative_prompt.empty())
    screened->negative = screened->policy->analyze(screened->request.negative_prompt);
  screened->fit = pipeline.fit(screened->request.prompt);
  if (auto fault = window_fault(*screened)) return *fault;
  screened->screening_ms = stopwatch.milliseconds();
  return screened;
}

}  // namespace glyphward::guard
