// Small text files of a checkpoint. Free of LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace glyphward::model {

// The whole file. Throws ConfigError if it cannot be read or is longer than `bytes_max`.
std::string read_text_file(const std::filesystem::path& file, std::uintmax_t bytes_max);

}  // namespace glyphward::model
