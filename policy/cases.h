// Tests of a policy: cases beside it, in TOML (docs/POLICY.md, "Tests").
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.h"

namespace glyphward::policy {

// A prompt, and what is expected of its decision. What is not given is not looked at.
struct Case {
  std::string name;  // the prompt if the file gives none
  Place place;
  std::string prompt;
  std::string tenant;
  Action action = Action::Allow;
  std::optional<std::string> rule;
  std::optional<bool> flagged;
  std::optional<std::vector<std::string>> findings;  // the terms found, in order of position
  std::optional<std::vector<std::string>> observed;  // the rules in observe mode that matched
  std::optional<std::string> sanitized_prompt;
  std::optional<std::string> sanitized_like;  // the same with `*` for any run of characters
};

// default.toml's cases are default.cases.toml.
std::filesystem::path cases_file(const std::filesystem::path& policy);

// Adds problems, as read_policy() does. A file without a case is a problem too.
std::vector<Case> read_cases(const std::filesystem::path& file, std::string content,
                             std::vector<Problem>& problems);

struct CaseResult {
  std::vector<std::string> failures;  // "action: expected block, found allow"; empty if it passed
  double seconds = 0;
};
CaseResult run_case(const Policy& policy, const Case& test);

// One <testsuite> in JUnit's form. `results` are those of `cases`, in order.
std::string junit_xml(const std::filesystem::path& file, const std::vector<Case>& cases,
                      const std::vector<CaseResult>& results);

// `*` in the pattern matches any run of bytes, an empty one too. Linear in practice; at most
// pattern.size() * text.size() steps.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace glyphward::policy
