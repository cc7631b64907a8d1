#include "policy/toml/problem.h"

namespace glyphward::policy {

std::string to_string(const Problem& problem) {
  if (problem.file.empty()) return problem.message;
  std::string text = problem.file.string();
  for (const int number : {problem.place.line, problem.place.column}) {
    if (number > 0) (text += ':') += std::to_string(number);
  }
  return text + ": " + (problem.key.empty() ? "" : problem.key + ": ") + problem.message;
}

}  // namespace glyphward::policy
