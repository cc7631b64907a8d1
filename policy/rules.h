// The policy file as values: what docs/POLICY.md describes, read and checked, nothing decided yet.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace glyphward::policy {

enum class Strategy { Harmless, Fixed, Category };

struct Substitute {
  Strategy strategy = Strategy::Harmless;
  std::string word;  // for Fixed, and for Category where the category has none
  std::map<std::string, std::string> category;  // for Category
};

struct Rule {
  std::string name;
  // What it matches; an empty list matches anything.
  std::vector<std::string> categories;
  std::vector<std::string> terms;
  std::vector<std::string> languages;
  int severity_min = 0;
  int severity_max = 7;
  bool anywhere = false;  // in the whole prompt; otherwise in the text to be rendered alone
  // What it does.
  Action action = Action::Allow;
  bool observe = false;
  Substitute substitute;
};

struct PolicyFile {
  std::string content;
  std::vector<std::filesystem::path>
      lexicons;  // absolute, or relative to the working folder as the file was given
  std::filesystem::path words;
  std::size_t length_min = 3;
  std::size_t length_max = 8;
  std::vector<Rule> rules;
  Action default_action = Action::Allow;
  Verification verification;
};

// Throws ConfigError naming file, line, key and column; a misspelt key with the key that was
// probably meant.
PolicyFile read_policy_file(const std::filesystem::path& file);

// The whole file; throws ConfigError if it cannot be read.
std::string read_text(const std::filesystem::path& file);

}  // namespace glyphward::policy
