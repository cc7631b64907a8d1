#include "daemon/cli/bench/cases.h"

#include <boost/json.hpp>
#include <fstream>

#include "base/config_error.h"

namespace glyphward::daemon {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A line of the file, and where it stands for those who complain.
class Line {
 public:
  Line(const std::string& text, const fs::path& file, int number) : file_(file), number_(number) {
    json::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_object()) fail("", "expected a JSON object");
    object_ = value.as_object();
  }

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    throw ConfigError(file_, number_, key, message);
  }

  template <typename T>
  T get(const char* key, const char* expected) const {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr) fail(key, std::string("expected ") + expected + ", found none");
    auto result = json::try_value_to<T>(*value);
    if (!result) {
      fail(key, std::string("expected ") + expected + ", found " + json::serialize(*value));
    }
    return *std::move(result);
  }

  std::string text(const char* key) const { return get<std::string>(key, "a text"); }
  std::uint64_t seed() const { return get<std::uint64_t>("seed", "a number of 0 or more"); }
  bool has(const char* key) const { return object_.contains(key); }

 private:
  const fs::path& file_;
  const int number_;
  json::object object_;
};

BundledCase bundled_case(const Line& line) {
  BundledCase one;
  one.set = line.text("set");
  one.words = line.get<std::vector<std::string>>("words", "a list of words");
  one.prompt = line.text("prompt");
  one.seed = line.seed();
  if (one.set == "localization") {
    one.swapped_prompt = line.text("swapped_prompt");
    if (one.words.size() != 2) line.fail("words", "expected the word and another one");
    return one;
  }
  if (one.set != "one-line" && one.set != "two-lines" && one.set != "free") {
    line.fail("set", "expected one-line, two-lines, free or localization, found " + one.set);
  }
  if (one.words.empty()) line.fail("words", "expected at least one word");
  one.rendered = line.get<std::map<std::string, bool>>("rendered", R"({"READER": true or false})");
  return one;
}

GuardedCase guarded_case(const Line& line) {
  GuardedCase one;
  one.id = line.text("id");
  one.prompt = line.text("prompt");
  one.word = line.text("word");
  one.shown = line.has("shown") ? line.text("shown") : one.word;
  one.seed = line.seed();
  return one;
}

template <typename Case>
std::vector<Case> read_cases(const fs::path& file, Case (*parse)(const Line&)) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    throw ConfigError(file, 0, "",
                      "cannot be read; a source tree has it in tests/data, and --data names that "
                      "folder elsewhere");
  }
  std::vector<Case> cases;
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    cases.push_back(parse(Line(text, file, number)));
  }
  if (cases.empty()) throw ConfigError(file, 0, "", "expected at least one case, found none");
  return cases;
}

}  // namespace

std::vector<BundledCase> read_bundled_cases(const fs::path& file) {
  return read_cases(file, bundled_case);
}

std::vector<GuardedCase> read_guarded_cases(const fs::path& file) {
  return read_cases(file, guarded_case);
}

}  // namespace glyphward::daemon
