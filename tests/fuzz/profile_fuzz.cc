// Fuzz target: glyphward.json, from any bytes.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/config_error.h"
#include "model/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path folder =
      std::filesystem::temp_directory_path() /
      ("glyphward-fuzz-profile." + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "glyphward.json", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    const glyphward::model::Profile profile = glyphward::model::load_profile(folder);
    glyphward::model::save_profile(folder, profile);  // what was read can be written
    glyphward::model::load_profile(folder);           // and read again
  } catch (const glyphward::ConfigError&) {
  }
  std::filesystem::remove_all(folder);
  return 0;
}
