// glyphward: the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "base/config_error.h"
#include "daemon/cli/command.h"

// What is not answered below ends the process. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  using glyphward::daemon::ExitStatus;
  CLI::App app("Draws pictures whose rendered text is guarded, and looks after the guard.",
               "glyphward");
  app.require_subcommand(1);
  app.set_version_flag("--version", GLYPHWARD_VERSION);
  app.footer(
      "Exit status: 0 done, 1 found or failed, 2 usage, 3 refused by policy, 4 unavailable.");
  ExitStatus exit_status = ExitStatus::Ok;
  glyphward::daemon::add_generate(app, exit_status);
  glyphward::daemon::add_check(app, exit_status);
  glyphward::daemon::add_audit(app, exit_status);
  glyphward::daemon::add_lexicon(app, exit_status);
  glyphward::daemon::add_localize(app, exit_status);
  glyphward::daemon::add_models(app, exit_status);
  glyphward::daemon::add_policy(app, exit_status);
  glyphward::daemon::add_bench(app, exit_status);
  glyphward::daemon::add_status(app, exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::Usage);
  } catch (const glyphward::daemon::CommandError& error) {
    std::fprintf(stderr, "glyphward: %s\n", error.what());
    return static_cast<int>(error.status());
  } catch (const glyphward::ConfigError& error) {
    std::fprintf(stderr, "glyphward: %s\n", error.what());
    return static_cast<int>(ExitStatus::Usage);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "glyphward: %s\n", error.what());
    return static_cast<int>(ExitStatus::Found);
  }
  return static_cast<int>(exit_status);
}
