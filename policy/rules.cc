#include "policy/rules.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "base/config_error.h"

namespace glyphward::policy {
namespace {

const std::vector<std::string> kCategories = {
    "profanity", "sexual", "insult", "racial", "religious", "lgbtq", "ableist", "hate", "violence"};

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

std::string suggestion(std::string_view found, const std::vector<std::string>& known) {
  const auto nearest =
      std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
        return edit_distance(found, a) < edit_distance(found, b);
      });
  if (nearest == known.end() ||
      edit_distance(found, *nearest) > std::max<std::size_t>(2, found.size() / 3))
    return {};
  return "; did you mean '" + *nearest + "'?";
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

class Reader {
 public:
  explicit Reader(std::filesystem::path file) : file_(std::move(file)) {}

  PolicyFile read() {
    PolicyFile policy;
    policy.content = read_text(file_);
    toml::table root;
    try {
      root = toml::parse(policy.content, file_.string());
    } catch (const toml::parse_error& error) {
      fail(error.source(), "", std::string(error.description()));
    }
    check_keys(root, {"lexicons", "default_action", "substitution", "rule", "verification"}, "");
    for (const std::string& name : strings(root, "lexicons", {}))
      policy.lexicons.push_back(beside(name));
    if (policy.lexicons.empty())
      fail(root.source(), "lexicons", "expected at least one lexicon file, found none");
    if (const toml::node* node = root.get("default_action"))
      choice(*node, "default_action", {"allow", "review", "block"});
    policy.default_action = action(root, "default_action", Action::Allow);
    Substitute substitute;
    if (const toml::table* table = sub_table(root, "substitution")) {
      check_keys(*table, {"strategy", "word", "category", "words", "length_min", "length_max"},
                 "substitution");
      substitute = read_substitute(*table, substitute);
      if (const auto words = text(*table, "words")) policy.words = beside(*words);
      policy.length_min = static_cast<std::size_t>(number(*table, "length_min", 3, 3, 32));
      policy.length_max = static_cast<std::size_t>(number(*table, "length_max", 8, 3, 32));
      if (policy.length_min > policy.length_max) {
        fail(table->source(), "length_min",
             "expected at most length_max (" + std::to_string(policy.length_max) + "), found " +
                 std::to_string(policy.length_min));
      }
    }
    read_rules(root, substitute, policy);
    if (const toml::table* table = sub_table(root, "verification"))
      read_verification(*table, policy.verification);
    const bool harmless =
        std::any_of(policy.rules.begin(), policy.rules.end(),
                    [](const Rule& rule) { return rule.action == Action::Substitute; });
    if (harmless && policy.words.empty()) {
      fail(root.source(), "substitution.words",
           "expected a word list, which rules that substitute need; found none");
    }
    return policy;
  }

 private:
  [[noreturn]] void fail(const toml::source_region& at, const std::string& field,
                         const std::string& message) const {
    const std::string column =
        at.begin.column > 0 ? "column " + std::to_string(at.begin.column) + ": " : "";
    throw ConfigError(file_, static_cast<int>(at.begin.line), field, column + message);
  }

  std::filesystem::path beside(const std::string& name) const {
    return (file_.parent_path() / name).lexically_normal();
  }

  void check_keys(const toml::table& table, const std::vector<std::string>& known,
                  const std::string& where) const {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      fail(key.source(), where.empty() ? name : where + "." + name,
           "unknown key" + suggestion(name, known) + " Known here: " + joined(known));
    }
  }

  const toml::table* sub_table(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table())
      fail(node->source(), std::string(key), "expected a table, found " + kind(*node));
    return node->as_table();
  }

  static std::string kind(const toml::node& node) {
    std::ostringstream out;
    out << node.type();
    return out.str();
  }

  std::optional<std::string> text(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_string())
      fail(node->source(), std::string(key), "expected a string, found " + kind(*node));
    return node->as_string()->get();
  }

  bool boolean(const toml::table& table, std::string_view key, bool otherwise) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    if (!node->is_boolean())
      fail(node->source(), std::string(key), "expected true or false, found " + kind(*node));
    return node->as_boolean()->get();
  }

  int number(const toml::table& table, std::string_view key, int otherwise, int min,
             int max) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    const std::string expected =
        "expected a whole number from " + std::to_string(min) + " to " + std::to_string(max);
    if (!node->is_integer())
      fail(node->source(), std::string(key), expected + ", found " + kind(*node));
    const std::int64_t value = node->as_integer()->get();
    if (value < min || value > max) {
      fail(node->source(), std::string(key), expected + ", found " + std::to_string(value));
    }
    return static_cast<int>(value);
  }

  // One of the known words; `known` empty: any.
  std::string choice(const toml::node& node, std::string_view key,
                     const std::vector<std::string>& known) const {
    if (!node.is_string())
      fail(node.source(), std::string(key), "expected a string, found " + kind(node));
    std::string value = node.as_string()->get();
    if (!known.empty() && std::find(known.begin(), known.end(), value) == known.end()) {
      fail(node.source(), std::string(key),
           "expected one of " + joined(known) + ", found '" + value + "'" +
               suggestion(value, known));
    }
    return value;
  }

  std::vector<std::string> strings(const toml::table& table, std::string_view key,
                                   const std::vector<std::string>& known) const {
    std::vector<std::string> result;
    const toml::node* node = table.get(key);
    if (node == nullptr) return result;
    if (!node->is_array())
      fail(node->source(), std::string(key), "expected a list of strings, found " + kind(*node));
    for (const toml::node& item : *node->as_array()) result.push_back(choice(item, key, known));
    // A list that is there but empty would match everything where nothing was meant.
    if (result.empty())
      fail(node->source(), std::string(key), "expected at least one entry, found an empty list");
    return result;
  }

  Action action(const toml::table& table, std::string_view key,
                std::optional<Action> otherwise) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
      if (otherwise) return *otherwise;
      fail(table.source(), std::string(key),
           "expected allow, substitute, review or block; found no such key");
    }
    const std::string name = choice(*node, key, {"allow", "substitute", "review", "block"});
    for (const Action candidate :
         {Action::Allow, Action::Substitute, Action::Review, Action::Block}) {
      if (to_string(candidate) == name) return candidate;
    }
    return Action::Block;
  }

  Substitute read_substitute(const toml::table& table, Substitute result) const {
    if (const toml::node* node = table.get("strategy")) {
      const std::string name = choice(*node, "strategy", {"harmless", "fixed", "category"});
      result.strategy = name == "harmless" ? Strategy::Harmless
                        : name == "fixed"  ? Strategy::Fixed
                                           : Strategy::Category;
    }
    if (const auto word = text(table, "word")) result.word = *word;
    if (const toml::table* categories = sub_table(table, "category")) {
      check_keys(*categories, kCategories, "category");
      for (const auto& [key, node] : *categories)
        result.category[std::string(key.str())] = choice(node, key.str(), {});
    }
    if (result.strategy == Strategy::Fixed && result.word.empty()) {
      fail(table.source(), "word", "expected the word that strategy \"fixed\" writes, found none");
    }
    if (result.strategy == Strategy::Category && result.category.empty()) {
      fail(table.source(), "category",
           "expected a table of words by category for strategy \"category\", found none");
    }
    return result;
  }

  void read_rules(const toml::table& root, const Substitute& substitute, PolicyFile& policy) const {
    const toml::node* node = root.get("rule");
    if (node == nullptr) return;
    if (!node->is_array_of_tables())
      fail(node->source(), "rule", "expected tables [[rule]], found " + kind(*node));
    std::set<std::string> names;
    for (const toml::node& item : *node->as_array()) {
      const toml::table& table = *item.as_table();
      check_keys(table,
                 {"name", "categories", "terms", "languages", "severity_min", "severity_max",
                  "where", "action", "observe", "strategy", "word", "category"},
                 "rule");
      Rule rule;
      rule.name = text(table, "name").value_or("");
      if (rule.name.empty()) fail(table.source(), "rule.name", "expected a name, found none");
      if (!names.insert(rule.name).second)
        fail(table.source(), "rule.name", "'" + rule.name + "' is taken by another rule");
      rule.categories = strings(table, "categories", kCategories);
      rule.terms = strings(table, "terms", {});
      rule.languages = strings(table, "languages", {});
      rule.severity_min = number(table, "severity_min", 0, 0, 7);
      rule.severity_max = number(table, "severity_max", 7, 0, 7);
      if (rule.severity_min > rule.severity_max) {
        fail(table.source(), "rule.severity_min",
             "expected at most severity_max, found " + std::to_string(rule.severity_min));
      }
      if (const toml::node* where = table.get("where")) {
        rule.anywhere = choice(*where, "where", {"rendered", "anywhere"}) == "anywhere";
      }
      rule.action = action(table, "action", std::nullopt);
      rule.observe = boolean(table, "observe", false);
      rule.substitute = read_substitute(table, substitute);
      policy.rules.push_back(std::move(rule));
    }
  }

  void read_verification(const toml::table& table, Verification& verification) const {
    check_keys(table, {"severity_min", "uninspectable", "redact"}, "verification");
    verification.severity_min = number(table, "severity_min", verification.severity_min, 0, 7);
    verification.redact = boolean(table, "redact", verification.redact);
    if (const toml::node* node = table.get("uninspectable")) {
      choice(*node, "uninspectable", {"allow", "review", "block"});
      verification.uninspectable = action(table, "uninspectable", Action::Block);
    }
  }

  std::filesystem::path file_;
};

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::Allow:
      return "allow";
    case Action::Substitute:
      return "substitute";
    case Action::Review:
      return "review";
    case Action::Block:
      return "block";
  }
  return "block";
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw ConfigError(file, 0, "", "expected a readable file, found none");
  std::ostringstream content;
  content << stream.rdbuf();
  if (stream.bad()) throw ConfigError(file, 0, "", "cannot be read");
  return content.str();
}

PolicyFile read_policy_file(const std::filesystem::path& file) { return Reader(file).read(); }

}  // namespace glyphward::policy
