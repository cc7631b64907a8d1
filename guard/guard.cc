#include "guard/guard.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/sha256.h"
#include "base/stopwatch.h"
#include "guard/attempts.h"
#include "guard/reading/judge.h"
#include "guard/reading/redact.h"
#include "guard/record_of.h"

namespace glyphward::guard {
namespace {

// What a step could not do, and so the request cannot be answered.
struct Failure {
  Error error;
};

// Does this action make no picture?
bool refuses(policy::Action action) {
  switch (action) {
    case policy::Action::Allow:
    case policy::Action::Substitute:
      return false;
    case policy::Action::Review:
    case policy::Action::Block:
      return true;
  }
  return true;
}

// The work on one request, and what its row will say of it.
class Completion {
 public:
  Completion(model::Pipeline& pipeline, Ocr& ocr, const Screened& screened, std::stop_token stop,
             const model::Progress& progress)
      : pipeline_(pipeline),
        ocr_(ocr),
        screened_(screened),
        stop_(std::move(stop)),
        progress_(progress),
        expectation_(
            expectation(screened.analysis, screened.decision, screened.policy->verification())),
        record_(record_of(screened, pipeline.info())) {}

  // Throws Failure, or what a part throws. Afterwards record() holds what became of the request.
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
    outcome_ = Outcome::Answered;
  }

  // The answer that the row `record` tells of.
  Answer answer(Record record) {
    if (outcome_ == Outcome::Refused) return Refusal{refusal_, std::move(record)};
    return Reply{std::move(images_), std::move(record)};
  }

  // No picture leaves; what became of the request is recorded all the same.
  void fail(const Error& error) {
    images_.clear();
    route_ = RouteName::None;
    outcome_ = error.code == ErrorCode::Cancelled ? Outcome::Cancelled : Outcome::Failed;
    record_.reason = error.message;
  }

  Record record() const {
    Record record = record_;
    record.route = to_string(route_);
    record.outcome = to_string(outcome_);
    record.escalations_json = boost::json::serialize(escalations_);
    boost::json::object timings{{"screen_ms", screened_.screening_ms},
                                {"generate_ms", generate_ms_},
                                {"read_ms", read_ms_},
                                {"total_ms", screened_.screening_ms + stopwatch_.milliseconds()}};
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
    outcome_ = Outcome::Refused;
    record_.reason = for_record;
    record_.open_for_review = open_for_review;
  }

  bool refused_by_policy() {
    const policy::Action action = screened_.decision.action;
    if (!refuses(action)) return false;
    refuse("The text that the picture would show is not allowed here.",
           "rule " + screened_.decision.rule +
               (screened_.decision.note.empty() ? "" : ": " + screened_.decision.note),
           action == policy::Action::Review);
    return true;
  }

  // A text that OCR could not read in the picture cannot be verified there.
  bool refused_as_uninspectable() {
    const policy::Action action = screened_.policy->verification().uninspectable;
    if (!refuses(action)) return false;
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
        return release(RouteName::Redacted, std::move(covered), again);
      note(index, RouteName::Redacted, again, comparison.reason);
      boxes.insert(boxes.end(), reading.boxes.begin(), reading.boxes.end());
      boxes.insert(boxes.end(), again.boxes.begin(), again.boxes.end());
    }
    return false;
  }

  model::Image generate(int index, const Attempt& attempt) {
    model::GenerationRequest request;
    request.streams.push_back({kPromptStream, screened_.request.prompt});
    if (screened_.decision.action == policy::Action::Substitute)
      request.streams.push_back({kSanitizedStream, screened_.decision.sanitized_prompt});
    request.route = attempt.route;
    if (!screened_.request.negative_prompt.empty())
      request.negative_prompt = screened_.request.negative_prompt;
    request.seeds = {screened_.request.seed + static_cast<std::uint64_t>(index)};
    request.settings = screened_.request.settings;
    const int images = screened_.request.n;
    const model::Progress progress = [&](int step, int steps) {
      if (progress_) progress_(index * steps + step, images * steps);
    };
    const Stopwatch stopwatch;
    Result<model::Generation> generation = pipeline_.generate(request, stop_, progress);
    generate_ms_ += stopwatch.milliseconds();
    if (!generation) throw Failure{generation.error()};
    if (generation->images.size() != 1) throw std::runtime_error("the model made no picture");
    return std::move(generation->images.front());
  }

  Reading read(const model::Image& image) {
    require_not_stopped("before its picture was read");
    const Stopwatch stopwatch;
    try {
      Reading reading = ocr_.read(image);
      read_ms_ += stopwatch.milliseconds();
      return reading;
    } catch (const std::exception& error) {
      throw Failure{{ErrorCode::Unavailable,
                     std::string("the picture could not be read: ") + error.what(), ""}};
    }
  }

  bool release(RouteName route, model::Image image, const Reading& reading) {
    ReleasedImage released;
    released.png = model::encode_png(image);
    released.image = std::move(image);
    released.route = to_string(route);
    released.reading = reading.best;
    append_reading(reading.best);
    route_ = std::max(route_, route);
    images_.push_back(std::move(released));
    return true;
  }

  void append_reading(const std::string& text) {
    if (readings_++ > 0) record_.ocr_reading += '\n';
    record_.ocr_reading += text;
  }

  void note(int index, RouteName route, const Reading& reading, const std::string& why) {
    escalations_.push_back(boost::json::object{
        {"image", index}, {"route", to_string(route)}, {"reading", reading.best}, {"why", why}});
  }

  model::Pipeline& pipeline_;
  Ocr& ocr_;
  const Screened& screened_;
  std::stop_token stop_;
  const model::Progress& progress_;
  const Expectation expectation_;
  const Stopwatch stopwatch_;

  Record record_;                      // but for what the members below say
  Outcome outcome_ = Outcome::Failed;  // until run() is through
  RouteName route_ = RouteName::None;  // the strongest of the images'
  std::vector<ReleasedImage> images_;
  std::string refusal_;
  boost::json::array escalations_;
  int readings_ = 0;
  double generate_ms_ = 0;
  double read_ms_ = 0;
};

}  // namespace

Guard::Guard(model::Pipeline& pipeline, Ocr& ocr, AuditLog& audit)
    : pipeline_(pipeline), ocr_(ocr), audit_(audit) {}

Result<Answer> Guard::complete(const Screened& screened, std::stop_token stop,
                               const model::Progress& progress) {
  Completion completion(pipeline_, ocr_, screened, std::move(stop), progress);
  Error error;
  try {
    completion.run();
    Result<Record> row = append_row(audit_, completion.record());
    if (row) return completion.answer(std::move(*row));
    error = row.error();
  } catch (const Failure& failure) {
    error = failure.error;
  } catch (const std::bad_alloc&) {
    error = {ErrorCode::Unavailable, "out of memory", ""};
  } catch (const std::exception& failure) {
    error = {ErrorCode::Internal, std::string("the picture could not be made: ") + failure.what(),
             ""};
  }
  completion.fail(error);
  const Result<Record> row = append_row(audit_, completion.record());
  return row ? error : row.error();
}

}  // namespace glyphward::guard
