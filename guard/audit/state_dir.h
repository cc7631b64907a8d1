// The folder of the audit log, and the files in it that are not SQLite's.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "base/config_error.h"

namespace glyphward::guard {

inline std::string errno_text(int error) { return std::generic_category().message(error); }

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The state folder. Everything but SQLite's own files is reached through its descriptor, so that a
// folder which was removed, or replaced by another, is noticed instead of written to.
class StateDir {
 public:
  StateDir(std::filesystem::path path, bool create) : path_(std::move(path)) {
    if (create) make();
    fd_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd_.get() < 0) throw ConfigError(path_, 0, "state-dir", errno_text(errno));
  }

  std::filesystem::path file(const char* name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

  bool has(const char* name) const {
    struct stat status;
    if (::fstatat(fd_.get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
    if (errno == ENOENT) return false;
    throw ConfigError(file(name), 0, "", errno_text(errno));
  }

  // Device and inode, to notice a file that was replaced.
  std::optional<std::pair<dev_t, ino_t>> identity(const char* name) const {
    struct stat status;
    if (::fstatat(fd_.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return std::pair{status.st_dev, status.st_ino};
  }

  mode_t permissions(const char* name) const {
    struct stat status;
    if (::fstatat(fd_.get(), name, &status, 0) != 0)
      throw ConfigError(file(name), 0, "", errno_text(errno));
    return status.st_mode & 07777;
  }

  // False if another process writes here. Held until this object goes, or the process dies.
  bool lock() const { return ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0; }

  std::string read(const char* name) const {
    Descriptor fd(::openat(fd_.get(), name, O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) throw std::runtime_error(file(name).string() + ": " + errno_text(errno));
    std::string bytes(4096, '\0');
    const ssize_t count = ::read(fd.get(), bytes.data(), bytes.size());
    if (count < 0) throw std::runtime_error(file(name).string() + ": " + errno_text(errno));
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }

  // The replacement of a file in two halves. After stage() its bytes are on the disk under another
  // name: no disk can be too full for publish().
  void stage(const char* name, const std::string& bytes) const {
    const std::string staged = std::string(name) + ".new";
    Descriptor fd(
        ::openat(fd_.get(), staged.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) fail(staged);
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t count = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail(staged);
      done += static_cast<std::size_t>(count);
    }
    if (::fsync(fd.get()) != 0) fail(staged);
  }

  void publish(const char* name) const {
    const std::string staged = std::string(name) + ".new";
    if (::renameat(fd_.get(), staged.c_str(), fd_.get(), name) != 0) fail(name);
    if (::fsync(fd_.get()) != 0) fail(name);
  }

  // SQLite gives its journals the database's own permissions.
  void make_private(const char* name) const {
    Descriptor fd(::openat(fd_.get(), name, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (fd.get() < 0) throw ConfigError(file(name), 0, "", errno_text(errno));
  }

 private:
  void make() const {
    std::error_code error;
    if (std::filesystem::is_directory(path_, error)) return;
    error.clear();  // it is only not there yet
    if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), error);
    if (!error && ::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST)
      error = std::error_code(errno, std::generic_category());
    if (error) throw ConfigError(path_, 0, "state-dir", "cannot be made: " + error.message());
  }

  [[noreturn]] void fail(const std::string& name) const {
    throw std::runtime_error((path_ / name).string() + ": cannot be written: " + errno_text(errno));
  }

  std::filesystem::path path_;
  Descriptor fd_;
};

}  // namespace glyphward::guard
