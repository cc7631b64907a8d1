// What works behind the sockets: one thread, the worker, that owns pipeline, OCR and guard, with a
// bounded queue before it; and the audit thread, so that a moderation does not wait for a picture.
//
//   io thread --submit()--> queue --> worker --append()--> audit thread
//     |  ^----- GenerationJob::done ----'                       ^
//     '--------------------- moderate(), list(), find() --------'
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "daemon/service/audit_thread.h"
#include "daemon/service/config.h"
#include "daemon/service/generation_job.h"
#include "guard/guard.h"
#include "guard/reading/ocr.h"
#include "model/pipeline.h"

namespace glyphward::daemon {

// How the parts are opened. Each may throw; the exception says why. Called on the thread that will
// own the part.
struct EngineParts {
  std::function<std::unique_ptr<model::Pipeline>()> load_pipeline;
  std::function<std::unique_ptr<guard::Ocr>()> open_ocr;
  AuditThread::OpenLog open_audit;
};

enum class PartState { Loading, Ready, Failed };

struct PartStatus {
  PartState state = PartState::Loading;
  std::string reason;  // why it failed: which file, which key
};

// One count for each policy::Action.
using ActionCounts = std::array<std::uint64_t, policy::kActions.size()>;

struct EngineStatus {
  PartStatus model;
  PartStatus ocr;
  PartStatus audit;
  int queued = 0;
  bool working = false;  // on a job
  int step = 0;          // of the job's `steps`
  int steps = 0;
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t failed = 0;
  std::uint64_t overloaded = 0;
  // The policy's actions on what was accepted, whatever became of it.
  ActionCounts generation_actions{};
  ActionCounts moderation_actions{};

  bool ready() const {
    return model.state == PartState::Ready && ocr.state == PartState::Ready &&
           audit.state == PartState::Ready;
  }
  bool loading() const {
    return model.state == PartState::Loading || ocr.state == PartState::Loading ||
           audit.state == PartState::Loading;
  }
  // One line per part that is not ready: "model: loading", "ocr: why it failed". Empty: ready().
  std::string not_ready_reason() const;
};

// Public members are called on the io thread, unless marked otherwise.
class Engine {
 public:
  // `changed` is called on the io thread whenever a part has become ready or has failed.
  Engine(boost::asio::io_context& io, EngineParts parts, const Limits& limits,
         std::function<void()> changed);
  // shut_down(), if it was not called. NOLINTNEXTLINE(bugprone-exception-escape)
  ~Engine();

  // Starts the threads, which open their parts.
  void start();
  // Tries again to open what failed.
  void retry();

  EngineStatus status() const;  // any thread
  // Null until the model is ready; then it lives as long as the engine. info() and fit() only.
  const model::Pipeline* pipeline() const;

  // Overloaded if the queue is full, Unavailable if a part is not ready.
  Result<std::shared_ptr<GenerationJob>> submit(guard::Screened screened);
  // Tells the job to stop. One that waits is done at once, and only its row is still written; one
  // that has begun ends within two steps.
  void abandon(const std::shared_ptr<GenerationJob>& job, StopReason reason);
  void abandon_all(StopReason reason);

  // Through the audit thread. Unavailable if the log cannot be written or read.
  boost::asio::awaitable<Result<guard::Record>> moderate(guard::Screened screened);
  boost::asio::awaitable<Result<std::vector<guard::Record>>> list(guard::RecordFilter filter);
  boost::asio::awaitable<Result<std::optional<guard::Record>>> find(std::string request_id);
  boost::asio::awaitable<Result<std::optional<guard::Record>>> find(std::int64_t sequence);

  // Is the worker idle, or did it make a step lately? The watchdog's ping says that it is so.
  bool worker_alive() const;

  // Writes the rows of what was abandoned, and joins both threads.
  void shut_down();

 private:
  // Parts.
  void open_parts();
  void set_part(PartStatus EngineStatus::*part, PartState state, const std::string& reason);

  // Queue.
  std::shared_ptr<GenerationJob> next_job();

  // Worker.
  void work();
  Result<guard::Answer> complete(const GenerationJob& job);
  void count(const Result<guard::Answer>& answer, policy::Action action);
  void deliver(const std::shared_ptr<GenerationJob>& job, Result<guard::Answer> answer);
  void beat();

  boost::asio::io_context& io_;
  const EngineParts parts_;
  const Limits limits_;
  const std::function<void()> changed_;

  AuditThread audit_;

  // The worker's.
  std::unique_ptr<model::Pipeline> pipeline_;
  std::unique_ptr<guard::Ocr> ocr_;
  std::thread worker_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Under mutex_:
  EngineStatus status_;
  const model::Pipeline* shared_pipeline_ = nullptr;
  std::deque<std::shared_ptr<GenerationJob>> queue_;
  std::deque<std::shared_ptr<GenerationJob>> abandoned_;  // their rows are still to be written
  std::shared_ptr<GenerationJob> current_;
  bool retry_ = false;
  bool closing_ = false;

  std::atomic<std::chrono::steady_clock::rep> last_beat_ = 0;
};

}  // namespace glyphward::daemon
