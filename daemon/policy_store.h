// The policy in force. A reload swaps it whole, or keeps it and says why. Io thread only; files are
// read on a thread of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "policy/policy.h"

namespace glyphward::daemon {

class PolicyStore {
 public:
  using Loader =
      std::function<std::shared_ptr<const policy::Policy>()>;  // throws; on its own thread
  PolicyStore(boost::asio::io_context& io, Loader load) : io_(io), load_(std::move(load)) {}
  ~PolicyStore() { thread_.join(); }

  // The reason why it failed; empty if the new policy is in force.
  boost::asio::awaitable<std::string> reload();

  const std::shared_ptr<const policy::Policy>& current() const { return current_; }  // may be null
  const std::string& last_error() const { return last_error_; }  // of the last reload
  std::int64_t loaded_at_s() const { return loaded_at_s_; }

 private:
  boost::asio::io_context& io_;
  const Loader load_;
  boost::asio::thread_pool thread_{1};
  std::shared_ptr<const policy::Policy> current_;
  std::string last_error_ = "not loaded yet";
  std::int64_t loaded_at_s_ = 0;
};

}  // namespace glyphward::daemon
