// glyphwardd: the daemon.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/config_error.h"
#include "daemon/daemon.h"
#include "daemon/service/config.h"

namespace {

using namespace glyphward;

struct Given {
  const daemon::ConfigKey* key;
  std::string value;
};

struct Flags {
  std::string config;
  std::vector<Given> given;
};

void add_options(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config, "A TOML file to read first; flags win over it");
  for (const daemon::ConfigKey& key : daemon::config_keys()) {
    if (key.flag.empty()) continue;
    // A flag with an empty value is as good as none: --model "$MODEL".
    const auto set = [&flags, &key](const std::string& value) {
      if (key.is_switch || !value.empty()) flags.given.push_back({&key, value});
    };
    if (key.is_switch) {
      app.add_flag_callback(
          key.flag, [set] { set(""); }, key.help);
    } else {
      app.add_option_function<std::string>(key.flag, set, key.help);
    }
  }
}

daemon::Config configuration(const Flags& flags) {
  daemon::Config config;
  if (!flags.config.empty()) config = daemon::load_config(flags.config);
  for (const Given& given : flags.given) daemon::set_from_flag(config, *given.key, given.value);
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
  CLI::App app(
      "Guards the text in generated pictures: answers requests for pictures on a Unix socket, "
      "replaces toxic words, and reads every picture before it leaves.",
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
