// The audit log and the one thread that touches it.
//
//   worker     --append()--.
//                           >-- questions, in the order in which they come --> the thread, the log
//   io thread  --ask()-----'
//
// SQLite's connection belongs to one thread, and a moderation must not wait for a picture: so the
// log has a thread of its own beside the worker's. Whatever way a question comes, it is asked by
// attempt() on that thread; the ways differ only in how the answer is waited for.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "daemon/service/generation_job.h"
#include "guard/audit/audit_log.h"

namespace glyphward::daemon {

// As a guard::AuditLog, it blocks its caller: for the worker, and for any thread that may wait;
// never for the io thread, which calls ask(). Its thread calls none of this.
class AuditThread : public guard::AuditLog {
 public:
  // How the log is opened; called on the thread. Throws what it cannot open.
  using OpenLog = std::function<std::unique_ptr<guard::AuditLog>()>;
  // Asked on the thread; what it throws becomes Unavailable.
  template <typename Value>
  using Question = std::function<Result<Value>(guard::AuditLog&)>;

  AuditThread(boost::asio::io_context& io, OpenLog open_log)
      : io_(io), open_log_(std::move(open_log)) {}
  // close(), if it was not called. NOLINTNEXTLINE(bugprone-exception-escape)
  ~AuditThread() override { close(); }

  // Blocks until the log is open. Throws std::runtime_error with the reason if it cannot be; then
  // it may be called again.
  void open();
  // Blocks until the log is closed, by the thread that used it, and that thread has ended. What was
  // asked before is answered. Nothing may be asked afterwards.
  void close();

  // Io thread. Unavailable if the log is not open, or if the question throws.
  template <typename Value>
  boost::asio::awaitable<Result<Value>> ask(Question<Value> question);

  // Blocking. Each throws std::runtime_error if the log is not open, or with the text of what the
  // log itself throws.
  guard::Record append(guard::Record record) override;
  std::vector<guard::Record> list(const guard::RecordFilter& filter) override;
  std::optional<guard::Record> find(const std::string& request_id) override;
  std::optional<guard::Record> find(std::int64_t sequence) override;
  guard::ChainCheck verify() override;

 private:
  using Work = std::function<void()>;
  // The text of what the work threw; nothing if it was done. The exception itself stays on its
  // thread.
  using Failure = std::optional<std::string>;

  static Failure attempt(const Work& work);  // on the thread: the one way to the log
  void wait_for(const Work& work);           // blocks; throws std::runtime_error(failure)
  boost::asio::awaitable<Failure> run(Work work);
  guard::AuditLog& opened() const;  // on the thread; throws if there is none

  boost::asio::io_context& io_;
  const OpenLog open_log_;
  boost::asio::thread_pool thread_{1};
  bool closed_ = false;                   // the owner's
  std::unique_ptr<guard::AuditLog> log_;  // the thread's
};

template <typename Value>
boost::asio::awaitable<Result<Value>> AuditThread::ask(Question<Value> question) {
  // Shared with the work: a coroutine that is destroyed while it waits does not take it back.
  auto answer = std::make_shared<Result<Value>>(
      Error{ErrorCode::Unavailable, "the audit log is not open", ""});
  Work work = [this, answer, question = std::move(question)] {
    if (log_) *answer = question(*log_);
  };
  const Failure failure = co_await run(std::move(work));
  if (failure) *answer = Error{ErrorCode::Unavailable, "the audit log: " + *failure, ""};
  co_return std::move(*answer);
}

// The log as one job's guard sees it. The guard knows that the job was stopped; why is known here,
// and the row says so. On the thread that `log` may be called on; both outlive it.
class StampedAuditLog : public guard::AuditLog {
 public:
  StampedAuditLog(guard::AuditLog& log, const GenerationJob& job) : log_(log), job_(job) {}

  guard::Record append(guard::Record record) override;
  std::vector<guard::Record> list(const guard::RecordFilter& filter) override {
    return log_.list(filter);
  }
  std::optional<guard::Record> find(const std::string& request_id) override {
    return log_.find(request_id);
  }
  std::optional<guard::Record> find(std::int64_t sequence) override { return log_.find(sequence); }
  guard::ChainCheck verify() override { return log_.verify(); }

 private:
  guard::AuditLog& log_;
  const GenerationJob& job_;
};

}  // namespace glyphward::daemon
