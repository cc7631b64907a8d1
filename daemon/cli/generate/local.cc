// A picture made in this process.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "daemon/cli/command.h"
#include "daemon/cli/generate/generation.h"
#include "daemon/cli/output.h"
#include "daemon/cli/progress_line.h"
#include "daemon/service/data_files.h"
#include "guard/guard.h"
#include "guard/reply_json.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const Error& error) {
  ExitStatus status = ExitStatus::Found;
  switch (error.code) {
    case ErrorCode::InvalidRequest:
    case ErrorCode::NotFound:
      status = ExitStatus::Usage;
      break;
    case ErrorCode::Overloaded:
    case ErrorCode::DeadlineExceeded:
    case ErrorCode::Unavailable:
      status = ExitStatus::Unavailable;
      break;
    case ErrorCode::Cancelled:
    case ErrorCode::Internal:
      break;
  }
  throw CommandError(status, printable(error.message));
}

// Hands on what the guard asks for, and keeps the tensors of what was drawn: they are written only
// if the guard let these very pictures out.
class TensorKeeper : public model::Pipeline {
 public:
  TensorKeeper(model::Pipeline& inner, bool keep) : inner_(inner), keep_(keep) {}

  const model::ModelInfo& info() const override { return inner_.info(); }
  model::PromptFit fit(std::string_view prompt) const override { return inner_.fit(prompt); }
  Result<model::Generation> generate(const model::GenerationRequest& request, std::stop_token stop,
                                     const model::Progress& progress) override {
    model::GenerationRequest asked = request;
    asked.keep_tensors = keep_;
    Result<model::Generation> generation = inner_.generate(asked, std::move(stop), progress);
    if (generation && keep_) kept_.push_back(*generation);
    return generation;
  }

  const std::vector<model::Generation>& kept() const { return kept_; }

 private:
  model::Pipeline& inner_;
  const bool keep_;
  std::vector<model::Generation> kept_;
};

// Appends a picture's tensor to those of the pictures before it.
void append(std::optional<model::FloatTensor>& all, const std::optional<model::FloatTensor>& one) {
  if (!one) return;
  if (!all) {
    all = one;
    return;
  }
  all->shape.at(0) += one->shape.at(0);
  all->data.insert(all->data.end(), one->data.begin(), one->data.end());
}

void take_tensors(const TensorKeeper& keeper, const std::vector<guard::ReleasedImage>& images,
                  Generated& generated) {
  for (const guard::ReleasedImage& released : images) {
    const auto& kept = keeper.kept();
    const auto same =
        std::find_if(kept.begin(), kept.end(), [&](const model::Generation& generation) {
          return generation.images.size() == 1 && generation.images.front() == released.image;
        });
    if (same == kept.end()) {
      throw CommandError(ExitStatus::Found,
                         "the picture was redacted after it was drawn, so there are no "
                         "tensors of it; write a .png");
    }
    append(generated.latents, same->latents);
    append(generated.image, same->image);
  }
}

guard::ImageRequest image_request(const GenerateOptions& options) {
  guard::ImageRequest request;
  request.request_id = fmt::format("local_{}_{}", ::getpid(),
                                   std::chrono::system_clock::now().time_since_epoch().count());
  request.client = fmt::format("uid={} gid={} pid={}", ::getuid(), ::getgid(), ::getpid());
  request.endpoint = "local";
  request.tenant = options.tenant;
  request.prompt = options.prompt;
  request.negative_prompt = options.negative_prompt;
  request.n = options.n;
  request.seed = options.seed;
  request.settings = options.settings;
  return request;
}

model::Progress shown_on(ProgressLine& line) {
  return [&line](int step, int steps) { line.show(step, steps); };
}

Generated generate_guarded(const GenerateOptions& options, model::Pipeline& pipeline) {
  const auto policy =
      policy::Policy::load(options.policy.empty() ? default_policy() : fs::path(options.policy));
  const Result<guard::Screened> screened = guard::screen(image_request(options), policy, pipeline);
  if (!screened) fail(screened.error());
  const auto ocr = guard::Ocr::open();
  const auto audit = guard::AuditLog::open(options.state_dir.empty() ? user_state_dir()
                                                                     : fs::path(options.state_dir));
  TensorKeeper keeper(pipeline, options.wants_tensors());
  Result<guard::Answer> answer = [&] {
    ProgressLine line("steps", !options.json);
    return guard::Guard(keeper, *ocr, *audit).complete(*screened, {}, shown_on(line));
  }();
  if (!answer) fail(answer.error());
  if (const auto* refusal = std::get_if<guard::Refusal>(&*answer)) {
    throw CommandError(ExitStatus::Refused,
                       fmt::format("{} (decision {})", refusal->reason, refusal->record.sequence));
  }
  const auto& reply = std::get<guard::Reply>(*answer);
  Generated generated;
  for (const guard::ReleasedImage& image : reply.images) generated.pngs.push_back(image.png);
  if (options.wants_tensors()) take_tensors(keeper, reply.images, generated);
  generated.report = guard::reply_json(reply, options.seed);
  return generated;
}

Generated generate_unguarded(const GenerateOptions& options, model::Pipeline& pipeline) {
  model::GenerationRequest request;
  request.streams = {{"prompt", options.prompt}};
  if (!options.negative_prompt.empty()) request.negative_prompt = options.negative_prompt;
  request.settings = options.settings;
  request.keep_tensors = options.wants_tensors();
  Generated generated;
  // One by one, as the guard draws them: in a batch a picture's last bits depend on the others.
  for (int i = 0; i < options.n; ++i) {
    request.seeds = {options.seed + static_cast<std::uint64_t>(i)};
    Result<model::Generation> generation = [&] {
      ProgressLine line("steps", !options.json);
      return pipeline.generate(request, {}, shown_on(line));
    }();
    if (!generation) fail(generation.error());
    generated.pngs.push_back(model::encode_png(generation->images.front()));
    append(generated.latents, generation->latents);
    append(generated.image, generation->image);
  }
  generated.report = {{"action", nullptr}, {"route", "plain"}, {"unguarded", true}};
  return generated;
}

}  // namespace

Generated generate_here(const GenerateOptions& options) {
  const auto pipeline = model::load_pipeline(
      options.model.empty() ? bundled_model() : fs::path(options.model),
      {options.device, options.dtype, options.vae_tiling, options.offload_text_encoders});
  return options.unguarded ? generate_unguarded(options, *pipeline)
                           : generate_guarded(options, *pipeline);
}

}  // namespace glyphward::daemon
