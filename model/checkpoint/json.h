// The JSON files of a checkpoint.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <string>

namespace glyphward::model {

// Reads a file that must be one JSON object of at most 16 MiB; Python's NaN and infinities read as
// null. Throws ConfigError.
boost::json::object load_json_object(const std::filesystem::path& file);

// A value as JSON for an error message, cut where it is long.
std::string quote(const boost::json::value& value);

}  // namespace glyphward::model
