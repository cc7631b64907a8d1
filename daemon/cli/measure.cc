#include "daemon/cli/measure.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace glyphward::daemon {

// E. B. Wilson, Probable inference, 1927: unlike p ± z·sqrt(p(1-p)/n) it stays within 0 and 1, and
// says something of shares of 0 and 1 too.
Interval wilson(const Share& share) {
  if (share.of == 0) return {};
  constexpr double kZ = 1.959964;
  const double n = share.of;
  const double p = share.value();
  const double scale = 1 + kZ * kZ / n;
  const double middle = (p + kZ * kZ / (2 * n)) / scale;
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / scale;
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values.at(std::min(index, values.size() - 1));
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

double resident_mib(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  return 0;
}

}  // namespace glyphward::daemon
