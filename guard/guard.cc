#include "guard/guard.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <set>
#include <stdexcept>
#include <utility>

#include "base/sha256.h"
#include "base/utf8.h"
#include "guard/finding_json.h"
#include "guard/reading/judge.h"
#include "guard/reading/redact.h"
#include "model/profile.h"
#include "model/schedulers/names.h"

namespace glyphward::guard {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// ---- Screening ----------------------------------------------------------------------------------

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

// ---- Record -------------------------------------------------------------------------------------

// What the policy was given and what its rules on trial would have done, for the row alone.
boost::json::object policy_parameters(const Screened& screened) {
  boost::json::object parameters;
  if (!screened.request.tenant.empty()) parameters["tenant"] = screened.request.tenant;
  for (const policy::Observation& observation : screened.decision.observations) {
    if (!parameters.contains("observed")) parameters["observed"].emplace_array();
    parameters["observed"].as_array().push_back(boost::json::object{
        {"rule", observation.rule}, {"would_action", policy::to_string(observation.would_action)}});
  }
  return parameters;
}

boost::json::object parameters_json(const Screened& screened, const model::ModelInfo& info) {
  const ImageRequest& request = screened.request;
  boost::json::array seeds;
  for (int i = 0; i < request.n; ++i) seeds.push_back(request.seed + static_cast<std::uint64_t>(i));
  boost::json::object parameters{
      {"n", request.n},
      {"seeds", std::move(seeds)},
      {"num_inference_steps",
       request.settings.num_inference_steps.value_or(info.num_inference_steps)},
      {"guidance_scale", request.settings.guidance_scale.value_or(info.guidance_scale)},
      {"height", request.settings.height.value_or(info.height)},
      {"width", request.settings.width.value_or(info.width)},
      {"scheduler", request.settings.scheduler.empty()
                        ? boost::json::value(nullptr)
                        : boost::json::value(request.settings.scheduler)},
      {"prompt_tokens", screened.fit.tokens},
      {"prompt_tokens_max", screened.fit.tokens_max}};
  // What the text encoder does not see was guarded all the same.
  if (screened.fit.bytes_kept < request.prompt.size())
    parameters["prompt_bytes_seen"] = screened.fit.bytes_kept;
  if (!screened.negative.findings.empty())
    parameters["negative_prompt_findings"] = explained_findings_json(screened.negative);
  for (auto& [key, value] : policy_parameters(screened)) parameters[key] = std::move(value);
  return parameters;
}

Record record_of(const Screened& screened) {
  Record record;
  record.request_id = screened.request.request_id;
  record.client = screened.request.client;
  record.endpoint = screened.request.endpoint;
  record.prompt = screened.request.prompt;
  record.negative_prompt = screened.request.negative_prompt;
  record.rendered_json = boost::json::serialize(rendered_json(screened.analysis));
  record.findings_json = boost::json::serialize(explained_findings_json(screened.analysis));
  record.policy_revision = screened.policy->revision();
  record.rule = screened.decision.rule;
  record.action = std::string(policy::to_string(screened.decision.action));
  if (screened.decision.action == policy::Action::Substitute)
    record.sanitized_prompt = screened.decision.sanitized_prompt;
  record.route = "none";
  return record;
}

// ---- Routes -------------------------------------------------------------------------------------

// One attempt at a picture: which layers read the sanitized prompt.
struct Attempt {
  std::string name;  // as Record::route
  model::Route route;
  // Some layer reads the toxic word: the picture must show that its replacement took its place.
  // Otherwise it is enough that nothing toxic is read.
  bool needs_confirmation = false;
};

Attempt routed_attempt(const std::string& name, const std::vector<std::string>& layers,
                       int from_step) {
  Attempt attempt{name, {}, true};
  for (const std::string& layer : layers)
    attempt.route.layers.push_back({layer, "sanitized", from_step});
  return attempt;
}

// Those of the policy's routes that this model has.
std::vector<Attempt> attempts_for(const Screened& screened, const model::ModelInfo& info) {
  if (screened.decision.action != policy::Action::Substitute) return {{"plain", {}, false}};
  const int steps =
      screened.request.settings.num_inference_steps.value_or(info.num_inference_steps);
  std::vector<Attempt> attempts;
  for (const std::string& route : screened.policy->verification().escalation) {
    if (route == "prompt_swap") {
      Attempt swap{route, {}, false};
      swap.route.base = "sanitized";
      swap.route.pooled = "sanitized";
      attempts.push_back(std::move(swap));
      continue;
    }
    const bool localized = route == "localized";
    const std::vector<std::string> layers =
        localized ? info.localized_layers : widened_layers(info);
    const int from_step = localized ? model::from_step(info.localized_from_share, steps) : 0;
    if (!layers.empty()) attempts.push_back(routed_attempt(route, layers, from_step));
  }
  return attempts;
}

// From mildest to strongest.
constexpr std::string_view kRoutes[] = {"none",        "plain",       "localized",
                                        "more_layers", "prompt_swap", "redacted"};

// The place in that order, for the row of a request with several images.
int rank(const std::string& route) {
  return static_cast<int>(std::find(std::begin(kRoutes), std::end(kRoutes), route) -
                          std::begin(kRoutes));
}

// "down_blocks.0.attentions.1.transformer_blocks.0.attn2" is in "down_blocks.0", and
// "mid_block.attentions.0..." in "mid_block".
std::string block_of(const std::string& layer) {
  const std::size_t dot = layer.find('.');
  if (dot == std::string::npos || !layer.substr(0, dot).ends_with("blocks"))
    return layer.substr(0, dot);
  return layer.substr(0, layer.find('.', dot + 1));
}

// What a step could not do, and so the request cannot be answered.
struct Failure {
  Error error;
};

// ---- One request --------------------------------------------------------------------------------

class Job {
 public:
  Job(model::Pipeline& pipeline, Ocr& ocr, const Screened& screened, std::stop_token stop,
      const model::Progress& progress)
      : pipeline_(pipeline),
        ocr_(ocr),
        screened_(screened),
        stop_(std::move(stop)),
        progress_(progress),
        expectation_(
            expectation(screened.analysis, screened.decision, screened.policy->verification())),
        record_(record_of(screened)) {
    record_.model = pipeline.info().name;
    record_.weights_sha256 = pipeline.info().weights_sha256;
    record_.parameters_json = boost::json::serialize(parameters_json(screened, pipeline.info()));
  }

  // Throws Failure. Afterwards record() holds what became of the request; images() is empty if it
  // was refused.
  void run() {
    require_not_stopped("before it began");
    if (refused_by_policy() || refused_as_uninspectable()) return;
    for (int i = 0; i < screened_.request.n; ++i) {
      if (!make_image(i)) {
        images_.clear();
        return;
      }
    }
    require_not_stopped("after its pictures were made");
    record_.outcome = "answered";
  }

  std::vector<ReleasedImage>& images() { return images_; }
  const std::string& refusal() const { return refusal_; }

  Record record() const {
    Record record = record_;
    record.escalations_json = boost::json::serialize(escalations_);
    boost::json::object timings{
        {"screen_ms", screened_.screening_ms},
        {"generate_ms", generate_ms_},
        {"read_ms", read_ms_},
        {"total_ms", screened_.screening_ms + milliseconds_since(started_)}};
    record.timings_json = boost::json::serialize(timings);
    for (const ReleasedImage& image : images_) {
      if (!record.image_sha256.empty()) record.image_sha256 += ',';
      record.image_sha256 += to_hex(sha256(image.png));
    }
    return record;
  }

 private:
  void require_not_stopped(const std::string& when) const {
    if (stop_.stop_requested()) throw Failure{{ErrorCode::Cancelled, "stopped " + when, ""}};
  }

  void refuse(const std::string& for_client, const std::string& for_record, bool open_for_review) {
    refusal_ = for_client;
    record_.outcome = "refused";
    record_.reason = for_record;
    record_.open_for_review = open_for_review;
  }

  bool refused_by_policy() {
    const policy::Action action = screened_.decision.action;
    if (action != policy::Action::Review && action != policy::Action::Block) return false;
    refuse("The text that the picture would show is not allowed here.",
           "rule " + screened_.decision.rule +
               (screened_.decision.note.empty() ? "" : ": " + screened_.decision.note),
           action == policy::Action::Review);
    return true;
  }

  // A text that OCR could not read in the picture cannot be verified there.
  bool refused_as_uninspectable() {
    const policy::Action action = screened_.policy->verification().uninspectable;
    if (action != policy::Action::Review && action != policy::Action::Block) return false;
    const auto& texts = expectation_.allowed_texts;
    if (std::all_of(texts.begin(), texts.end(),
                    [&](const std::string& text) { return ocr_.inspectable(text); }))
      return false;
    const std::string reason = "text in a script that no installed OCR language reads";
    refuse("The picture would show " + reason + ".", reason, action == policy::Action::Review);
    return true;
  }

  // False if the image must be refused.
  bool make_image(int index) {
    const std::vector<Attempt> attempts = attempts_for(screened_, pipeline_.info());
    if (attempts.empty()) {
      refuse("The text that the picture would show is not allowed here.",
             "none of the routes that the policy's escalation names fits this model", false);
      return false;
    }
    model::Image image;
    Reading reading;
    Comparison comparison;
    for (const Attempt& attempt : attempts) {
      image = generate(index, attempt);
      reading = read(image);
      comparison = compare(reading, expectation_, screened_.policy->lexicon());
      const bool passes =
          comparison.verdict == Verdict::Clean ||
          (comparison.verdict == Verdict::Unconfirmed && !attempt.needs_confirmation);
      if (passes) return release(attempt.name, std::move(image), reading);
      note(index, attempt.name, reading, comparison.reason);
    }
    if (redact_and_release(index, image, reading, comparison)) return true;
    append_reading(reading.best);
    refuse("The picture shows text that is not allowed, and it could not be taken out.",
           comparison.reason, false);
    return false;
  }

  // First the text that is toxic; if the rest still reads so, all that looks like text.
  bool redact_and_release(int index, const model::Image& image, const Reading& reading,
                          Comparison comparison) {
    if (!screened_.policy->verification().redact) return false;
    std::vector<Box> boxes = comparison.boxes;
    for (int attempt = 0; attempt < 2; ++attempt) {
      model::Image covered = redacted(image, boxes);
      const Reading again = read(covered);
      comparison = compare(again, expectation_, screened_.policy->lexicon());
      if (comparison.verdict != Verdict::Toxic)
        return release("redacted", std::move(covered), again);
      note(index, "redacted", again, comparison.reason);
      boxes.insert(boxes.end(), reading.boxes.begin(), reading.boxes.end());
      boxes.insert(boxes.end(), again.boxes.begin(), again.boxes.end());
    }
    return false;
  }

  model::Image generate(int index, const Attempt& attempt) {
    model::GenerationRequest request;
    request.streams.push_back({"prompt", screened_.request.prompt});
    if (screened_.decision.action == policy::Action::Substitute)
      request.streams.push_back({"sanitized", screened_.decision.sanitized_prompt});
    request.route = attempt.route;
    if (!screened_.request.negative_prompt.empty())
      request.negative_prompt = screened_.request.negative_prompt;
    request.seeds = {screened_.request.seed + static_cast<std::uint64_t>(index)};
    request.settings = screened_.request.settings;
    const int images = screened_.request.n;
    const model::Progress progress = [&](int step, int steps) {
      if (progress_) progress_(index * steps + step, images * steps);
    };
    const Clock::time_point start = Clock::now();
    Result<model::Generation> generation = pipeline_.generate(request, stop_, progress);
    generate_ms_ += milliseconds_since(start);
    if (!generation) throw Failure{generation.error()};
    if (generation->images.size() != 1) throw std::runtime_error("the model made no picture");
    return std::move(generation->images.front());
  }

  Reading read(const model::Image& image) {
    require_not_stopped("before its picture was read");
    const Clock::time_point start = Clock::now();
    try {
      Reading reading = ocr_.read(image);
      read_ms_ += milliseconds_since(start);
      return reading;
    } catch (const std::exception& error) {
      throw Failure{{ErrorCode::Unavailable,
                     std::string("the picture could not be read: ") + error.what(), ""}};
    }
  }

  bool release(const std::string& route, model::Image image, const Reading& reading) {
    ReleasedImage released;
    released.png = model::encode_png(image);
    released.image = std::move(image);
    released.route = route;
    released.reading = reading.best;
    append_reading(reading.best);
    if (rank(route) > rank(record_.route)) record_.route = route;
    images_.push_back(std::move(released));
    return true;
  }

  void append_reading(const std::string& text) {
    if (readings_++ > 0) record_.ocr_reading += '\n';
    record_.ocr_reading += text;
  }

  void note(int index, const std::string& route, const Reading& reading, const std::string& why) {
    escalations_.push_back(boost::json::object{
        {"image", index}, {"route", route}, {"reading", reading.best}, {"why", why}});
  }

  model::Pipeline& pipeline_;
  Ocr& ocr_;
  const Screened& screened_;
  std::stop_token stop_;
  const model::Progress& progress_;
  const Expectation expectation_;
  const Clock::time_point started_ = Clock::now();

  Record record_;
  std::vector<ReleasedImage> images_;
  std::string refusal_;
  boost::json::array escalations_;
  int readings_ = 0;
  double generate_ms_ = 0;
  double read_ms_ = 0;
};

Error unavailable_log(const std::exception& error) {
  return {ErrorCode::Unavailable, std::string("the audit log cannot be written: ") + error.what(),
          ""};
}

}  // namespace

std::vector<std::string> widened_layers(const model::ModelInfo& info) {
  std::set<std::string> blocks;
  for (const std::string& layer : info.localized_layers) blocks.insert(block_of(layer));
  std::vector<std::string> layers;
  for (const std::string& layer : info.attention_layers)
    if (blocks.contains(block_of(layer))) layers.push_back(layer);
  if (layers.size() <= info.localized_layers.size() ||
      layers.size() == info.attention_layers.size())
    return {};
  return layers;
}

Result<Screened> screen_text(ImageRequest request, std::shared_ptr<const policy::Policy> policy) {
  const Clock::time_point start = Clock::now();
  if (auto fault = text_fault("prompt", request.prompt, true)) return *fault;
  Screened screened;
  screened.request = std::move(request);
  screened.policy = std::move(policy);
  screened.analysis = screened.policy->lexicon().analyze(screened.request.prompt);
  screened.decision =
      screened.policy->decide(screened.request.prompt, screened.analysis, screened.request.tenant);
  screened.screening_ms = milliseconds_since(start);
  return screened;
}

Result<Screened> screen(ImageRequest request, std::shared_ptr<const policy::Policy> policy,
                        const model::Pipeline& pipeline) {
  const Clock::time_point start = Clock::now();
  if (auto fault = request_fault(request, pipeline.info())) return *fault;
  Result<Screened> screened = screen_text(std::move(request), std::move(policy));
  if (!screened) return screened;
  if (!screened->request.negative_prompt.empty())
    screened->negative = screened->policy->lexicon().analyze(screened->request.negative_prompt);
  screened->fit = pipeline.fit(screened->request.prompt);
  if (auto fault = window_fault(*screened)) return *fault;
  screened->screening_ms = milliseconds_since(start);
  return screened;
}

Guard::Guard(model::Pipeline& pipeline, Ocr& ocr, AuditLog& audit)
    : pipeline_(pipeline), ocr_(ocr), audit_(audit) {}

Result<Answer> Guard::complete(const Screened& screened, std::stop_token stop,
                               const model::Progress& progress) {
  Job job(pipeline_, ocr_, screened, std::move(stop), progress);
  Error error;
  try {
    job.run();
    Record record = job.record();
    try {
      record = audit_.append(std::move(record));
    } catch (const std::exception& failure) {
      throw Failure{unavailable_log(failure)};
    }
    if (record.outcome == "refused") return Answer(Refusal{job.refusal(), std::move(record)});
    return Answer(Reply{std::move(job.images()), std::move(record)});
  } catch (const Failure& failure) {
    error = failure.error;
  } catch (const std::bad_alloc&) {
    error = {ErrorCode::Unavailable, "out of memory", ""};
  } catch (const std::exception& failure) {
    error = {ErrorCode::Internal, std::string("the picture could not be made: ") + failure.what(),
             ""};
  }
  // No picture leaves; what became of the request is recorded all the same.
  job.images().clear();
  Record record = job.record();
  record.route = "none";
  record.outcome = error.code == ErrorCode::Cancelled ? "cancelled" : "failed";
  record.reason = error.message;
  try {
    audit_.append(std::move(record));
  } catch (const std::exception& failure) {
    return unavailable_log(failure);
  }
  return error;
}

Result<Record> record_moderation(const Screened& screened, AuditLog& audit) {
  Record record = record_of(screened);
  record.outcome = "answered";
  if (const auto parameters = policy_parameters(screened); !parameters.empty())
    record.parameters_json = boost::json::serialize(parameters);
  record.timings_json =
      boost::json::serialize(boost::json::object{{"screen_ms", screened.screening_ms}});
  try {
    return audit.append(std::move(record));
  } catch (const std::exception& failure) {
    return unavailable_log(failure);
  }
}

}  // namespace glyphward::guard
