// What the measuring commands share: median, memory, a share of cases.
#pragma once

#include <string_view>
#include <vector>

namespace glyphward::daemon {

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

// Where the true share lies with 95 % confidence, by Wilson's score: of a share of no cases,
// anywhere.
struct Interval {
  double low = 0;
  double high = 1;
};
Interval wilson(const Share& share);

// The value that so large a share of the values does not exceed; they must not be empty.
double percentile(std::vector<double> values, double share);

// Of an even number of values the lower of the two in the middle; 0 of none.
double median(std::vector<double> values);

// The process's resident memory in MiB: "VmRSS" now, "VmHWM" at its highest. 0 where /proc does not
// say.
double resident_mib(std::string_view field);

}  // namespace glyphward::daemon
