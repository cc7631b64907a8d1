// glyphward generate: a picture, from the daemon or, with --local, in this process under the same
// guard.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "base/base64.h"
#include "base/utf8.h"
#include "daemon/cli/client.h"
#include "daemon/cli/command.h"
#include "daemon/cli/text.h"
#include "daemon/service/data_files.h"
#include "guard/guard.h"
#include "guard/reply_json.h"
#include "model/checkpoint/safetensors.h"
#include "model/dtypes.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

struct GenerateOptions {
  std::string prompt;
  std::string negative_prompt;
  std::string output = "glyphward.png";
  int n = 1;
  std::uint64_t seed = 0;
  std::string model;
  std::string device = "cpu";
  std::string dtype = "float32";
  bool vae_tiling = false;
  bool offload_text_encoders = false;
  std::string policy;
  std::string tenant;
  std::string state_dir;
  std::string socket;
  bool local = false;
  bool unguarded = false;
  bool json = false;

  bool wants_tensors() const { return fs::path(output).extension() == ".safetensors"; }
  model::GenerationSettings settings;
};

// What a run has to show for itself.
struct Outcome {
  std::vector<std::string> pngs;
  std::optional<model::FloatTensor> latents;
  std::optional<model::FloatTensor> image;
  json::object report;  // for --json; "files" is added
  std::string summary;  // for people
};

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

// Known before minutes are spent on a picture.
void check_output(const GenerateOptions& options) {
  const fs::path output = options.output;
  const std::string extension = output.extension();
  if (extension != ".png" && extension != ".safetensors") {
    throw CommandError(ExitStatus::Usage,
                       options.output + ": expected a name that ends in .png or .safetensors");
  }
  if (options.wants_tensors() && !options.local) {
    throw CommandError(ExitStatus::Usage,
                       options.output + ": the daemon sends PNG only; tensors need --local");
  }
  const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw CommandError(ExitStatus::Usage, folder.string() + ": no folder that can be written to");
  }
}

void check_options(const GenerateOptions& options) {
  require_tenant(options.tenant);
  const std::pair<const char*, bool> local_only[] = {
      {"--unguarded", options.unguarded},
      {"--device", options.device != "cpu"},
      {"--dtype", options.dtype != "float32"},
      {"--vae-tiling", options.vae_tiling},
      {"--offload-text-encoders", options.offload_text_encoders},
      {"--policy", !options.policy.empty()},
      {"--state-dir", !options.state_dir.empty()}};
  for (const auto& [name, given] : local_only) {
    if (given && !options.local) {
      throw CommandError(ExitStatus::Usage, std::string(name) + ": only with --local");
    }
  }
  if (options.n < 1 || options.n > guard::kImagesMax) {
    throw CommandError(ExitStatus::Usage,
                       fmt::format("-n: expected 1 to {}, found {}", guard::kImagesMax, options.n));
  }
  if (!is_utf8(options.prompt) || !is_utf8(options.negative_prompt)) {
    throw CommandError(ExitStatus::Usage, "prompt: is not valid UTF-8");
  }
  check_output(options);
}

// One line that fills up, on a terminal only.
class ProgressBar {
 public:
  explicit ProgressBar(bool shown) : shown_(shown && ::isatty(STDERR_FILENO) == 1) {}
  ~ProgressBar() {
    if (drawn_) fmt::print(stderr, "\r\033[K");
  }
  void operator()(int step, int steps) {
    if (!shown_ || steps <= 0) return;
    constexpr int kWidth = 40;
    const int filled = std::min(kWidth, step * kWidth / steps);
    fmt::print(stderr, "\r[{}{}] {}/{}", std::string(static_cast<std::size_t>(filled), '#'),
               std::string(static_cast<std::size_t>(kWidth - filled), ' '), step, steps);
    drawn_ = true;
  }

 private:
  const bool shown_;
  bool drawn_ = false;
};

// ---- From the daemon

std::string decoded_picture(std::string_view text) {
  std::optional<std::string> png = base64_decode(text);
  if (!png) throw CommandError(ExitStatus::Unavailable, "the daemon's picture is not base64");
  return std::move(*png);
}

json::object request_body(const GenerateOptions& options) {
  json::object body{{"prompt", options.prompt}, {"n", options.n}, {"seed", options.seed}};
  if (!options.model.empty()) {
    fs::path folder = fs::path(options.model).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "models/sd/"
    body["model"] = folder.filename().string();
  }
  if (!options.negative_prompt.empty()) body["negative_prompt"] = options.negative_prompt;
  if (options.settings.num_inference_steps)
    body["num_inference_steps"] = *options.settings.num_inference_steps;
  if (options.settings.guidance_scale) body["guidance_scale"] = *options.settings.guidance_scale;
  if (options.settings.height) body["height"] = *options.settings.height;
  if (options.settings.width) body["width"] = *options.settings.width;
  if (!options.settings.scheduler.empty()) body["scheduler"] = options.settings.scheduler;
  return body;
}

[[noreturn]] void fail(const HttpReply& reply) {
  ExitStatus status = ExitStatus::Found;
  if (reply.status == 429 || reply.status >= 502) status = ExitStatus::Unavailable;
  if (reply.status >= 400 && reply.status < 429) status = ExitStatus::Usage;
  if (const auto* object = reply.body.if_object()) {
    const auto* error = object->if_contains("error");
    const auto* code =
        error != nullptr && error->is_object() ? error->as_object().if_contains("code") : nullptr;
    if (code != nullptr && *code == json::value("content_policy_violation"))
      status = ExitStatus::Refused;
  }
  throw CommandError(status, fmt::format("{} (request {})", printable(error_message(reply)),
                                         printable(reply.request_id)));
}

Outcome ask_daemon(const GenerateOptions& options) {
  const bool tells = ::isatty(STDERR_FILENO) == 1 && !options.json;
  if (tells) fmt::print(stderr, "waiting for the daemon ...");
  const HttpReply reply = http_request(service_socket(options.socket), "/v1/images/generations",
                                       request_body(options), options.tenant);
  if (tells) fmt::print(stderr, "\r\033[K");
  if (reply.status != 200) fail(reply);
  Outcome outcome;
  try {
    for (const json::value& picture : reply.body.at("data").as_array()) {
      outcome.pngs.push_back(decoded_picture(picture.at("b64_json").as_string()));
    }
    outcome.report = reply.body.at("glyphward").as_object();
  } catch (const boost::system::system_error&) {
    throw CommandError(ExitStatus::Unavailable,
                       "the daemon's answer has another shape than expected");
  } catch (const std::invalid_argument&) {
    throw CommandError(ExitStatus::Unavailable,
                       "the daemon's answer has another shape than expected");
  } catch (const std::out_of_range&) {
    throw CommandError(ExitStatus::Unavailable,
                       "the daemon's answer has another shape than expected");
  }
  return outcome;
}

// ---- In this process

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
                  Outcome& outcome) {
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
    append(outcome.latents, same->latents);
    append(outcome.image, same->image);
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

Outcome generate_guarded(const GenerateOptions& options, model::Pipeline& pipeline) {
  const auto policy =
      policy::Policy::load(options.policy.empty() ? default_policy() : fs::path(options.policy));
  const Result<guard::Screened> screened = guard::screen(image_request(options), policy, pipeline);
  if (!screened) fail(screened.error());
  const auto ocr = guard::Ocr::open();
  const auto audit = guard::AuditLog::open(options.state_dir.empty() ? user_state_dir()
                                                                     : fs::path(options.state_dir));
  TensorKeeper keeper(pipeline, options.wants_tensors());
  Result<guard::Answer> answer = [&] {
    ProgressBar bar(!options.json);
    return guard::Guard(keeper, *ocr, *audit).complete(*screened, {}, std::ref(bar));
  }();
  if (!answer) fail(answer.error());
  if (const auto* refusal = std::get_if<guard::Refusal>(&*answer)) {
    throw CommandError(ExitStatus::Refused,
                       fmt::format("{} (decision {})", refusal->reason, refusal->record.sequence));
  }
  const auto& reply = std::get<guard::Reply>(*answer);
  Outcome outcome;
  for (const guard::ReleasedImage& image : reply.images) outcome.pngs.push_back(image.png);
  if (options.wants_tensors()) take_tensors(keeper, reply.images, outcome);
  outcome.report = guard::reply_json(reply, options.seed);
  return outcome;
}

Outcome generate_unguarded(const GenerateOptions& options, model::Pipeline& pipeline) {
  model::GenerationRequest request;
  request.streams = {{"prompt", options.prompt}};
  if (!options.negative_prompt.empty()) request.negative_prompt = options.negative_prompt;
  request.settings = options.settings;
  request.keep_tensors = options.wants_tensors();
  Outcome outcome;
  // One by one, as the guard draws them: in a batch a picture's last bits depend on the others.
  for (int i = 0; i < options.n; ++i) {
    request.seeds = {options.seed + static_cast<std::uint64_t>(i)};
    Result<model::Generation> generation = [&] {
      ProgressBar bar(!options.json);
      return pipeline.generate(request, {}, std::ref(bar));
    }();
    if (!generation) fail(generation.error());
    outcome.pngs.push_back(model::encode_png(generation->images.front()));
    append(outcome.latents, generation->latents);
    append(outcome.image, generation->image);
  }
  outcome.report = {{"action", nullptr}, {"route", "plain"}, {"unguarded", true}};
  return outcome;
}

Outcome generate_here(const GenerateOptions& options) {
  const auto pipeline = model::load_pipeline(
      options.model.empty() ? bundled_model() : fs::path(options.model),
      {options.device, options.dtype, options.vae_tiling, options.offload_text_encoders});
  return options.unguarded ? generate_unguarded(options, *pipeline)
                           : generate_guarded(options, *pipeline);
}

// ---- What is left behind

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw CommandError(ExitStatus::Found, path.string() + ": writing failed");
}

json::array write_files(const GenerateOptions& options, const Outcome& outcome) {
  const fs::path output = options.output;
  json::array files;
  if (options.wants_tensors()) {
    std::map<std::string, model::FloatTensor> tensors;
    if (outcome.latents) tensors["latents"] = *outcome.latents;
    if (outcome.image) tensors["image"] = *outcome.image;
    model::save_safetensors(output, tensors);
    files.push_back(json::value(output.string()));
    return files;
  }
  for (std::size_t i = 0; i < outcome.pngs.size(); ++i) {
    fs::path path = output;
    if (outcome.pngs.size() > 1) {
      path.replace_filename(
          fmt::format("{}-{}{}", output.stem().string(), i, output.extension().string()));
    }
    write_file(path, outcome.pngs[i]);
    files.push_back(json::value(path.string()));
  }
  return files;
}

void print_report(const json::object& report, const json::array& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::string line(files[i].as_string());
    const json::value* images = report.if_contains("images");
    if (images != nullptr && images->is_array() && i < images->as_array().size()) {
      const json::object& image = images->as_array()[i].as_object();
      line += fmt::format(": {}, route {}, reads \"{}\"",
                          std::string_view(report.at("action").as_string()),
                          std::string_view(image.at("route").as_string()),
                          std::string_view(image.at("reading").as_string()));
    } else {
      line += ": unguarded";
    }
    std::replace(line.begin(), line.end(), '\n', ' ');
    fmt::print("{}\n", printable(line));
  }
}

ExitStatus run(const GenerateOptions& options) {
  check_options(options);
  Outcome outcome = options.local ? generate_here(options) : ask_daemon(options);
  json::array files = write_files(options, outcome);
  if (options.json) {
    outcome.report["files"] = std::move(files);
    fmt::print("{}\n", json::serialize(outcome.report));
  } else {
    print_report(outcome.report, files);
  }
  return ExitStatus::Ok;
}

void add_picture_options(CLI::App& command, GenerateOptions& options) {
  command.add_option("prompt", options.prompt, "What to draw")->required();
  command.add_option("-o,--output", options.output,
                     "FILE.png, or FILE.safetensors for float32 latents and image "
                     "(default glyphward.png; with -n FILE-0.png, FILE-1.png, ...)");
  command.add_option("-n", options.n, "How many pictures, seeded SEED, SEED+1, ... (default 1)");
  command.add_option("--seed", options.seed, "Of the first picture's noise (default 0)");
  command.add_option("--num-inference-steps", options.settings.num_inference_steps,
                     "Denoising steps");
  command.add_option("--guidance-scale", options.settings.guidance_scale,
                     "1 or more; 1 turns guidance off");
  command.add_option("--height", options.settings.height, "Pixels");
  command.add_option("--width", options.settings.width, "Pixels");
  command.add_option("--negative-prompt", options.negative_prompt, "What not to draw");
  command.add_option(
      "--scheduler", options.settings.scheduler,
      "DDIMScheduler, PNDMScheduler, EulerDiscreteScheduler or DPMSolverMultistepScheduler");
}

}  // namespace

void add_generate(CLI::App& app, ExitStatus& exit_status) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command = app.add_subcommand("generate", "Draw a picture whose text is guarded");
  add_picture_options(*command, *options);
  command->add_option("--model", options->model,
                      "With --local: a diffusers checkpoint folder (default: the bundled model); "
                      "else the name the daemon must serve");
  command->add_option("--socket", options->socket,
                      "The daemon's socket (default: GLYPHWARD_SOCKET)");
  command->add_flag("--local", options->local, "Work in this process, under the same guard");
  command->add_flag(
      "--unguarded", options->unguarded,
      "With --local: generate plainly, for comparison; nothing is checked or recorded");
  command->add_option("--device", options->device, "With --local: cpu, cuda, cuda:1");
  command->add_option("--dtype", options->dtype, "With --local: float32, float16, bfloat16")
      ->check(CLI::IsMember(model::dtype_names()));
  command->add_flag("--vae-tiling", options->vae_tiling,
                    "With --local: decode large pictures in tiles, for less memory");
  command->add_flag("--offload-text-encoders", options->offload_text_encoders,
                    "With --local: text encoders leave the device once the prompt is encoded");
  command->add_option("--tenant", options->tenant, "Whose rules apply (default: nobody's)");
  command->add_option("--policy", options->policy, "With --local: policy file");
  command->add_option("--state-dir", options->state_dir, "With --local: folder of the audit log");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "What is not given comes from the checkpoint. Exit status: 0 drawn, 1 failed, 2 usage, "
      "3 refused, 4 unavailable.");
  command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace glyphward::daemon
