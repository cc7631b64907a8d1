#include "daemon/service/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <vector>

#include "base/config_error.h"
#include "daemon/service/data_files.h"
#include "model/dtypes.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;

namespace {

// Takes a table's value for one key; throws a message for a value that does not fit.
using Setter = std::function<void(const toml::node&)>;
using Keys = std::map<std::string, Setter>;

std::string text_of(const toml::node& node) {
  const auto value = node.value_exact<std::string>();
  if (!value) throw std::invalid_argument("expected a string");
  return *value;
}

std::int64_t whole_number(const toml::node& node, std::int64_t min, std::int64_t max) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < min || *value > max) {
    const std::string found =
        value ? std::to_string(*value) : std::string("a value of another type");
    throw std::invalid_argument(
        fmt::format("expected a whole number from {} to {}, found {}", min, max, found));
  }
  return *value;
}

Setter text(std::string& target) {
  return [&target](const toml::node& node) { target = text_of(node); };
}

Setter boolean(bool& target) {
  return [&target](const toml::node& node) {
    const auto value = node.value_exact<bool>();
    if (!value) throw std::invalid_argument("expected true or false");
    target = *value;
  };
}

Setter path(fs::path& target, const fs::path& folder) {
  return [&target, folder](const toml::node& node) {
    const fs::path given = text_of(node);
    if (given.empty()) throw std::invalid_argument("expected a path, found an empty string");
    target = given.is_absolute() ? given : folder / given;
  };
}

template <typename Number>
Setter number(Number& target, std::int64_t min, std::int64_t max) {
  return [&target, min, max](const toml::node& node) {
    target = static_cast<Number>(whole_number(node, min, max));
  };
}

// Keys that end in _s hold seconds, whole or not.
Setter seconds(std::chrono::milliseconds& target) {
  return [&target](const toml::node& node) {
    const auto value = node.value<double>();
    if (!value || !node.is_number() || !(*value > 0 && *value <= 86'400)) {
      throw std::invalid_argument("expected a number of seconds above 0, at most 86400");
    }
    target = std::chrono::milliseconds(static_cast<std::int64_t>(*value * 1000));
  };
}

Setter mode(unsigned& target) {
  return [&target](const toml::node& node) {
    const std::string digits = text_of(node);
    if (digits.size() != 4 || digits[0] != '0' ||
        digits.find_first_not_of("01234567") != std::string::npos) {
      throw std::invalid_argument("expected permissions as four octal digits, such as \"0660\"");
    }
    target = static_cast<unsigned>(std::stoul(digits, nullptr, 8));
  };
}

Setter one_of(std::string& target, std::vector<std::string> allowed) {
  return [&target, allowed = std::move(allowed)](const toml::node& node) {
    const std::string given = text_of(node);
    for (const std::string& value : allowed) {
      if (given == value) {
        target = given;
        return;
      }
    }
    throw std::invalid_argument(
        fmt::format("expected one of {}, found \"{}\"", fmt::join(allowed, ", "), given));
  };
}

void read_table(const toml::table& table, const std::string& prefix, const Keys& keys,
                const fs::path& file) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const int line = static_cast<int>(node.source().begin.line);
    const auto known = keys.find(std::string(key.str()));
    if (known == keys.end()) {
      std::vector<std::string> names;
      for (const auto& [candidate, setter] : keys) names.push_back(prefix + candidate);
      throw ConfigError(file, line, name,
                        fmt::format("unknown key; known are {}", fmt::join(names, ", ")));
    }
    try {
      known->second(node);
    } catch (const std::invalid_argument& error) {
      throw ConfigError(file, line, name, error.what());
    }
  }
}

Keys limit_keys(Limits& limits) {
  return {
      {"queue_size_max", number(limits.queue_size_max, 1, 10'000)},
      {"connections_max", number(limits.connections_max, 1, 10'000)},
      {"header_bytes_max", number(limits.header_bytes_max, 1024, 1 << 20)},
      {"body_bytes_max", number(limits.body_bytes_max, 1024, 64 << 20)},
      {"idle_timeout_s", seconds(limits.idle_timeout)},
      {"header_timeout_s", seconds(limits.header_timeout)},
      {"body_timeout_s", seconds(limits.body_timeout)},
      {"write_timeout_s", seconds(limits.write_timeout)},
      {"deadline_s", seconds(limits.deadline)},
      {"drain_grace_s", seconds(limits.drain_grace)},
      {"worker_stall_s", seconds(limits.worker_stall)},
  };
}

}  // namespace

Config load_config(const fs::path& file) {
  Config config;
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    throw ConfigError(file, static_cast<int>(error.source().begin.line), "",
                      std::string(error.description()));
  }
  const fs::path folder = fs::absolute(file).parent_path();
  const Keys keys = {
      {"socket", path(config.socket, folder)},
      {"admin_socket", path(config.admin_socket, folder)},
      {"socket_mode", mode(config.socket_mode)},
      {"state_dir", path(config.state_dir, folder)},
      {"model", path(config.model, folder)},
      {"policy", path(config.policy, folder)},
      {"watch_policy", boolean(config.watch_policy)},
      {"device", text(config.device)},
      {"dtype", one_of(config.dtype, model::dtype_names())},
      {"vae_tiling", boolean(config.vae_tiling)},
      {"offload_text_encoders", boolean(config.offload_text_encoders)},
      {"ocr_languages", text(config.ocr_languages)},
      {"log_level", one_of(config.log_level, {"debug", "info", "warning", "error"})},
      {"limits",
       [&](const toml::node& node) {
         if (!node.is_table()) throw std::invalid_argument("expected a table, [limits]");
         read_table(*node.as_table(), "limits.", limit_keys(config.limits), file);
       }},
  };
  read_table(table, "", keys, file);
  return config;
}

void fill_defaults(Config& config) {
  if (config.admin_socket.empty()) config.admin_socket = config.socket.string() + ".admin";
  if (config.state_dir.empty()) {
    const char* given = std::getenv("STATE_DIRECTORY");  // NOLINT(concurrency-mt-unsafe)
    config.state_dir = given != nullptr && *given != '\0' ? given : "/var/lib/glyphward";
  }
  if (config.model.empty()) config.model = bundled_model();
  if (config.policy.empty()) config.policy = default_policy();
}

}  // namespace glyphward::daemon
