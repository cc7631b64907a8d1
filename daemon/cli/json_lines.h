// JSON Lines, as cases, prompt pairs, labelled texts and exported decisions reach a command: a JSON
// object per line. Every complaint is a ConfigError "FILE:LINE: KEY: MESSAGE".
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <istream>
#include <string>

namespace glyphward::daemon {

struct JsonLinesForm {
  std::string of_line = {};     // goes on "expected a JSON object"
  std::string if_missing = {};  // goes on "cannot be read": what to do then
  bool any_bytes = false;       // strings need not be UTF-8
};

class JsonLines {
 public:
  // "-" is standard input. Throws ConfigError if the file cannot be opened.
  explicit JsonLines(const std::filesystem::path& file, JsonLinesForm form = {});

  // Moves to the next line; false after the last. Blank lines are left out. Throws ConfigError if
  // the line is no JSON object, or cannot be read.
  bool next();

  // Of the current line, until next().
  const boost::json::object& object() const { return object_; }
  bool has(const char* key) const { return object_.contains(key); }
  // Fails with "expected EXPECTED, found ..." where the key is missing or holds something else.
  template <typename T>
  T get(const char* key, const std::string& expected) const {
    const boost::json::value* value = object_.if_contains(key);
    if (value == nullptr) fail(key, "expected " + expected + ", found none");
    auto result = boost::json::try_value_to<T>(*value);
    if (!result) fail(key, "expected " + expected + ", found " + boost::json::serialize(*value));
    return *std::move(result);
  }
  std::string text(const char* key) const { return get<std::string>(key, "a text"); }
  // Throws ConfigError; `key` may be empty.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

 private:
  const std::filesystem::path file_;
  const JsonLinesForm form_;
  std::ifstream opened_;
  std::istream& in_;
  int number_ = 0;
  boost::json::object object_;
};

}  // namespace glyphward::daemon
