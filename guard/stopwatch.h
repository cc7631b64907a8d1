// Durations for a row's timings.
#pragma once

#include <chrono>

namespace glyphward::guard {

// Runs from the moment it is made.
class Stopwatch {
 public:
  double milliseconds() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace glyphward::guard
