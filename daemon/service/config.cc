#include "daemon/service/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <vector>

#include "base/config_error.h"
#include "daemon/service/data_files.h"
#include "model/dtypes.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kLogLevels = {"debug", "info", "warning", "error"};

// Gives the configuration a value of the file; throws a message for one that does not fit. Relative
// paths are relative to `folder`.
using Setter = std::function<void(Config&, const toml::node&, const fs::path& folder)>;

std::string text_of(const toml::node& node) {
  const auto value = node.value_exact<std::string>();
  if (!value) throw std::invalid_argument("expected a string");
  return *value;
}

Setter text(std::string Config::*target) {
  return [target](Config& config, const toml::node& node, const fs::path& /*folder*/) {
    config.*target = text_of(node);
  };
}

Setter boolean(bool Config::*target) {
  return [target](Config& config, const toml::node& node, const fs::path& /*folder*/) {
    const auto value = node.value_exact<bool>();
    if (!value) throw std::invalid_argument("expected true or false");
    config.*target = *value;
  };
}

Setter path(fs::path Config::*target) {
  return [target](Config& config, const toml::node& node, const fs::path& folder) {
    const fs::path given = text_of(node);
    if (given.empty()) throw std::invalid_argument("expected a path, found an empty string");
    config.*target = given.is_absolute() ? given : folder / given;
  };
}

template <typename Number>
Setter number(Number Limits::*target, std::int64_t min, std::int64_t max) {
  return [target, min, max](Config& config, const toml::node& node, const fs::path& /*folder*/) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < min || *value > max) {
      const std::string found =
          value ? std::to_string(*value) : std::string("a value of another type");
      throw std::invalid_argument(
          fmt::format("expected a whole number from {} to {}, found {}", min, max, found));
    }
    config.limits.*target = static_cast<Number>(*value);
  };
}

// Keys that end in _s hold seconds, whole or not.
Setter seconds(std::chrono::milliseconds Limits::*target) {
  return [target](Config& config, const toml::node& node, const fs::path& /*folder*/) {
    const auto value = node.value<double>();
    if (!value || !node.is_number() || !(*value > 0 && *value <= 86'400)) {
      throw std::invalid_argument("expected a number of seconds above 0, at most 86400");
    }
    config.limits.*target = std::chrono::milliseconds(static_cast<std::int64_t>(*value * 1000));
  };
}

Setter mode(unsigned Config::*target) {
  return [target](Config& config, const toml::node& node, const fs::path& /*folder*/) {
    const std::string digits = text_of(node);
    if (digits.size() != 4 || digits[0] != '0' ||
        digits.find_first_not_of("01234567") != std::string::npos) {
      throw std::invalid_argument("expected permissions as four octal digits, such as \"0660\"");
    }
    config.*target = static_cast<unsigned>(std::stoul(digits, nullptr, 8));
  };
}

Setter one_of(std::string Config::*target, std::vector<std::string> allowed) {
  return [target, allowed = std::move(allowed)](Config& config, const toml::node& node,
                                                const fs::path& /*folder*/) {
    const std::string given = text_of(node);
    if (std::find(allowed.begin(), allowed.end(), given) == allowed.end()) {
      throw std::invalid_argument(
          fmt::format("expected one of {}, found \"{}\"", fmt::join(allowed, ", "), given));
    }
    config.*target = given;
  };
}

constexpr bool kSwitch = true;

struct Setting {
  std::string name;
  Setter set;
  std::string flag_help{};  // empty: only the file sets it
  bool is_switch = false;
};

// The one list of settings: the file's keys, glyphwardd's flags and its --help come from here.
const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
      {"socket", path(&Config::socket),
       "The socket for clients (default: /run/glyphward/glyphward.sock)"},
      {"admin_socket", path(&Config::admin_socket),
       "The socket for administrators, mode 0600 (default: SOCKET.admin)"},
      {"socket_mode", mode(&Config::socket_mode)},
      {"state_dir", path(&Config::state_dir),
       "The folder of the audit log (default: /var/lib/glyphward)"},
      {"model", path(&Config::model),
       "The diffusers checkpoint to serve (default: the bundled model)"},
      {"policy", path(&Config::policy),
       "The policy file to apply (default: the one that comes with the program)"},
      {"watch_policy", boolean(&Config::watch_policy)},
      {"device", text(&Config::device), "Where the model runs: cpu, cuda, cuda:1 (default: cpu)"},
      {"dtype", one_of(&Config::dtype, model::dtype_names()),
       fmt::format("The model's number format: {} (default: float32)",
                   fmt::join(model::kDtypes, ", "))},
      {"vae_tiling", boolean(&Config::vae_tiling),
       "Decode large pictures in tiles, for less memory", kSwitch},
      {"offload_text_encoders", boolean(&Config::offload_text_encoders),
       "Take the text encoders off the device once a prompt is encoded, for less memory", kSwitch},
      {"ocr_languages", text(&Config::ocr_languages)},
      {"log_level", one_of(&Config::log_level, kLogLevels),
       fmt::format("How much is logged: {} (default: info)", fmt::join(kLogLevels, ", "))},
      {"limits.queue_size_max", number(&Limits::queue_size_max, 1, 10'000)},
      {"limits.connections_max", number(&Limits::connections_max, 1, 10'000)},
      {"limits.header_bytes_max", number(&Limits::header_bytes_max, 1024, 1 << 20)},
      {"limits.body_bytes_max", number(&Limits::body_bytes_max, 1024, 64 << 20)},
      {"limits.idle_timeout_s", seconds(&Limits::idle_timeout)},
      {"limits.header_timeout_s", seconds(&Limits::header_timeout)},
      {"limits.body_timeout_s", seconds(&Limits::body_timeout)},
      {"limits.write_timeout_s", seconds(&Limits::write_timeout)},
      {"limits.deadline_s", seconds(&Limits::deadline)},
      {"limits.drain_grace_s", seconds(&Limits::drain_grace)},
      {"limits.worker_stall_s", seconds(&Limits::worker_stall)},
  };
  return all;
}

const Setting* find_setting(const std::string& name) {
  const auto found = std::ranges::find(settings(), name, &Setting::name);
  return found == settings().end() ? nullptr : &*found;
}

// The names that a table of the file can hold, for the message about another one.
std::string known_keys(const std::string& prefix) {
  std::string known;
  for (const Setting& setting : settings()) {
    if (!setting.name.starts_with(prefix) ||
        setting.name.find('.', prefix.size()) != std::string::npos)
      continue;
    known += (known.empty() ? "" : ", ") + setting.name;
  }
  return prefix.empty() ? known + ", limits" : known;
}

void read_table(Config& config, const toml::table& table, const std::string& prefix,
                const fs::path& file) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const int line = static_cast<int>(node.source().begin.line);
    if (name == "limits" && node.is_table()) {
      read_table(config, *node.as_table(), "limits.", file);
      continue;
    }
    if (name == "limits") throw ConfigError(file, line, name, "expected a table, [limits]");
    // A quoted key with a dot in it is not the key of a table.
    const bool plain = key.str().find('.') == std::string_view::npos;
    const Setting* setting = plain ? find_setting(name) : nullptr;
    if (setting == nullptr)
      throw ConfigError(file, line, name, "unknown key; known are " + known_keys(prefix));
    try {
      setting->set(config, node, fs::absolute(file).parent_path());
    } catch (const std::invalid_argument& error) {
      throw ConfigError(file, line, name, error.what());
    }
  }
}

std::string flag_of(const Setting& setting) {
  if (setting.flag_help.empty()) return "";
  std::string flag = "--" + setting.name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all;
    for (const Setting& setting : settings())
      all.push_back({setting.name, flag_of(setting), setting.flag_help, setting.is_switch});
    return all;
  }();
  return keys;
}

Config load_config(const fs::path& file) {
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    throw ConfigError(file, static_cast<int>(error.source().begin.line), "",
                      std::string(error.description()));
  }
  Config config;
  read_table(config, table, "", file);
  return config;
}

void set_from_flag(Config& config, const ConfigKey& key, const std::string& value) {
  const Setting& setting = *find_setting(key.name);
  try {
    if (setting.is_switch) {
      setting.set(config, toml::value(true), "");
    } else {
      setting.set(config, toml::value(value), "");
    }
  } catch (const std::invalid_argument& error) {
    throw ConfigError(key.flag, 0, "", error.what());
  }
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
