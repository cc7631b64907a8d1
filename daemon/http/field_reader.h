// A JSON body, read strictly: every field has its type, and no field is unknown. Pure; one reader
// per body.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/api_error.h"

namespace glyphward::daemon {

// For messages: "null", "a whole number", "an object", ...
std::string kind_of(const boost::json::value& value);

// 400 that names the field; the message begins with its name.
ApiError invalid(const std::string& param, const std::string& message,
                 const std::string& code = "invalid_value");

// 400 invalid_json where the body is not one JSON object, or is nested more than 16 deep. Strings
// keep invalid UTF-8: the screening finds it and names the field, where a parser names an offset.
ApiResult<boost::json::object> parse_object(std::string_view body);

// Reads an object field by field, keeps the first fault, and knows in the end which fields nobody
// asked for. A field that is null is as absent. The names that are asked for must outlive the
// reader, and so must the object.
class FieldReader {
 public:
  explicit FieldReader(const boost::json::object& object) : object_(object) {}

  const boost::json::value* field(std::string_view name);     // null where it is absent
  const boost::json::value* required(std::string_view name);  // a fault where it is absent

  // Where the field is absent or of another type, `target` stays and nothing is returned.
  void text(std::string_view name, std::string& target);
  std::optional<int> whole(std::string_view name);
  std::optional<double> number(std::string_view name);

  void wrong_type(std::string_view name, std::string_view expected,
                  const boost::json::value& found);
  void fault(ApiError error);

  // The first fault, or that of a field that nobody asked for.
  std::optional<ApiError> finish();

 private:
  const boost::json::object& object_;
  std::vector<std::string_view> known_;
  std::optional<ApiError> fault_;
};

}  // namespace glyphward::daemon
