// glyphward: the command line.
#include "daemon/cli/command.h"

namespace {

// In the order of --help.
constexpr glyphward::daemon::CommandEntry kCommands[] = {
    {"generate", "Draw a picture whose text is guarded", glyphward::daemon::add_generate},
    {"check", "What the policy would do with a prompt", glyphward::daemon::add_check},
    {"audit", "What was decided, and whether the log is whole", glyphward::daemon::add_audit},
    {"lexicon", "Look words up, and work on lists of terms", glyphward::daemon::add_lexicon},
    {"localize",
     "Find the layers that carry rendered text, and write them to the model's glyphward.json",
     glyphward::daemon::add_localize},
    {"models", "Look into image models", glyphward::daemon::add_models},
    {"policy", "Check, test, explain and compare policies", glyphward::daemon::add_policy},
    {"bench", "Measure the lexicon, or a model in the box", glyphward::daemon::add_bench},
    {"status", "Is the daemon ready, and if not, why", glyphward::daemon::add_status}};

}  // namespace

// What is not caught below ends the process. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  return glyphward::daemon::run_command_line(kCommands, argc, argv);
}
