// The commands of `glyphward`, one file each: daemon/<name>_command.cc. A command adds its
// subcommand and sets its callback; the callback runs the command and gives its exit status by
// `exit_status`, or throws CommandError.
//
// A new command: write daemon/<name>_command.cc with `void add_<name>(CLI::App&, ExitStatus&)`,
// declare it here, list it in daemon/glyphward.cc and daemon/CMakeLists.txt.
#pragma once

#include <stdexcept>
#include <string>

namespace CLI {
class App;
}

namespace glyphward::daemon {

// What `glyphward` exits with; docs/man/glyphward.1 lists them.
enum class ExitStatus {
  Ok = 0,
  Found = 1,  // the command ran, and found what it looks for: a flagged text, a broken chain; or it
              // failed
  Usage = 2,  // the command line or a file named on it is wrong
  Refused = 3,      // by the policy, or because a picture did not pass its verification
  Unavailable = 4,  // no daemon, or it cannot work now
};

// Ends the command with one line on standard error: what, where, and what to do next.
class CommandError : public std::runtime_error {
 public:
  CommandError(ExitStatus status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

// Of --tenant; empty is good too. Throws CommandError.
void require_tenant(const std::string& tenant);

void add_audit(CLI::App& app, ExitStatus& exit_status);
void add_bench(CLI::App& app, ExitStatus& exit_status);
void add_bench_bundled(CLI::App& bench, ExitStatus& exit_status);  // a part of bench
void add_check(CLI::App& app, ExitStatus& exit_status);
void add_generate(CLI::App& app, ExitStatus& exit_status);
void add_lexicon(CLI::App& app, ExitStatus& exit_status);
void add_localize(CLI::App& app, ExitStatus& exit_status);
void add_models(CLI::App& app, ExitStatus& exit_status);
void add_policy(CLI::App& app, ExitStatus& exit_status);
void add_status(CLI::App& app, ExitStatus& exit_status);

}  // namespace glyphward::daemon
