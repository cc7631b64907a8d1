#include "daemon/service/file_watcher.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>

namespace glyphward::daemon {
namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::redirect_error;
using asio::use_awaitable;
using boost::system::error_code;

namespace {

// So long must nothing change: several files are saved one after the other, and a large one is not
// written at once.
constexpr std::chrono::milliseconds kSettle{200};
// Files that do not come to rest within this time are taken as they are.
constexpr std::chrono::seconds kSettleMost{5};
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                  IN_ONLYDIR;

int open_inotify() {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "inotify");
  return fd;
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// The file's own folder and the folder of what it links to. Where one is missing, the nearest
// folder above it that exists: there the missing one would be created.
std::set<fs::path> folders_of(const FileStamps& files) {
  std::set<fs::path> folders;
  for (const auto& [file, stamp] : files) {
    std::error_code error;
    const fs::path absolute = fs::absolute(file, error);
    for (const fs::path& path : {absolute, fs::weakly_canonical(absolute, error)}) {
      fs::path folder = path.parent_path();
      while (folder.has_relative_path() && !fs::is_directory(folder, error))
        folder = folder.parent_path();
      folders.insert(folder);
    }
  }
  return folders;
}

}  // namespace

FileStamps stamps_of(const std::vector<fs::path>& files) {
  FileStamps stamps;
  for (const fs::path& file : files) {
    FileStamp& stamp = stamps[file];
    struct stat status;
    if (::stat(file.c_str(), &status) != 0) continue;
    stamp = {true,
             status.st_dev,
             status.st_ino,
             status.st_size,
             nanoseconds(status.st_mtim),
             nanoseconds(status.st_ctim)};
  }
  return stamps;
}

FileWatcher::FileWatcher(asio::io_context& io, Calls calls)
    : calls_(std::move(calls)), inotify_(io, open_inotify()), timer_(io) {}

void FileWatcher::stop() {
  stopped_ = true;
  error_code ignored;
  inotify_.cancel(ignored);
  timer_.cancel();
}

asio::awaitable<void> FileWatcher::run() {
  while (!stopped_) {
    FileStamps stamps = co_await calls_.now();
    // First watch, then look again: what happens in between is seen by one or the other.
    watch_folders(stamps);
    stamps = co_await calls_.now();
    if (stopped_) co_return;
    if (stamps == calls_.taken()) {
      co_await wait_for_event();
      continue;
    }
    stamps = co_await at_rest(std::move(stamps));
    if (!stopped_ && stamps != calls_.taken()) co_await calls_.take();
  }
}

asio::awaitable<void> FileWatcher::wait_for_event() {
  error_code error;
  co_await inotify_.async_wait(asio::posix::stream_descriptor::wait_read,
                               redirect_error(use_awaitable, error));
  if (error) {
    stopped_ = true;
    co_return;
  }
  drain();
}

asio::awaitable<FileStamps> FileWatcher::at_rest(FileStamps stamps) {
  const auto end = std::chrono::steady_clock::now() + kSettleMost;
  for (;;) {
    error_code ignored;
    timer_.expires_after(kSettle);
    co_await timer_.async_wait(redirect_error(use_awaitable, ignored));
    drain();
    FileStamps later = co_await calls_.now();
    if (stopped_ || later == stamps || std::chrono::steady_clock::now() > end) co_return later;
    stamps = std::move(later);
  }
}

// Which file the events name does not matter: all files are looked at.
void FileWatcher::drain() {
  alignas(inotify_event) std::array<char, 16384> events;
  while (::read(inotify_.native_handle(), events.data(), events.size()) > 0) {
  }
}

// A folder that is watched already keeps its watch number; a folder that replaced another has a new
// number.
void FileWatcher::watch_folders(const FileStamps& files) {
  std::set<int> watches;
  for (const fs::path& folder : folders_of(files)) {
    const int watch = ::inotify_add_watch(inotify_.native_handle(), folder.c_str(), kEvents);
    if (watch >= 0) watches.insert(watch);
  }
  for (const int watch : watches_) {
    if (!watches.contains(watch)) ::inotify_rm_watch(inotify_.native_handle(), watch);
  }
  watches_ = std::move(watches);
}

}  // namespace glyphward::daemon
