#include "daemon/http/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <limits>

namespace glyphward::daemon {
namespace json = boost::json;

std::string kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "a whole number";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      break;
  }
  return "an object";
}

ApiError invalid(const std::string& param, const std::string& message, const std::string& code) {
  return {400, kInvalidRequest, code, param + ": " + message, param};
}

ApiResult<json::object> parse_object(std::string_view body) {
  json::parse_options options;
  options.max_depth = 16;
  options.allow_invalid_utf8 = true;
  boost::system::error_code error;
  json::value value = json::parse(body, error, {}, options);
  if (error) {
    return ApiError{400, kInvalidRequest, "invalid_json",
                    "the body is not valid JSON: " + error.message()};
  }
  if (!value.is_object()) {
    return ApiError{400, kInvalidRequest, "invalid_json",
                    "the body: expected a JSON object, found " + kind_of(value)};
  }
  return std::move(value.as_object());
}

const json::value* FieldReader::field(std::string_view name) {
  known_.push_back(name);
  const json::value* value = object_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::value* FieldReader::required(std::string_view name) {
  const json::value* value = field(name);
  if (value == nullptr) {
    fault({400, kInvalidRequest, "missing_required_parameter",
           fmt::format("Missing required parameter: '{}'.", name), std::string(name)});
  }
  return value;
}

void FieldReader::text(std::string_view name, std::string& target) {
  const json::value* value = field(name);
  if (value == nullptr) return;
  if (!value->is_string()) return wrong_type(name, "a string", *value);
  target = std::string(value->as_string());
}

std::optional<int> FieldReader::whole(std::string_view name) {
  const json::value* value = field(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_int64() && !value->is_uint64()) {
    wrong_type(name, "a whole number", *value);
    return std::nullopt;
  }
  boost::system::error_code error;
  const int number = value->to_number<int>(error);
  if (error) {
    fault(invalid(std::string(name),
                  fmt::format("expected a whole number from {} to {}",
                              std::numeric_limits<int>::min(), std::numeric_limits<int>::max())));
    return std::nullopt;
  }
  return number;
}

std::optional<double> FieldReader::number(std::string_view name) {
  const json::value* value = field(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    wrong_type(name, "a number", *value);
    return std::nullopt;
  }
  return value->to_number<double>();
}

void FieldReader::wrong_type(std::string_view name, std::string_view expected,
                             const json::value& found) {
  fault(invalid(std::string(name), fmt::format("expected {}, found {}", expected, kind_of(found)),
                "invalid_type"));
}

void FieldReader::fault(ApiError error) {
  if (!fault_) fault_ = std::move(error);
}

std::optional<ApiError> FieldReader::finish() {
  for (const auto& [name, value] : object_) {
    if (fault_) break;
    if (std::find(known_.begin(), known_.end(), std::string_view(name)) != known_.end()) continue;
    const std::string shown(name.substr(0, 64));
    fault_ = ApiError{400, kInvalidRequest, "unknown_parameter",
                      fmt::format("Unknown parameter: '{}'.", shown), shown};
  }
  return fault_;
}

}  // namespace glyphward::daemon
