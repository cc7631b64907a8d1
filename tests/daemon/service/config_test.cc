#include "daemon/service/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "base/config_error.h"
#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

Config load(const fs::path& folder, const std::string& text) {
  const fs::path file = folder / "glyphwardd.toml";
  std::ofstream(file) << text;
  return load_config(file);
}

std::string failure(const fs::path& folder, const std::string& text) {
  try {
    load(folder, text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Config, ReadsEveryKeyAndResolvesPathsAgainstItsFolder) {
  TemporaryDir dir;
  const Config config = load(dir.path(), R"(
socket = "run/service.sock"
admin_socket = "/run/admin.sock"
socket_mode = "0666"
state_dir = "state"
model = "model"
policy = "policy.toml"
watch_policy = false
device = "cuda:1"
dtype = "bfloat16"
vae_tiling = true
offload_text_encoders = true
ocr_languages = "eng+deu"
log_level = "warning"
[limits]
queue_size_max = 3
connections_max = 4
header_bytes_max = 2048
body_bytes_max = 4096
idle_timeout_s = 0.5
header_timeout_s = 1
body_timeout_s = 2
write_timeout_s = 3
deadline_s = 4
drain_grace_s = 5
worker_stall_s = 6
)");
  EXPECT_EQ(config.socket, dir.path() / "run/service.sock");
  EXPECT_EQ(config.admin_socket, "/run/admin.sock");
  EXPECT_EQ(config.socket_mode, 0666u);
  EXPECT_EQ(config.policy, dir.path() / "policy.toml");
  EXPECT_FALSE(config.watch_policy);
  EXPECT_EQ(config.dtype, "bfloat16");
  EXPECT_TRUE(config.vae_tiling);
  EXPECT_TRUE(config.offload_text_encoders);
  EXPECT_EQ(config.limits.queue_size_max, 3);
  EXPECT_EQ(config.limits.body_bytes_max, 4096u);
  EXPECT_EQ(config.limits.idle_timeout, 500ms);
  EXPECT_EQ(config.limits.worker_stall, 6s);
}

TEST(Config, NamesFileLineAndKeyOfWhatIsWrong) {
  TemporaryDir dir;
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case table[] = {
      {"soket = \"a\"", ":1: soket: unknown key; known are "},
      {"\n\n[limits]\nqueue_size = 3", ":4: limits.queue_size: unknown key"},
      {"[limits]\nqueue_size_max = 0",
       "limits.queue_size_max: expected a whole number from 1 to 10000, found 0"},
      {"[limits]\nqueue_size_max = \"3\"", "found a value of another type"},
      {"[limits]\ndeadline_s = -1", "limits.deadline_s: expected a number of seconds above 0"},
      {"limits = 3", "limits: expected a table"},
      {"\"limits.queue_size_max\" = 3", "limits.queue_size_max: unknown key; known are socket, "},
      {"socket = 3", "socket: expected a string"},
      {"socket_mode = \"660\"", "socket_mode: expected permissions as four octal digits"},
      {"dtype = \"float64\"",
       "dtype: expected one of float32, float16, bfloat16, found \"float64\""},
      {"socket = ", ":1: "},
  };
  for (const Case& bad : table) {
    const std::string message = failure(dir.path(), bad.text);
    EXPECT_NE(message.find("glyphwardd.toml"), std::string::npos) << bad.text;
    EXPECT_NE(message.find(bad.expected), std::string::npos) << bad.text << ": " << message;
  }
}

TEST(Config, FillsInWhatIsLeftEmpty) {
  Config config;
  config.socket = "/tmp/x.sock";
  fill_defaults(config);
  EXPECT_EQ(config.admin_socket, "/tmp/x.sock.admin");
  EXPECT_TRUE(fs::exists(config.model / "model_index.json"));
  EXPECT_TRUE(fs::exists(config.policy));
}

// ---- Flags, man page and the file that is installed name the same settings

std::string text_of(const fs::path& file) {
  std::ifstream in(fs::path(GLYPHWARD_SOURCE_DIR) / file);
  return {std::istreambuf_iterator<char>(in), {}};
}

const ConfigKey& key_of(const std::string& flag) {
  return *std::ranges::find(config_keys(), flag, &ConfigKey::flag);
}

TEST(ConfigFlags, SetWhatTheirKeysSet) {
  Config config;
  set_from_flag(config, key_of("--admin-socket"), "run/admin.sock");
  set_from_flag(config, key_of("--dtype"), "float16");
  set_from_flag(config, key_of("--vae-tiling"), "");
  EXPECT_EQ(config.admin_socket, "run/admin.sock");
  EXPECT_EQ(config.dtype, "float16");
  EXPECT_TRUE(config.vae_tiling);
  EXPECT_FALSE(config.offload_text_encoders);
  try {
    set_from_flag(config, key_of("--dtype"), "float64");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "--dtype: expected one of float32, float16, bfloat16, found \"float64\"");
  }
}

TEST(ConfigKeys, AreAllInTheManPage) {
  std::string page = text_of("docs/man/glyphwardd.8");
  page.erase(std::remove(page.begin(), page.end(), '\\'), page.end());
  const auto section = [&page](const std::string& from, const std::string& to) {
    const std::size_t start = page.find(".SH " + from);
    return page.substr(start, page.find(".SH " + to) - start);
  };
  const std::string synopsis = section("SYNOPSIS", "DESCRIPTION");
  const std::string configuration = section("CONFIGURATION", "SYSTEMD");
  std::set<std::string> flags{"--config"};
  for (const ConfigKey& key : config_keys()) {
    // In bold: at the start of a ".TP" entry, not only mentioned.
    const std::regex entry("\\n\\.BR? [^\\n]*\\b" + key.name + "\\b");
    EXPECT_TRUE(std::regex_search(configuration, entry)) << key.name;
    if (!key.flag.empty()) flags.insert(key.flag);
  }
  std::set<std::string> in_synopsis;
  const std::regex flag("--[a-z-]+");
  for (std::sregex_iterator it(synopsis.begin(), synopsis.end(), flag), end; it != end; ++it)
    in_synopsis.insert(it->str());
  EXPECT_EQ(in_synopsis, flags);
}

TEST(ConfigKeys, AreAllInTheInstalledFileWithTheirDefaults) {
  TemporaryDir dir;
  const std::regex commented("(^|\\n)#(?=[a-z_]+ = |\\[)");
  const std::string text = std::regex_replace(text_of("systemd/glyphwardd.toml"), commented, "$1");
  for (const ConfigKey& key : config_keys()) {
    const std::string name = key.name.substr(key.name.rfind('.') + 1);
    EXPECT_NE(text.find("\n" + name + " = "), std::string::npos) << key.name;
  }
  const Config shown = load(dir.path(), text);  // knows no other key
  const Config defaults;
  EXPECT_EQ(shown.socket, defaults.socket);
  EXPECT_EQ(shown.admin_socket, defaults.socket.string() + ".admin");
  EXPECT_EQ(shown.socket_mode, defaults.socket_mode);
  EXPECT_EQ(shown.state_dir, "/var/lib/glyphward");
  EXPECT_EQ(shown.watch_policy, defaults.watch_policy);
  EXPECT_EQ(shown.device, defaults.device);
  EXPECT_EQ(shown.dtype, defaults.dtype);
  EXPECT_EQ(shown.vae_tiling, defaults.vae_tiling);
  EXPECT_EQ(shown.offload_text_encoders, defaults.offload_text_encoders);
  EXPECT_EQ(shown.ocr_languages, defaults.ocr_languages);
  EXPECT_EQ(shown.log_level, defaults.log_level);
  EXPECT_EQ(shown.limits, defaults.limits);
}

}  // namespace
}  // namespace glyphward::daemon::testing
