#include "daemon/service/config.h"

#include <gtest/gtest.h>

#include <fstream>

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

}  // namespace
}  // namespace glyphward::daemon::testing
