#include "daemon/cli/command.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>

#include "base/config_error.h"
#include "policy/decision.h"

namespace glyphward::daemon {
namespace {

int fail(const std::exception& error, ExitStatus status) {
  std::fprintf(stderr, "glyphward: %s\n", error.what());
  return static_cast<int>(status);
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& names) {
  option_->check(CLI::IsMember(names));
  return *this;
}

Option& Option::within(int low, int high) {
  option_->check(CLI::Range(low, high));
  return *this;
}

Option& Option::existing_file() {
  option_->check(CLI::ExistingFile);
  return *this;
}

Option& Option::existing_folder() {
  option_->check(CLI::ExistingDirectory);
  return *this;
}

Option& Option::values(int fewest, int most) {
  option_->expected(fewest, most);
  return *this;
}

Option& Option::one_value_each() {
  option_->allow_extra_args(false);
  return *this;
}

Command Command::part(const std::string& name, const std::string& what) {
  app_->require_subcommand(1);
  return {app_->add_subcommand(name, what), exit_status_};
}

void Command::also_called(const std::string& name) { app_->alias(name); }

template <typename T>
Option Command::option(const std::string& names, T& value, const std::string& what) {
  return Option(app_->add_option(names, value, what));
}

using Text = std::string;
template Option Command::option(const Text&, std::string&, const Text&);
template Option Command::option(const Text&, std::vector<std::string>&, const Text&);
template Option Command::option(const Text&, int&, const Text&);
template Option Command::option(const Text&, std::int64_t&, const Text&);
template Option Command::option(const Text&, std::uint64_t&, const Text&);
template Option Command::option(const Text&, std::optional<int>&, const Text&);
template Option Command::option(const Text&, std::optional<double>&, const Text&);

void Command::flag(const std::string& names, bool& value, const std::string& what) {
  app_->add_flag(names, value, what);
}

void Command::footer(const std::string& text) { app_->footer(text); }

void Command::runs(std::function<ExitStatus()> run) {
  app_->callback([run = std::move(run), exit_status = exit_status_] { *exit_status = run(); });
}

int run_command_line(std::span<const CommandEntry> commands, int argc, char** argv) {
  CLI::App app("Draws pictures whose rendered text is guarded, and looks after the guard.",
               "glyphward");
  app.require_subcommand(1);
  app.set_version_flag("--version", GLYPHWARD_VERSION);
  app.footer(
      "Exit status: 0 done, 1 found or failed, 2 usage, 3 refused by policy, 4 unavailable.");
  ExitStatus exit_status = ExitStatus::Ok;
  for (const CommandEntry& entry : commands) {
    Command command(app.add_subcommand(entry.name, entry.what), &exit_status);
    entry.add(command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::Usage);
  } catch (const CommandError& error) {
    return fail(error, error.status());
  } catch (const ConfigError& error) {
    return fail(error, ExitStatus::Usage);
  } catch (const std::exception& error) {
    return fail(error, ExitStatus::Found);
  }
  return static_cast<int>(exit_status);
}

void require_tenant(const std::string& tenant) {
  if (tenant.empty() || policy::is_tenant(tenant)) return;
  throw CommandError(ExitStatus::Usage, "--tenant: expected 1 to 64 of A-Z a-z 0-9 . _ : -");
}

std::string alternatives(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += names[i];
  }
  return list;
}

}  // namespace glyphward::daemon
