// What the tests of policies share: the shipped policy, and policies of a test's own.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "policy/policy.h"

namespace glyphward::policy {

inline const std::filesystem::path kRoot = GLYPHWARD_SOURCE_DIR;

inline const Policy& shipped() {
  static const std::shared_ptr<const Policy> policy = Policy::load(kRoot / "policy/default.toml");
  return *policy;
}

inline Decision decide(const Policy& policy, std::string_view prompt,
                       std::string_view tenant = "") {
  return policy.decide(prompt, policy.analyze(prompt), tenant);
}

// A policy of its own beside the shipped lists.
class TemporaryPolicy {
 public:
  explicit TemporaryPolicy(const std::string& rules) {
    static int count = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("glyphward-policy-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(folder_);
    const std::string lists = (kRoot / "lexicon").string();
    std::ofstream(folder_ / "policy.toml")
        << "lexicons = [\"" << lists << "/default.tsv\", \"" << lists << "/allow.tsv\"]\n"
        << rules;
    std::filesystem::copy_file(kRoot / "policy/harmless.txt", folder_ / "harmless.txt");
  }
  ~TemporaryPolicy() { std::filesystem::remove_all(folder_); }
  std::filesystem::path file() const { return folder_ / "policy.toml"; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace glyphward::policy
