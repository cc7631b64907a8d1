// What `glyphward bench bundled` draws: the files in tests/data/bundled/ and tests/data/guarded/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::daemon {

// A line of cases.jsonl, which model/bundled/recipe/measure/cases.py writes.
struct BundledCase {
  std::string set;                 // "one-line", "two-lines", "free", "localization"
  std::vector<std::string> words;  // to be read, line by line; in "localization" the word and
                                   // the one that takes its place
  std::string prompt;
  std::string swapped_prompt;  // "localization" alone: the prompt with the other word
  std::uint64_t seed = 0;
  std::map<std::string, bool> rendered;  // does the reader of this name read the rendered
                                         // counterpart exactly? Not in "localization".
};

// A line of toxic.jsonl or clean.jsonl.
struct GuardedCase {
  std::string id;
  std::string prompt;
  std::string word;   // the toxic word, or what a clean prompt has drawn
  std::string shown;  // how the prompt spells it
  std::uint64_t seed = 0;
};

// Both throw ConfigError naming file, line and key; also where the file holds no case.
std::vector<BundledCase> read_bundled_cases(const std::filesystem::path& file);
std::vector<GuardedCase> read_guarded_cases(const std::filesystem::path& file);

// At most `limit` of them, evenly spread; all where it is 0.
template <typename Case>
std::vector<Case> spread(const std::vector<Case>& cases, std::size_t limit) {
  if (limit == 0 || cases.size() <= limit) return cases;
  std::vector<Case> chosen;
  for (std::size_t i = 0; i < limit; ++i) chosen.push_back(cases[i * cases.size() / limit]);
  return chosen;
}

}  // namespace glyphward::daemon
