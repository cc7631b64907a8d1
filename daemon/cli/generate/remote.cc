// A picture from the daemon.
#include <fmt/format.h>
#include <unistd.h>

#include <exception>

#include "base/base64.h"
#include "daemon/cli/client.h"
#include "daemon/cli/command.h"
#include "daemon/cli/generate/generation.h"
#include "daemon/cli/output.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

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

Generated read_answer(const json::value& body) {
  Generated generated;
  try {
    for (const json::value& picture : body.at("data").as_array()) {
      generated.pngs.push_back(decoded_picture(picture.at("b64_json").as_string()));
    }
    generated.report = body.at("glyphward").as_object();
  } catch (const CommandError&) {
    throw;
  } catch (const std::exception&) {  // a member is missing, or of another kind
    throw CommandError(ExitStatus::Unavailable,
                       "the daemon's answer has another shape than expected; are glyphward and "
                       "glyphwardd of one version? --version tells");
  }
  return generated;
}

}  // namespace

Generated ask_daemon(const GenerateOptions& options) {
  const bool tells = ::isatty(STDERR_FILENO) == 1 && !options.json;
  if (tells) fmt::print(stderr, "waiting for the daemon ...");
  const HttpReply reply = http_request(service_socket(options.socket), "/v1/images/generations",
                                       request_body(options), options.tenant);
  if (tells) fmt::print(stderr, "\r\033[K");
  if (reply.status != 200) fail(reply);
  return read_answer(reply.body);
}

}  // namespace glyphward::daemon
