// A folder under the system's temporary one that is removed, with all in it, when its owner goes.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace glyphward::daemon {

class TemporaryFolder {
 public:
  // Throws std::runtime_error where none can be made.
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "glyphward-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace glyphward::daemon
