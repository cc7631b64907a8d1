// The options of one component of a checkpoint: its config.json, read strictly.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/json.h"

namespace glyphward::model {

// Every getter throws ConfigError naming file, key, expected and found; done() throws on a key that
// nothing asked for, since an option that we do not know may change the network.
class ComponentConfig {
 public:
  explicit ComponentConfig(const std::filesystem::path& file)
      : file_(file), values_(load_json_object(file)) {}

  const std::filesystem::path& file() const { return file_; }
  bool is_null(std::string_view key) const;   // absent or null
  bool is_given(std::string_view key) const;  // even as null

  int integer(std::string_view key, int min, int max);
  int integer(std::string_view key, int min, int max, int otherwise);  // if absent
  double number(std::string_view key, double otherwise);
  bool boolean(std::string_view key, bool otherwise);
  std::string string(std::string_view key, std::string_view otherwise);
  std::vector<std::string> strings(std::string_view key);
  std::vector<int> integers(std::string_view key, int min, int max);
  // A list of up to 256, empty if absent.
  std::vector<int> integer_list(std::string_view key, int min, int max);
  // diffusers lets many options be one number for all blocks or a list with one for each.
  std::vector<int> integers(std::string_view key, int min, int max, std::size_t count,
                            int otherwise);
  // One list a block, with one number a layer: such a list of lists, or a number or a list of
  // numbers that hold for all layers of a block. `counts` are the blocks' layers.
  std::vector<std::vector<int>> integers_by_layer(std::string_view key, int min, int max,
                                                  const std::vector<int>& counts, int otherwise);
  // The option may be absent, or have one of these values (as JSON); anything else is not
  // implemented.
  void expect(std::string_view key, std::initializer_list<std::string_view> values);
  // Options without effect on what we compute.
  void ignore(std::initializer_list<std::string_view> keys);
  void done() const;

  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

 private:
  const boost::json::value* find(std::string_view key);
  int to_integer(std::string_view key, const boost::json::value& value, int min, int max) const;
  std::filesystem::path file_;
  boost::json::object values_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace glyphward::model
