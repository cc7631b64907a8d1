// A folder of this process for targets whose parsers read files, and an input cut into several
// files.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::fuzz {

class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("glyphward-fuzz-" + name + "." + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::filesystem::path& file, std::string_view bytes) const {
    std::filesystem::create_directories((path_ / file).parent_path());
    // A new file each time: ext4 writes one that was cut to nothing to the disk before it is
    // closed.
    std::filesystem::remove(path_ / file);
    std::ofstream(path_ / file, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void remove(const std::filesystem::path& file) const { std::filesystem::remove(path_ / file); }

 private:
  std::filesystem::path path_;
};

// The input's sections, which U+001E parts.
inline std::vector<std::string_view> sections(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> result;
  for (;;) {
    const std::size_t end = rest.find('\x1e');
    result.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) return result;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace glyphward::fuzz
