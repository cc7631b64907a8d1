// What is wrong with a policy, and where.
#pragma once

#include <filesystem>
#include <string>

namespace glyphward::policy {

// A place in a file: line and column (in characters) from 1; 0 where they are unknown.
struct Place {
  int line = 0;
  int column = 0;
};

// What is wrong with a policy or with a file that it names.
struct Problem {
  std::filesystem::path file;
  Place place;
  std::string key;  // "rule.severity_min"; empty where none is at fault
  std::string message;
  bool remark = false;  // the policy can be loaded all the same, but hardly does what was meant
};
std::string to_string(const Problem& problem);  // "FILE:LINE:COLUMN: KEY: MESSAGE"

}  // namespace glyphward::policy
