// What the measuring commands share: clock, median, memory, a share of cases.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

namespace glyphward::daemon {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  double milliseconds() const { return 1000 * seconds(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Of so many cases, in how many something holds.
struct Share {
  int count = 0;
  int of = 0;
  void add(bool holds) {
    ++of;
    count += holds ? 1 : 0;
  }
  double value() const { return of == 0 ? 0.0 : static_cast<double>(count) / of; }
};

// Of an even number of values the lower of the two in the middle; 0 of none.
double median(std::vector<double> values);

// The process's resident memory in MiB: "VmRSS" now, "VmHWM" at its highest. 0 where /proc does not
// say.
double resident_mib(std::string_view field);

}  // namespace glyphward::daemon
