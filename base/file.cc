#include "base/file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/config_error.h"

namespace glyphward {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, int error) {
  throw ConfigError(file, 0, "",
                    "expected a readable file, found: " + std::generic_category().message(error));
}

}  // namespace

std::string read_file(const std::filesystem::path& file, std::uintmax_t bytes_max) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse(file, errno);
  std::string bytes;
  char block[65536];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    bytes.append(block, static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > bytes_max) {
      throw ConfigError(file, 0, "",
                        "expected at most " + std::to_string(bytes_max) + " bytes, found more");
    }
  }
  if (in.bad()) refuse(file, errno);  // a folder, among others
  return bytes;
}

}  // namespace glyphward
