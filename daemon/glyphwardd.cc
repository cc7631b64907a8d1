// glyphwardd: the daemon.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "base/config_error.h"
#include "daemon/daemon.h"
#include "daemon/service/config.h"

namespace {

using namespace glyphward;

struct Flags {
  std::string config, socket, admin_socket, state_dir, model, policy, device, dtype, log_level;
  bool vae_tiling = false, offload_text_encoders = false;
};

void add_options(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config, "TOML file; flags win over it");
  app.add_option("--socket", flags.socket,
                 "Service socket (default /run/glyphward/glyphward.sock)");
  app.add_option("--admin-socket", flags.admin_socket, "Admin socket, 0600 (default SOCKET.admin)");
  app.add_option("--state-dir", flags.state_dir,
                 "Folder of the audit log (default /var/lib/glyphward)");
  app.add_option("--model", flags.model, "Diffusers checkpoint (default: the bundled model)");
  app.add_option("--policy", flags.policy, "Policy file (default: the default policy)");
  app.add_option("--device", flags.device, "cpu, cuda, cuda:1 (default cpu)");
  app.add_option("--dtype", flags.dtype, "float32, float16, bfloat16 (default float32)")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}));
  app.add_flag("--vae-tiling", flags.vae_tiling, "Decode large pictures in tiles: less memory");
  app.add_flag("--offload-text-encoders", flags.offload_text_encoders,
               "Text encoders leave the device once a prompt is encoded: less memory");
  app.add_option("--log-level", flags.log_level, "debug, info, warning, error (default info)")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
}

daemon::Config configuration(const Flags& flags) {
  daemon::Config config;
  if (!flags.config.empty()) config = daemon::load_config(flags.config);
  const std::pair<const std::string*, std::filesystem::path*> paths[] = {
      {&flags.socket, &config.socket},
      {&flags.admin_socket, &config.admin_socket},
      {&flags.state_dir, &config.state_dir},
      {&flags.model, &config.model},
      {&flags.policy, &config.policy}};
  for (const auto& [flag, target] : paths) {
    if (!flag->empty()) *target = *flag;
  }
  if (!flags.device.empty()) config.device = flags.device;
  if (!flags.dtype.empty()) config.dtype = flags.dtype;
  config.vae_tiling = config.vae_tiling || flags.vae_tiling;
  config.offload_text_encoders = config.offload_text_encoders || flags.offload_text_encoders;
  if (!flags.log_level.empty()) config.log_level = flags.log_level;
  daemon::fill_defaults(config);
  return config;
}

daemon::DaemonParts parts_of(const daemon::Config& config) {
  daemon::DaemonParts parts;
  parts.engine.load_pipeline = [config] {
    return model::load_pipeline(config.model, {config.device, config.dtype, config.vae_tiling,
                                               config.offload_text_encoders});
  };
  parts.engine.open_ocr = [config] { return guard::Ocr::open(config.ocr_languages); };
  parts.engine.open_audit = [config] { return guard::AuditLog::open(config.state_dir); };
  parts.load_policy = [config] { return policy::Policy::load(config.policy); };
  return parts;
}

void set_up_log(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("glyphwardd",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  spdlog::set_default_logger(std::move(logger));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace

// What is not answered below ends the process. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app("Stands before an image model and guards the text that its pictures show.",
               "glyphwardd");
  Flags flags;
  add_options(app, flags);
  app.set_version_flag("--version", GLYPHWARD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is an error of its write
  try {
    const daemon::Config config = configuration(flags);
    set_up_log(config.log_level);
    daemon::Daemon daemon(config, parts_of(config), daemon::take_activated_sockets());
    daemon.run();
    // Nothing was accepted yet, and a checkpoint that is being read cannot be waited for.
    if (daemon.loading()) ::_exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "glyphwardd: %s\n", error.what());
    return 2;
  }
  return 0;
}
