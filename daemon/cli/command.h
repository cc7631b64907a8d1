// The commands of `glyphward`, one file each: daemon/cli/<room>/<name>_command.cc, whose
// add_<name>() declares the command's options and what runs it. Command and Option are CLI11 seen
// through a keyhole: its header costs four seconds in every source that includes it, so that
// command.cc alone does.
//
// A new command: its file, listed in daemon/cli/CMakeLists.txt; its add function, declared at the
// end of this header; a line in the table of daemon/glyphward.cc; a section in
// docs/man/glyphward.1; its options in docs/completion/. tests/daemon/cli/completion_test.py fails
// where one of them is missing.
#pragma once

#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace glyphward::daemon {

// What `glyphward` exits with; docs/man/glyphward.1 lists them.
enum class ExitStatus {
  Ok = 0,
  // The command ran and found what it looks for: a flagged text, a broken chain. Or it failed.
  Found = 1,
  // The command line, or a file named on it, is wrong.
  Usage = 2,
  // By the policy, or because a picture did not pass its verification.
  Refused = 3,
  // No daemon, or it cannot work now.
  Unavailable = 4,
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

// What an option's value must be. A command line that breaks it ends with ExitStatus::Usage before
// anything runs.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& required();
  Option& one_of(const std::vector<std::string>& names);
  Option& within(int low, int high);  // both may be taken
  Option& existing_file();
  Option& existing_folder();
  Option& values(int fewest, int most);  // of an option or argument that holds several
  Option& one_value_each();  // --set A --set B, so that an argument may follow: not --set A B

 private:
  CLI::Option* option_;
};

// A command while it is declared. What the references name must live until the command has run:
// hold it by the function given to runs().
class Command {
 public:
  Command(CLI::App* app, ExitStatus* exit_status) : app_(app), exit_status_(exit_status) {}

  // A command below this one, as `list` is of `audit`. A command that has parts needs one of them.
  Command part(const std::string& name, const std::string& what);
  // An older name that still works.
  void also_called(const std::string& name);

  // "--limit", "-o,--output", or without a dash an argument. T: std::string, a vector of them, int,
  // std::int64_t, std::uint64_t, or an optional int or double.
  template <typename T>
  Option option(const std::string& names, T& value, const std::string& what);
  void flag(const std::string& names, bool& value, const std::string& what);
  // Below the options in --help.
  void footer(const std::string& text);

  // Runs once the whole command line has been read; may throw CommandError, ConfigError (taken for
  // a wrong file: Usage) and whatever else ends a command (Found).
  void runs(std::function<ExitStatus()> run);

 private:
  CLI::App* app_;
  ExitStatus* exit_status_;
};

struct CommandEntry {
  const char* name;
  const char* what;  // in --help
  void (*add)(Command& command);
};

// The program: reads the command line, runs the command that it names, and says on standard error
// why one failed. The process's exit status.
int run_command_line(std::span<const CommandEntry> commands, int argc, char** argv);

// Of --tenant; empty is good too. Throws CommandError.
void require_tenant(const std::string& tenant);

// "a, b or c", for --help.
std::string alternatives(const std::vector<std::string>& names);

void add_audit(Command& command);
void add_bench(Command& command);
void add_check(Command& command);
void add_generate(Command& command);
void add_lexicon(Command& command);
void add_localize(Command& command);
void add_models(Command& command);
void add_policy(Command& command);
void add_status(Command& command);

}  // namespace glyphward::daemon
