// The policy in force. A reload swaps the whole policy, or keeps it and says why. Io thread only:
// the store has a thread of its own to read files, and to destroy policies that nobody needs any
// more.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/service/file_watcher.h"
#include "policy/policy.h"

namespace glyphward::daemon {

class PolicyStore {
 public:
  // Each is called on the store's thread.
  struct Source {
    std::function<std::shared_ptr<const policy::Policy>()> load;  // throws
    std::function<std::vector<std::filesystem::path>()> files;    // what load() reads
  };
  PolicyStore(boost::asio::io_context& io, Source source) : io_(io), source_(std::move(source)) {}
  ~PolicyStore() { thread_->join(); }

  // Gives the reason why it failed; empty if the new policy is in force.
  boost::asio::awaitable<std::string> reload();

  // The stamps of the files as they are now, and as they were before the last reload read them.
  boost::asio::awaitable<FileStamps> stamps();
  const FileStamps& taken() const { return taken_; }

  const std::shared_ptr<const policy::Policy>& current() const { return current_; }  // may be null
  const std::string& last_error() const { return last_error_; }  // of the last reload
  std::int64_t loaded_at_s() const { return loaded_at_s_; }      // of the policy in force
  std::uint64_t reloads() const { return reloads_; }  // that succeeded, with the first load
  std::uint64_t failed_reloads() const { return failed_reloads_; }

 private:
  struct Loaded;
  Loaded load() const;

  boost::asio::io_context& io_;
  const Source source_;
  const std::shared_ptr<boost::asio::thread_pool> thread_ =
      std::make_shared<boost::asio::thread_pool>(1);
  std::shared_ptr<const policy::Policy> current_;
  FileStamps taken_;
  std::string last_error_ = "not loaded yet";
  std::int64_t loaded_at_s_ = 0;
  std::uint64_t reloads_ = 0;
  std::uint64_t failed_reloads_ = 0;
};

}  // namespace glyphward::daemon
