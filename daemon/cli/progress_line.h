// One line on standard error that fills up while pictures or steps are made; nothing where standard
// error is no terminal.
#pragma once

#include <string>
#include <string_view>

#include "base/stopwatch.h"

namespace glyphward::daemon {

class ProgressLine {
 public:
  // `unit`: what is counted.
  explicit ProgressLine(std::string unit = "pictures", bool wanted = true);
  ~ProgressLine();  // takes the line away
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Draws the bar anew, with the time left if the rest goes on as it went so far. `note`: what is
  // being done; may be empty.
  void show(int done, int total, std::string_view note = "");

 private:
  const std::string unit_;
  const bool shown_;
  const Stopwatch watch_;
  bool drawn_ = false;
};

}  // namespace glyphward::daemon
