// One request for pictures on its way through the engine's queue.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "daemon/service/event.h"
#include "guard/guard.h"

namespace glyphward::daemon {

// Why a job was told to stop; its row says so.
enum class StopReason { None, HangUp, Deadline, Shutdown };

// "the client hung up": what follows a colon.
constexpr std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::HangUp:
      return "the client hung up";
    case StopReason::Deadline:
      return "its deadline passed";
    case StopReason::Shutdown:
      return "the daemon is stopping";
    case StopReason::None:
      break;
  }
  return "it was told to stop";
}

// Shared by the client's coroutine (io thread), the queue and the worker.
class GenerationJob {
 public:
  GenerationJob(boost::asio::io_context& io, guard::Screened screened_in)
      : screened(std::move(screened_in)), done(io) {}

  const guard::Screened screened;  // any thread
  // Io thread only. Set when there is a result, or when the job was abandoned before it began.
  Event done;
  // Io thread only. Null until `done` is set; still null then if the job was abandoned before it
  // began.
  std::shared_ptr<Result<guard::Answer>> result;

  // Any thread. None unless it was told to stop; the first reason stays.
  StopReason stop_reason() const { return stop_reason_; }
  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  friend class Engine;  // Engine::abandon() stops a job, and sees to its row
  void request_stop(StopReason reason) {
    StopReason none = StopReason::None;
    stop_reason_.compare_exchange_strong(none, reason);
    stop_.request_stop();
  }

  std::stop_source stop_;
  std::atomic<StopReason> stop_reason_ = StopReason::None;
};

}  // namespace glyphward::daemon
