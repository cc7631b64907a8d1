// Fuzz target: a policy file's and a cases file's TOML, from any bytes. Problems are the only way
// to say no, and each has a place in the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "policy/cases.h"
#include "policy/rules.h"

namespace {

void require_places(const std::vector<glyphward::policy::Problem>& problems) {
  for (const glyphward::policy::Problem& problem : problems) {
    if (problem.place.line < 0 || problem.place.column < 0 || problem.message.empty()) std::abort();
    if (glyphward::policy::to_string(problem).find("fuzz.toml") == std::string::npos) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  std::vector<glyphward::policy::Problem> problems;
  const auto policy = glyphward::policy::read_policy("fuzz.toml", content, problems);
  require_places(problems);
  if (problems.empty() && policy.lexicons.empty()) std::abort();
  problems.clear();
  const auto cases = glyphward::policy::read_cases("fuzz.toml", content, problems);
  require_places(problems);
  if (problems.empty() && cases.empty()) std::abort();
  for (const auto& test : cases) {
    if (test.sanitized_like) {
      glyphward::policy::matches_pattern(*test.sanitized_like, test.prompt);
    }
  }
  glyphward::policy::junit_xml("fuzz.toml", cases,
                               std::vector<glyphward::policy::CaseResult>(cases.size()));
  return 0;
}
