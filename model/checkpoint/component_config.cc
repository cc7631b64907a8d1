#include "model/checkpoint/component_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/config_error.h"
#include "model/checkpoint/json.h"

namespace glyphward::model {

namespace json = boost::json;

void ComponentConfig::fail(std::string_view key, const std::string& message) const {
  throw ConfigError(file_, 0, std::string(key), message);
}

const json::value* ComponentConfig::find(std::string_view key) {
  asked_.emplace(key);
  return values_.if_contains(key);
}

bool ComponentConfig::is_null(std::string_view key) const {
  const json::value* value = values_.if_contains(key);
  return !value || value->is_null();
}

bool ComponentConfig::is_given(std::string_view key) const { return values_.contains(key); }

int ComponentConfig::to_integer(std::string_view key, const json::value& value, int min,
                                int max) const {
  // Python writes whole numbers as 1 or 1.0.
  json::error_code ec;
  const auto number = value.to_number<std::int64_t>(ec);
  if (ec || number < min || number > max) {
    fail(key,
         fmt::format("expected a whole number from {} to {}, found {}", min, max, quote(value)));
  }
  return static_cast<int>(number);
}

int ComponentConfig::integer(std::string_view key, int min, int max) {
  const json::value* value = find(key);
  if (!value)
    fail(key, fmt::format("expected a whole number from {} to {}, found no such key", min, max));
  return to_integer(key, *value, min, max);
}

int ComponentConfig::integer(std::string_view key, int min, int max, int otherwise) {
  const json::value* value = find(key);
  return value ? to_integer(key, *value, min, max) : otherwise;
}

double ComponentConfig::number(std::string_view key, double otherwise) {
  const json::value* value = find(key);
  if (!value) return otherwise;
  json::error_code ec;
  const double number = value->to_number<double>(ec);
  if (ec) fail(key, "expected a number, found " + quote(*value));
  return number;
}

bool ComponentConfig::boolean(std::string_view key, bool otherwise) {
  const json::value* value = find(key);
  if (!value) return otherwise;
  if (!value->is_bool()) fail(key, "expected true or false, found " + quote(*value));
  return value->get_bool();
}

std::string ComponentConfig::string(std::string_view key, std::string_view otherwise) {
  const json::value* value = find(key);
  if (!value) return std::string(otherwise);
  if (!value->is_string()) fail(key, "expected a string, found " + quote(*value));
  return std::string(value->get_string());
}

std::vector<std::string> ComponentConfig::strings(std::string_view key) {
  const json::value* value = find(key);
  if (!value) fail(key, "expected a list of strings, found no such key");
  if (!value->is_array() || value->get_array().empty() || value->get_array().size() > 16) {
    fail(key, "expected a list of 1 to 16 strings, found " + quote(*value));
  }
  std::vector<std::string> result;
  for (const json::value& element : value->get_array()) {
    if (!element.is_string()) fail(key, "expected a list of strings, found " + quote(*value));
    result.emplace_back(element.get_string());
  }
  return result;
}

std::vector<int> ComponentConfig::integers(std::string_view key, int min, int max) {
  const json::value* value = find(key);
  if (!value) fail(key, "expected a list of whole numbers, found no such key");
  if (!value->is_array() || value->get_array().empty() || value->get_array().size() > 16) {
    fail(key, "expected a list of 1 to 16 whole numbers, found " + quote(*value));
  }
  std::vector<int> result;
  for (const json::value& element : value->get_array()) {
    result.push_back(to_integer(key, element, min, max));
  }
  return result;
}

std::vector<int> ComponentConfig::integers(std::string_view key, int min, int max,
                                           std::size_t count, int otherwise) {
  const json::value* value = find(key);
  if (!value) return std::vector<int>(count, otherwise);
  if (!value->is_array()) return std::vector<int>(count, to_integer(key, *value, min, max));
  std::vector<int> result = integers(key, min, max);
  if (result.size() != count) {
    fail(key, fmt::format("expected {} numbers, one a block, found {}", count, quote(*value)));
  }
  return result;
}

std::vector<std::vector<int>> ComponentConfig::integers_by_layer(std::string_view key, int min,
                                                                 int max,
                                                                 const std::vector<int>& counts,
                                                                 int otherwise) {
  const json::value* value = find(key);
  const auto wrong = [&](const std::string& expected) {
    fail(key, "expected " + expected + ", found " + (value ? quote(*value) : "no such key"));
  };
  if (value && value->is_array() && value->get_array().size() != counts.size()) {
    wrong(fmt::format("{} entries, one a block", counts.size()));
  }
  std::vector<std::vector<int>> result;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const json::value* block = value && value->is_array() ? &value->get_array()[i] : value;
    if (block && block->is_array()) {
      std::vector<int>& layers = result.emplace_back();
      for (const json::value& layer : block->get_array()) {
        layers.push_back(to_integer(key, layer, min, max));
      }
      if (layers.size() != static_cast<std::size_t>(counts[i])) {
        wrong(fmt::format("{} numbers in entry {}, one a layer", counts[i], i));
      }
    } else {
      result.emplace_back(counts[i], block ? to_integer(key, *block, min, max) : otherwise);
    }
  }
  return result;
}

std::vector<int> ComponentConfig::integer_list(std::string_view key, int min, int max) {
  const json::value* value = find(key);
  if (!value) return {};
  if (!value->is_array() || value->get_array().size() > 256) {
    fail(key, "expected a list of up to 256 whole numbers, found " + quote(*value));
  }
  std::vector<int> result;
  for (const json::value& element : value->get_array()) {
    result.push_back(to_integer(key, element, min, max));
  }
  return result;
}

void ComponentConfig::expect(std::string_view key, std::initializer_list<std::string_view> values) {
  const json::value* value = find(key);
  if (!value) return;
  // 1 and 1.0 are the same option.
  const std::string found =
      value->is_double() && value->get_double() == 1.0 ? "1" : json::serialize(*value);
  if (std::find(values.begin(), values.end(), found) != values.end()) return;
  std::string expected;
  for (const std::string_view v : values)
    expected += (expected.empty() ? "" : " or ") + std::string(v);
  fail(key, "expected " + expected + " (other values are not implemented), found " + quote(*value));
}

void ComponentConfig::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) asked_.emplace(key);
}

void ComponentConfig::done() const {
  for (const auto& [key, value] : values_) {
    // _class_name, _diffusers_version, _name_or_path: notes of the library, not options.
    if (key.starts_with('_') || value.is_null() || asked_.contains(std::string_view(key))) continue;
    fail(key, "expected no such option (it is not implemented), found " + quote(value));
  }
}

}  // namespace glyphward::model
