#include "daemon/cli/json_lines.h"

#include <iostream>
#include <utility>

#include "base/config_error.h"

namespace glyphward::daemon {
namespace json = boost::json;

JsonLines::JsonLines(const std::filesystem::path& file, JsonLinesForm form)
    : file_(file), form_(std::move(form)), in_(file == "-" ? std::cin : opened_) {
  if (file_ == "-") return;
  opened_.open(file_, std::ios::binary);
  if (!opened_) throw ConfigError(file_, 0, "", "cannot be read" + form_.if_missing);
}

bool JsonLines::next() {
  std::string line;
  do {
    if (!std::getline(in_, line)) {
      if (in_.bad()) throw ConfigError(file_, 0, "", "cannot be read");  // a folder, among others
      return false;
    }
    ++number_;
  } while (line.find_first_not_of(" \t\r") == std::string::npos);
  json::parse_options options;
  options.allow_invalid_utf8 = form_.any_bytes;
  json::error_code error;
  json::value value = json::parse(line, error, {}, options);
  if (error || !value.is_object()) fail("", "expected a JSON object" + form_.of_line);
  object_ = std::move(value.as_object());
  return true;
}

void JsonLines::fail(const std::string& key, const std::string& message) const {
  throw ConfigError(file_, number_, key, message);
}

}  // namespace glyphward::daemon
