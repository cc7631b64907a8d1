// glyphward bench: what measures. Needs no daemon.
#include "daemon/cli/bench/bench_command.h"

namespace glyphward::daemon {

void add_bench(Command& bench) {
  add_bench_lexicon(bench);
  add_bench_bundled(bench);
}

}  // namespace glyphward::daemon
