// glyphward status: is the daemon ready, and if not, why.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "daemon/cli/client.h"
#include "daemon/cli/command.h"
#include "daemon/cli/output.h"

namespace glyphward::daemon {
namespace {

struct StatusOptions {
  std::string socket;
  std::string admin_socket;
  bool json = false;
};

// The admin socket says more; whoever may not open it still learns whether the daemon is ready.
HttpReply ask(const StatusOptions& options) {
  const auto socket = service_socket(options.socket);
  const std::filesystem::path admin = options.admin_socket.empty()
                                          ? admin_socket(socket)
                                          : std::filesystem::path(options.admin_socket);
  try {
    return http_request(admin, "/v1/status");
  } catch (const CommandError&) {
    if (!options.admin_socket.empty()) throw;
    return http_request(socket, "/readyz");
  }
}

void print_value(const std::string& name, const boost::json::value& value) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      print_value(name.empty() ? std::string(key) : name + "." + std::string(key), member);
    }
  } else if (value.is_string()) {
    fmt::print("{:<32} {}\n", name, printable(std::string_view(value.as_string())));
  } else {
    fmt::print("{:<32} {}\n", name, boost::json::serialize(value));
  }
}

ExitStatus run(const StatusOptions& options) {
  const HttpReply reply = ask(options);
  if (options.json) {
    fmt::print("{}\n", boost::json::serialize(reply.body));
  } else {
    print_value("", reply.body);
  }
  const auto* object = reply.body.if_object();
  const auto* ready = object != nullptr ? object->if_contains("ready") : nullptr;
  const bool is_ready = ready != nullptr && ready->is_bool() && ready->as_bool();
  return is_ready ? ExitStatus::Ok : ExitStatus::Unavailable;
}

}  // namespace

void add_status(Command& command) {
  auto options = std::make_shared<StatusOptions>();
  command.option("--socket", options->socket, "The daemon's socket (default: GLYPHWARD_SOCKET)");
  command.option("--admin-socket", options->admin_socket,
                 "Its admin socket (default: SOCKET.admin)");
  command.flag("--json", options->json, "Print JSON");
  command.footer("Exit status: 0 ready, 4 not ready or not running.");
  command.runs([options] { return run(*options); });
}

}  // namespace glyphward::daemon
