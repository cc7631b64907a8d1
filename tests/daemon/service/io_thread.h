// For tests of what lives on the io thread: the test's thread is it, and handlers run while the
// test waits.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <utility>

namespace glyphward::daemon::testing {

using namespace std::chrono_literals;

class IoThread {
 public:
  bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds most = 10s) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_for(2ms);
    }
    return true;
  }
  // What the coroutine gives; throws what it throws.
  template <typename Value>
  Value result_of(boost::asio::awaitable<Value> coroutine) {
    std::future<Value> value =
        boost::asio::co_spawn(io, std::move(coroutine), boost::asio::use_future);
    if (!eventually([&] { return value.wait_for(0s) == std::future_status::ready; }))
      throw std::runtime_error("the coroutine does not end");
    return value.get();
  }

  boost::asio::io_context io{1};
};

}  // namespace glyphward::daemon::testing
