// One-shot events and calls to other threads, for coroutines on the io thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace glyphward::daemon {

// Set once; one coroutine waits for it. Used on the io thread only, so it needs no lock.
class Event {
 public:
  explicit Event(boost::asio::io_context& io) : timer_(io) {}

  void set() {
    is_set_ = true;
    timer_.cancel();
  }
  bool is_set() const { return is_set_; }

  // Returns when the event is set or the deadline has come, with whether it is set.
  boost::asio::awaitable<bool> wait_until(std::chrono::steady_clock::time_point deadline) {
    boost::system::error_code ignored;
    if (!is_set_) {
      timer_.expires_at(deadline);
      co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    co_return is_set_;
  }
  boost::asio::awaitable<void> wait() {
    while (!is_set_) {
      co_await wait_until(std::chrono::steady_clock::time_point::max());
    }
  }

 private:
  boost::asio::steady_timer timer_;
  bool is_set_ = false;
};

// Runs `work` on the pool. Gives its value, or throws what it threw, on the io thread again. Pool
// and io must outlive the call.
template <typename Value>
boost::asio::awaitable<Value> run_on(boost::asio::thread_pool& pool, boost::asio::io_context& io,
                                     std::function<Value()> work) {
  struct State {
    explicit State(boost::asio::io_context& io) : done(io) {}
    std::optional<Value> value;
    std::exception_ptr exception;
    Event done;
  };
  auto state = std::make_shared<State>(io);
  auto task = [state, &io, work = std::move(work)]() mutable {
    try {
      state->value.emplace(work());
    } catch (...) {
      state->exception = std::current_exception();
    }
    boost::asio::post(io, [state = std::move(state)] { state->done.set(); });
  };
  boost::asio::post(pool, std::move(task));
  co_await state->done.wait();
  if (state->exception) std::rethrow_exception(state->exception);
  co_return std::move(*state->value);
}

}  // namespace glyphward::daemon
