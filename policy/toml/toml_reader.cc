#include "policy/toml/toml_reader.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/config_error.h"

namespace glyphward::policy {
namespace {

// A file with more of them is no policy with typing errors.
constexpr int kSyntaxErrorsMax = 20;
constexpr std::size_t kSuggestedMax = 64;  // no key or word of ours is so long

// Steps from one word to the other by inserting, deleting, changing or swapping letters.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// The line's bytes [start, end), its end not among them.
std::pair<std::size_t, std::size_t> line_range(const std::string& content, std::size_t line) {
  std::size_t start = 0;
  for (std::size_t i = 1; i < line && start < content.size(); ++i) {
    const std::size_t end = content.find('\n', start);
    start = end == std::string::npos ? content.size() : end + 1;
  }
  return {start, std::min(content.find('\n', start), content.size())};
}

}  // namespace

std::string suggestion(std::string_view found, const std::vector<std::string>& known) {
  if (found.size() > kSuggestedMax) return {};
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(2, found.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t apart = candidate.size() > found.size() ? candidate.size() - found.size()
                                                              : found.size() - candidate.size();
    if (apart >= least) continue;
    if (const std::size_t distance = edit_distance(found, candidate); distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest.empty() ? std::string() : "; did you mean '" + std::string(nearest) + "'?";
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

TomlReader::TomlReader(std::filesystem::path file, std::string content) : file_(std::move(file)) {
  parse(std::move(content));
}

// The parser stops at the first error. Its line is blanked and the rest is tried again, as long as
// that makes sense: without a table's header the keys under it would be taken for another's.
void TomlReader::parse(std::string content) {
  for (int errors = 0; errors < kSyntaxErrorsMax; ++errors) {
    try {
      root_ = toml::parse(content, file_.string());
      return;
    } catch (const toml::parse_error& error) {
      note(error.source(), "", std::string(error.description()));
      has_gaps_ = true;
      const auto [start, end] = line_range(content, error.source().begin.line);
      const std::size_t first = content.find_first_not_of(" \t\r", start);
      if (first >= end || content[first] == '[') return;
      std::fill(content.begin() + static_cast<std::ptrdiff_t>(start),
                content.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    }
  }
}

Place TomlReader::place_of(const toml::source_region& at) {
  return {static_cast<int>(at.begin.line), static_cast<int>(at.begin.column)};
}

void TomlReader::note(const toml::source_region& at, std::string_view key,
                      const std::string& message) {
  problems_.push_back({file_, place_of(at), std::string(key), message});
}

void TomlReader::note_missing(const toml::source_region& at, std::string_view key,
                              const std::string& message) {
  if (!has_gaps_) note(at, key, message);
}

std::string TomlReader::kind(const toml::node& node) {
  std::ostringstream out;
  out << node.type();
  return out.str();
}

void TomlReader::check_keys(const toml::table& table, const std::vector<std::string>& known,
                            std::string_view where) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    note(key.source(), where.empty() ? name : std::string(where) + "." + name,
         "unknown key" + suggestion(name, known) + " Known here: " + joined(known));
  }
}

const toml::table* TomlReader::table(const toml::table& parent, std::string_view key) {
  const toml::node* node = parent.get(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) note(node->source(), key, "expected a table, found " + kind(*node));
  return node->as_table();
}

std::optional<std::string> TomlReader::text(const toml::table& table, std::string_view key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return std::nullopt;
  return choice(*node, key, {});
}

std::optional<bool> TomlReader::boolean(const toml::table& table, std::string_view key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return std::nullopt;
  if (node->is_boolean()) return node->as_boolean()->get();
  note(node->source(), key, "expected true or false, found " + kind(*node));
  return std::nullopt;
}

std::optional<int> TomlReader::number(const toml::table& table, std::string_view key, int min,
                                      int max) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return std::nullopt;
  const std::string expected =
      "expected a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!node->is_integer()) {
    note(node->source(), key, expected + ", found " + kind(*node));
    return std::nullopt;
  }
  const std::int64_t value = node->as_integer()->get();
  if (value >= min && value <= max) return static_cast<int>(value);
  note(node->source(), key, expected + ", found " + std::to_string(value));
  return std::nullopt;
}

std::optional<double> TomlReader::real(const toml::table& table, std::string_view key, double min,
                                       double max) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return std::nullopt;
  const std::optional<double> value = node->value<double>();
  if (node->is_number() && value && *value >= min && *value <= max) return value;
  std::ostringstream message;
  message << "expected a number from " << min << " to " << max << ", found ";
  if (node->is_number() && value) {
    message << *value;
  } else {
    message << kind(*node);
  }
  note(node->source(), key, message.str());
  return std::nullopt;
}

std::optional<std::string> TomlReader::choice(const toml::node& node, std::string_view key,
                                              const std::vector<std::string>& known) {
  if (!node.is_string()) {
    note(node.source(), key, "expected a string, found " + kind(node));
    return std::nullopt;
  }
  std::string value = node.as_string()->get();
  if (known.empty() || std::find(known.begin(), known.end(), value) != known.end()) return value;
  note(node.source(), key,
       "expected one of " + joined(known) + ", found '" + value + "'" + suggestion(value, known));
  return std::nullopt;
}

std::optional<Action> TomlReader::action(const toml::table& table, std::string_view key,
                                         std::span<const Action> allowed) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return std::nullopt;
  std::vector<std::string> names;
  names.reserve(allowed.size());
  for (const Action candidate : allowed) names.emplace_back(to_string(candidate));
  const std::optional<std::string> name = choice(*node, key, names);
  for (const Action candidate : allowed) {
    if (name && to_string(candidate) == *name) return candidate;
  }
  return std::nullopt;
}

std::optional<Action> TomlReader::required_action(const toml::table& table, std::string_view key,
                                                  std::span<const Action> allowed) {
  if (!table.contains(key)) {
    std::string names;
    for (std::size_t i = 0; i < allowed.size(); ++i) {
      if (i > 0) names += i + 1 < allowed.size() ? ", " : " or ";
      names += to_string(allowed[i]);
    }
    note_missing(table.source(), key, "expected " + names + "; found no such key");
  }
  return action(table, key, allowed);
}

std::vector<TomlReader::Placed> TomlReader::strings(const toml::table& table, std::string_view key,
                                                    const std::vector<std::string>& known,
                                                    bool may_be_empty) {
  std::vector<Placed> result;
  const toml::node* node = table.get(key);
  if (node == nullptr) return result;
  if (!node->is_array()) {
    note(node->source(), key, "expected a list of strings, found " + kind(*node));
    return result;
  }
  for (const toml::node& item : *node->as_array()) {
    if (auto value = choice(item, key, known))
      result.push_back({std::move(*value), place_of(item.source())});
  }
  if (node->as_array()->empty() && !may_be_empty)
    note(node->source(), key, "expected at least one entry, found an empty list");
  return result;
}

std::vector<const toml::table*> TomlReader::tables(const toml::table& parent,
                                                   std::string_view key) {
  std::vector<const toml::table*> result;
  const toml::node* node = parent.get(key);
  if (node == nullptr) return result;
  if (!node->is_array_of_tables()) {
    note(node->source(), key, "expected tables [[" + std::string(key) + "]], found " + kind(*node));
    return result;
  }
  for (const toml::node& item : *node->as_array()) result.push_back(item.as_table());
  return result;
}

void throw_first(const std::vector<Problem>& problems) {
  const Problem& first = problems.front();
  std::string message = first.message;
  if (first.place.column > 0)
    message = "column " + std::to_string(first.place.column) + ": " + message;
  if (problems.size() > 1) {
    message += " (" + std::to_string(problems.size() - 1) +
               " more problems: `glyphward policy check` lists them)";
  }
  throw ConfigError(first.file, first.place.line, first.key, message);
}

}  // namespace glyphward::policy
