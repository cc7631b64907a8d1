#include "daemon/cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace glyphward::daemon {

ProgressLine::ProgressLine(std::string unit, bool wanted)
    : unit_(std::move(unit)), shown_(wanted && ::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::show(int done, int total, std::string_view note) {
  if (!shown_ || total <= 0 || done <= 0) return;
  constexpr int kWidth = 30;
  const int filled = std::min(kWidth, done * kWidth / total);
  fmt::print(stderr, "\r\033[K[{:#<{}}{: <{}}] {}/{} {}, about {:.0f} s left{}{}", "", filled, "",
             kWidth - filled, done, total, unit_, watch_.seconds() * (total - done) / done,
             note.empty() ? "" : "; ", note);
  drawn_ = true;
}

}  // namespace glyphward::daemon
