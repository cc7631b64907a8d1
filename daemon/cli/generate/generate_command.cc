// glyphward generate: a picture, from the daemon or, with --local, in this process under the same
// guard.
#include <fmt/format.h>
#include <unistd.h>

#include <iterator>
#include <memory>
#include <utility>

#include "base/utf8.h"
#include "daemon/cli/command.h"
#include "daemon/cli/generate/generation.h"
#include "daemon/cli/output.h"
#include "guard/request.h"
#include "model/dtypes.h"
#include "model/schedulers/names.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

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
    fmt::print("{}\n", printable_line(line));
  }
}

ExitStatus run(const GenerateOptions& options) {
  check_options(options);
  Generated generated = options.local ? generate_here(options) : ask_daemon(options);
  json::array files = write_files(options, generated);
  if (options.json) {
    generated.report["files"] = std::move(files);
    fmt::print("{}\n", json::serialize(generated.report));
  } else {
    print_report(generated.report, files);
  }
  return ExitStatus::Ok;
}

void add_picture_options(Command& command, GenerateOptions& options) {
  model::GenerationSettings& settings = options.settings;
  command.option("prompt", options.prompt, "What to draw").required();
  command.option("-o,--output", options.output,
                 "FILE.png, or FILE.safetensors for float32 latents and image "
                 "(default glyphward.png; with -n FILE-0.png, FILE-1.png, ...)");
  command.option("-n", options.n, "How many pictures, seeded SEED, SEED+1, ... (default 1)");
  command.option("--seed", options.seed, "Of the first picture's noise (default 0)");
  command.option("--num-inference-steps", settings.num_inference_steps, "Denoising steps");
  command.option("--guidance-scale", settings.guidance_scale, "1 or more; 1 turns guidance off");
  command.option("--height", settings.height, "Pixels");
  command.option("--width", settings.width, "Pixels");
  command.option("--negative-prompt", options.negative_prompt, "What not to draw");
  command.option(
      "--scheduler", settings.scheduler,
      alternatives({std::begin(model::kSchedulerNames), std::end(model::kSchedulerNames)}));
}

void add_local_options(Command& command, GenerateOptions& options) {
  command.flag("--local", options.local, "Work in this process, under the same guard");
  command.flag("--unguarded", options.unguarded,
               "With --local: generate plainly, for comparison; nothing is checked or recorded");
  command.option("--device", options.device, "With --local: cpu, cuda, cuda:1");
  command.option("--dtype", options.dtype, "With --local: " + alternatives(model::dtype_names()))
      .one_of(model::dtype_names());
  command.flag("--vae-tiling", options.vae_tiling,
               "With --local: decode large pictures in tiles, for less memory");
  command.flag("--offload-text-encoders", options.offload_text_encoders,
               "With --local: text encoders leave the device once the prompt is encoded");
}

}  // namespace

void add_generate(Command& command) {
  auto options = std::make_shared<GenerateOptions>();
  add_picture_options(command, *options);
  command.option("--model", options->model,
                 "With --local: a diffusers checkpoint folder (default: the bundled model); "
                 "else the name the daemon must serve");
  command.option("--socket", options->socket, "The daemon's socket (default: GLYPHWARD_SOCKET)");
  add_local_options(command, *options);
  command.option("--tenant", options->tenant, "Whose rules apply (default: nobody's)");
  command.option("--policy", options->policy, "With --local: policy file");
  command.option("--state-dir", options->state_dir, "With --local: folder of the audit log");
  command.flag("--json", options->json, "Print JSON");
  command.footer(
      "What is not given comes from the checkpoint. Exit status: 0 drawn, 1 failed, 2 usage, "
      "3 refused, 4 unavailable.");
  command.runs([options] { return run(*options); });
}

}  // namespace glyphward::daemon
