#include "daemon/service/data_files.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "base/config_error.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  return value == nullptr ? "" : value;
}

bool holds_data(const fs::path& dir) {
  std::error_code error;
  return fs::is_directory(dir / "policy", error) && fs::is_directory(dir / "model", error);
}

}  // namespace

fs::path data_dir() {
  if (const std::string given = environment("GLYPHWARD_DATA_DIR"); !given.empty()) {
    if (holds_data(given)) return given;
    throw ConfigError(given, 0, "GLYPHWARD_DATA_DIR", "expected a folder with policy/ and model/");
  }
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = executable.parent_path().parent_path() / "share" / "glyphward";
  for (const fs::path& dir : {installed, fs::path(GLYPHWARD_SOURCE_DIR)}) {
    if (holds_data(dir)) return dir;
  }
  throw ConfigError(
      installed, 0, "",
      "the program's data files are not here; set GLYPHWARD_DATA_DIR to the folder that has "
      "policy/ and model/");
}

fs::path bundled_model() { return data_dir() / "model" / "bundled" / "stable-diffusion"; }

fs::path default_policy() { return data_dir() / "policy" / "default.toml"; }

std::vector<fs::path> lexicon_files(const std::vector<std::string>& given) {
  if (!given.empty()) return {given.begin(), given.end()};
  const fs::path folder = data_dir() / "lexicon";
  return {folder / "default.tsv", folder / "allow.tsv"};
}

fs::path user_state_dir() {
  if (const std::string state = environment("XDG_STATE_HOME"); !state.empty()) {
    return fs::path(state) / "glyphward";
  }
  const std::string home = environment("HOME");
  if (home.empty()) {
    throw ConfigError("state-dir", 0, "",
                      "neither XDG_STATE_HOME nor HOME is set; name a folder with --state-dir");
  }
  return fs::path(home) / ".local" / "state" / "glyphward";
}

}  // namespace glyphward::daemon
