// Tells when any of a set of files has changed: written in place, replaced by rename (as editors
// do), removed, created, or reached through a link that now points elsewhere.
//
// inotify watches their folders, because a file that is replaced by rename is another file. An
// event alone says little. What counts is whether the files differ from those that were last taken
// in, and whether they have come to rest.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace glyphward::daemon {

// Enough of a file's status to see that it changed, without reading it.
struct FileStamp {
  bool exists = false;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t written_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
using FileStamps = std::map<std::filesystem::path, FileStamp>;
FileStamps stamps_of(const std::vector<std::filesystem::path>& files);

// Io thread only.
class FileWatcher {
 public:
  struct Calls {
    std::function<boost::asio::awaitable<FileStamps>()> now;  // of the files to watch
    std::function<const FileStamps&()> taken;                 // those that were last taken in
    std::function<boost::asio::awaitable<void>()> take;       // takes them in; they have changed
  };
  // Throws std::system_error if the kernel has no inotify for us.
  FileWatcher(boost::asio::io_context& io, Calls calls);

  // Returns after stop().
  boost::asio::awaitable<void> run();
  void stop();

 private:
  void watch_folders(const FileStamps& files);
  boost::asio::awaitable<void> wait_for_event();
  boost::asio::awaitable<FileStamps> at_rest(FileStamps stamps);
  void drain();

  const Calls calls_;
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer timer_;
  std::set<int> watches_;
  bool stopped_ = false;
};

}  // namespace glyphward::daemon
