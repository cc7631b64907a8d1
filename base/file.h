// A file read whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

namespace glyphward {

// Its bytes. Throws ConfigError if it cannot be read, or holds more than `bytes_max`.
std::string read_file(const std::filesystem::path& file,
                      std::uintmax_t bytes_max = std::numeric_limits<std::uintmax_t>::max());

}  // namespace glyphward
