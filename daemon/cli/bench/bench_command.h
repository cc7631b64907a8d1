// The parts of `glyphward bench`.
#pragma once

#include "daemon/cli/command.h"

namespace glyphward::daemon {

void add_bench_lexicon(Command& bench);
void add_bench_bundled(Command& bench);

}  // namespace glyphward::daemon
