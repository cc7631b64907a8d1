// Reads the tables of a TOML file key by key, and keeps every problem with its place instead of
// stopping at the first. A value that is missing or wrong reads as nothing. One thread per reader.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/decision.h"
#include "policy/toml/problem.h"

namespace glyphward::policy {

// "; did you mean 'X'?" for the word of `known` that `found` was probably meant to be, else empty.
std::string suggestion(std::string_view found, const std::vector<std::string>& known);
std::string joined(const std::vector<std::string>& words);  // "a, b, c"

class TomlReader {
 public:
  // A line that is not TOML is noted and left out, so that the others are still read.
  TomlReader(std::filesystem::path file, std::string content);

  const toml::table& root() const { return root_; }
  const std::filesystem::path& file() const { return file_; }
  std::vector<Problem>& problems() { return problems_; }

  void note(const toml::source_region& at, std::string_view key, const std::string& message);
  // The same for what is missing; not noted if it may be in a line that was left out.
  void note_missing(const toml::source_region& at, std::string_view key,
                    const std::string& message);

  // Notes each key of the table that is not known. `where` is the table's name, empty for the root.
  void check_keys(const toml::table& table, const std::vector<std::string>& known,
                  std::string_view where);

  // Null, or nothing, where the key is absent or its value is of another type, which is noted.
  const toml::table* table(const toml::table& parent, std::string_view key);
  std::optional<std::string> text(const toml::table& table, std::string_view key);
  std::optional<bool> boolean(const toml::table& table, std::string_view key);
  std::optional<int> number(const toml::table& table, std::string_view key, int min, int max);
  std::optional<double> real(const toml::table& table, std::string_view key, double min,
                             double max);
  std::optional<Action> action(const toml::table& table, std::string_view key,
                               std::span<const Action> allowed);
  // The same for a key that must be there: its absence is noted too.
  std::optional<Action> required_action(const toml::table& table, std::string_view key,
                                        std::span<const Action> allowed);

  // A string, one of `known` unless that is empty.
  std::optional<std::string> choice(const toml::node& node, std::string_view key,
                                    const std::vector<std::string>& known);

  // A list of strings, which must not be empty unless `may_be_empty`: a rule's would match
  // everything where nothing was meant.
  struct Placed {
    std::string value;
    Place place;
  };
  std::vector<Placed> strings(const toml::table& table, std::string_view key,
                              const std::vector<std::string>& known, bool may_be_empty = false);

  // The tables of [[key]]; empty if there is none.
  std::vector<const toml::table*> tables(const toml::table& parent, std::string_view key);

  static Place place_of(const toml::source_region& at);
  static std::string kind(const toml::node& node);  // "string", "integer", ...

 private:
  void parse(std::string content);

  std::filesystem::path file_;
  toml::table root_;
  std::vector<Problem> problems_;
  bool has_gaps_ = false;  // lines were left out
};

// Throws ConfigError with the first problem and the number of the others. There must be one.
[[noreturn]] void throw_first(const std::vector<Problem>& problems);

}  // namespace glyphward::policy
