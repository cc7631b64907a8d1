// One line on standard error that fills up; nothing where that is no terminal.
#pragma once

#include <string>
#include <string_view>

#include "daemon/cli/measure.h"

namespace glyphward::daemon {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();  // takes the line away
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `note` stands behind the bar: what is being done.
  void show(int done, int total, std::string_view note);

 private:
  const bool shown_;
  const Stopwatch watch_;
  bool drawn_ = false;
};

}  // namespace glyphward::daemon
