#include "model/checkpoint/json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

#include "base/config_error.h"
#include "base/file.h"

namespace glyphward::model {

namespace json = boost::json;

namespace {

constexpr std::uintmax_t kJsonBytesMax = 16U << 20;

// Python writes NaN and infinities (DPMSolverMultistepScheduler's lambda_min_clipped), which JSON
// has not: each becomes null, which leaves the option to its default. By hand, since std::regex
// overflows the stack on long texts.
std::string without_python_numbers(std::string_view text) {
  std::string result;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    std::string_view number;
    for (const std::string_view candidate : {"-Infinity", "Infinity", "NaN"}) {
      if (!in_string && rest.starts_with(candidate)) number = candidate;
    }
    // An escape's second character may be a quotation mark that does not end the string.
    const std::size_t used = !number.empty() ? number.size() : in_string && rest[0] == '\\' ? 2 : 1;
    if (rest[0] == '"') in_string = !in_string;
    result += number.empty() ? rest.substr(0, used) : "null";
    i += used;
  }
  return result;
}

}  // namespace

std::string quote(const json::value& value) {
  std::string text = json::serialize(value);
  if (text.size() > 80) text = text.substr(0, 80) + "...";
  return text;
}

json::object load_json_object(const std::filesystem::path& file) {
  std::error_code ec;
  json::value value = json::parse(without_python_numbers(read_file(file, kJsonBytesMax)), ec);
  if (ec) throw ConfigError(file, 0, "", "expected JSON, found: " + ec.message());
  if (!value.is_object())
    throw ConfigError(file, 0, "", "expected a JSON object, found " + quote(value));
  return std::move(value.get_object());
}

}  // namespace glyphward::model
