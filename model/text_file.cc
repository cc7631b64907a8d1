#include "model/text_file.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "base/config_error.h"

namespace glyphward::model {

std::string read_text_file(const std::filesystem::path& file, std::uintmax_t bytes_max) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) throw ConfigError(file, 0, "", "expected a readable file, found: " + error.message());
  if (size > bytes_max) {
    throw ConfigError(file, 0, "",
                      fmt::format("expected at most {} bytes, found {}", bytes_max, size));
  }
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) throw ConfigError(file, 0, "", "cannot be read");
  return text;
}

}  // namespace glyphward::model
