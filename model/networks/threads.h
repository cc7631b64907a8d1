// How many threads the model's operators run on.
#pragma once

namespace glyphward::model {

// For the whole process, and before the first model is loaded. `count` is 1 or more.
void set_threads(int count);

// Without set_threads(): as OMP_NUM_THREADS says, else one for each core.
int threads();

}  // namespace glyphward::model
