#include "daemon/cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace glyphward::daemon {

ProgressLine::ProgressLine() : shown_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::show(int done, int total, std::string_view note) {
  if (!shown_ || total <= 0 || done <= 0) return;
  constexpr int kWidth = 30;
  const int filled = std::min(kWidth, done * kWidth / total);
  fmt::print(stderr, "\r\033[K[{:#<{}}{: <{}}] {}/{} pictures, about {:.0f} s left; {}", "", filled,
             "", kWidth - filled, done, total, watch_.seconds() * (total - done) / done, note);
  drawn_ = true;
}

}  // namespace glyphward::daemon
