#include "model/networks/threads.h"

#include <ATen/Parallel.h>

namespace glyphward::model {

void set_threads(int count) { at::set_num_threads(count); }

int threads() { return at::get_num_threads(); }

}  // namespace glyphward::model
