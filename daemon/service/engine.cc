#include "daemon/service/engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

#include "guard/record_of.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
using guard::Answer;
using guard::Record;
using guard::RecordFilter;

namespace {

// An idle worker shows that it lives.
constexpr std::chrono::seconds kIdleBeat{1};
// So many abandoned jobs a place in the queue may still wait for their rows.
constexpr std::size_t kAbandonedPerPlace = 4;

Error unavailable(const std::string& message) { return {ErrorCode::Unavailable, message, ""}; }

Error not_ready(const std::string& reason) { return unavailable("not ready: " + reason); }

}  // namespace

std::string EngineStatus::not_ready_reason() const {
  const std::pair<const char*, const PartStatus*> parts[] = {
      {"model", &model}, {"ocr", &ocr}, {"audit", &audit}};
  std::string lines;
  for (const auto& [name, part] : parts) {
    if (part->state == PartState::Ready) continue;
    if (!lines.empty()) lines += '\n';
    lines +=
        std::string(name) + ": " + (part->state == PartState::Loading ? "loading" : part->reason);
  }
  return lines;
}

std::string_view to_string(StopReason reason) {
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

// The worker's and the moderations' way to the log: each call runs on the audit thread, and is
// waited for.
class Engine::RemoteAuditLog : public guard::AuditLog {
 public:
  RemoteAuditLog(asio::thread_pool& thread, std::unique_ptr<guard::AuditLog>& log)
      : thread_(thread), log_(log) {}

  Record append(Record record) override {
    return call<Record>([&](guard::AuditLog& log) { return log.append(std::move(record)); });
  }
  std::vector<Record> list(const RecordFilter& filter) override {
    return call<std::vector<Record>>([&](guard::AuditLog& log) { return log.list(filter); });
  }
  std::optional<Record> find(const std::string& request_id) override {
    return call<std::optional<Record>>([&](guard::AuditLog& log) { return log.find(request_id); });
  }
  std::optional<Record> find(std::int64_t sequence) override {
    return call<std::optional<Record>>([&](guard::AuditLog& log) { return log.find(sequence); });
  }
  guard::ChainCheck verify() override {
    return call<guard::ChainCheck>([](guard::AuditLog& log) { return log.verify(); });
  }

 private:
  // Not std::future's exception: the message alone crosses the threads.
  template <typename Value, typename Function>
  Value call(Function function) {
    std::promise<Result<Value>> promise;
    std::future<Result<Value>> future = promise.get_future();
    asio::post(thread_, [this, &promise, &function] {
      try {
        if (!log_) throw std::runtime_error("it is not open");
        promise.set_value(function(*log_));
      } catch (const std::exception& error) {
        promise.set_value(unavailable(error.what()));
      }
    });
    Result<Value> result = future.get();
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
  }

  asio::thread_pool& thread_;
  std::unique_ptr<guard::AuditLog>& log_;  // the audit thread's
};

// The guard knows that a job was stopped; why is known here, and the row says so.
class Engine::StampedAuditLog : public RemoteAuditLog {
 public:
  StampedAuditLog(asio::thread_pool& thread, std::unique_ptr<guard::AuditLog>& log, const Job& job)
      : RemoteAuditLog(thread, log), job_(job) {}

  Record append(Record record) override {
    if (record.outcome == "cancelled") {
      record.reason += ": ";
      record.reason += to_string(job_.stop_reason_.load());
    }
    return RemoteAuditLog::append(std::move(record));
  }

 private:
  const Job& job_;
};

Engine::Engine(asio::io_context& io, EngineParts parts, const Limits& limits,
               std::function<void()> changed)
    : io_(io), parts_(std::move(parts)), limits_(limits), changed_(std::move(changed)) {}

// A thread that cannot be joined ends the process. NOLINTNEXTLINE(bugprone-exception-escape)
Engine::~Engine() { shut_down(); }

void Engine::start() {
  beat();
  worker_ = std::thread([this] { work(); });
}

void Engine::retry() {
  const std::lock_guard lock(mutex_);
  retry_ = true;
  wake_.notify_all();
}

EngineStatus Engine::status() const {
  const std::lock_guard lock(mutex_);
  EngineStatus status = status_;
  status.queued = static_cast<int>(queue_.size());
  return status;
}

const model::Pipeline* Engine::pipeline() const {
  const std::lock_guard lock(mutex_);
  return shared_pipeline_;
}

Result<std::shared_ptr<Job>> Engine::submit(guard::Screened screened) {
  auto job = std::make_shared<Job>(io_, std::move(screened));
  const std::lock_guard lock(mutex_);
  if (!status_.ready()) return not_ready(status_.not_ready_reason());
  if (closing_) return unavailable("the daemon is stopping");
  const auto places = static_cast<std::size_t>(limits_.queue_size_max);
  if (queue_.size() >= places || abandoned_.size() >= kAbandonedPerPlace * places) {
    ++status_.overloaded;
    return Error{
        ErrorCode::Overloaded,
        "the queue is full (" + std::to_string(places) + " requests wait); try again later", ""};
  }
  queue_.push_back(job);
  wake_.notify_all();
  return job;
}

void Engine::abandon(const std::shared_ptr<Job>& job, StopReason reason) {
  StopReason none = StopReason::None;
  job->stop_reason_.compare_exchange_strong(none, reason);
  job->stop_.request_stop();
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    const auto place = std::find(queue_.begin(), queue_.end(), job);
    waits = place != queue_.end();
    if (waits) {
      queue_.erase(place);
      abandoned_.push_back(job);
      wake_.notify_all();
    }
  }
  if (waits) job->done.set();
}

void Engine::abandon_all(StopReason reason) {
  std::vector<std::shared_ptr<Job>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.assign(queue_.begin(), queue_.end());
    if (current_) jobs.push_back(current_);
  }
  for (const auto& job : jobs) abandon(job, reason);
}

template <typename Value>
asio::awaitable<Result<Value>> Engine::ask_audit(std::function<Value(guard::AuditLog&)> question) {
  std::function<Result<Value>()> work = [this, question = std::move(question)]() -> Result<Value> {
    if (!audit_) return unavailable("the audit log is not open");
    try {
      return question(*audit_);
    } catch (const std::exception& error) {
      return unavailable(std::string("the audit log: ") + error.what());
    }
  };
  co_return co_await run_on<Result<Value>>(audit_thread_, io_, std::move(work));
}

asio::awaitable<Result<Record>> Engine::moderate(guard::Screened screened) {
  const EngineStatus now = status();
  if (!now.ready()) co_return not_ready(now.not_ready_reason());
  auto text = std::make_shared<guard::Screened>(std::move(screened));
  std::function<Result<Record>()> work = [this, text]() -> Result<Record> {
    return guard::record_moderation(*text, *audit_);
  };
  Result<Record> record = co_await run_on<Result<Record>>(audit_thread_, io_, std::move(work));
  if (record) {
    const std::lock_guard lock(mutex_);
    ++status_.moderation_actions[static_cast<std::size_t>(text->decision.action)];
  }
  co_return record;
}

asio::awaitable<Result<std::vector<Record>>> Engine::list(RecordFilter filter) {
  std::function<std::vector<Record>(guard::AuditLog&)> question =
      [filter = std::move(filter)](guard::AuditLog& log) { return log.list(filter); };
  return ask_audit<std::vector<Record>>(std::move(question));
}

asio::awaitable<Result<std::optional<Record>>> Engine::find(std::string request_id) {
  std::function<std::optional<Record>(guard::AuditLog&)> question =
      [request_id = std::move(request_id)](guard::AuditLog& log) { return log.find(request_id); };
  return ask_audit<std::optional<Record>>(std::move(question));
}

asio::awaitable<Result<std::optional<Record>>> Engine::find(std::int64_t sequence) {
  std::function<std::optional<Record>(guard::AuditLog&)> question =
      [sequence](guard::AuditLog& log) { return log.find(sequence); };
  return ask_audit<std::optional<Record>>(std::move(question));
}

bool Engine::worker_alive() const {
  if (status().loading()) return true;  // a large checkpoint takes its time
  const std::chrono::steady_clock::duration beaten(last_beat_.load());
  return std::chrono::steady_clock::now().time_since_epoch() - beaten < limits_.worker_stall;
}

void Engine::shut_down() {
  if (!worker_.joinable()) return;
  abandon_all(StopReason::Shutdown);
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    wake_.notify_all();
  }
  worker_.join();
  // The database is closed by the thread that used it.
  asio::post(audit_thread_, [this] { audit_.reset(); });
  audit_thread_.join();
}

void Engine::beat() {
  last_beat_.store(std::chrono::steady_clock::now().time_since_epoch().count());
}

void Engine::set_part(PartStatus EngineStatus::*part, PartState state, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    PartStatus& status = status_.*part;
    status.state = state;
    status.reason = reason;
    if (part == &EngineStatus::model && state == PartState::Ready)
      shared_pipeline_ = pipeline_.get();
  }
  asio::post(io_, [this] { changed_(); });
}

void Engine::open_parts() {
  const auto open = [this](PartStatus EngineStatus::*part, const char* name, auto&& open_part) {
    {
      const std::lock_guard lock(mutex_);
      if ((status_.*part).state == PartState::Ready) return;
      status_.*part = {};
    }
    try {
      open_part();
      set_part(part, PartState::Ready, "");
      spdlog::info("{}: ready", name);
    } catch (const std::exception& error) {
      set_part(part, PartState::Failed, error.what());
      spdlog::error("{}: {}", name, error.what());
    }
    beat();
  };
  open(&EngineStatus::audit, "audit", [this] {
    std::promise<std::string> opened;
    asio::post(audit_thread_, [this, &opened] {
      try {
        audit_ = parts_.open_audit();
        opened.set_value("");
      } catch (const std::exception& error) {
        opened.set_value(*error.what() == '\0' ? "cannot be opened" : error.what());
      }
    });
    const std::string failure = opened.get_future().get();
    if (!failure.empty()) throw std::runtime_error(failure);
  });
  open(&EngineStatus::ocr, "ocr", [this] { ocr_ = parts_.open_ocr(); });
  open(&EngineStatus::model, "model", [this] { pipeline_ = parts_.load_pipeline(); });
}

// What was abandoned comes first: it only wants its row.
std::shared_ptr<Job> Engine::next_job() {
  std::unique_lock lock(mutex_);
  status_.working = false;
  current_.reset();
  while (abandoned_.empty() && queue_.empty()) {
    if (closing_) return nullptr;
    if (std::exchange(retry_, false)) {
      lock.unlock();
      open_parts();
      lock.lock();
      continue;
    }
    beat();
    wake_.wait_for(lock, std::min<std::chrono::milliseconds>(kIdleBeat, limits_.worker_stall / 4));
  }
  auto& from = abandoned_.empty() ? queue_ : abandoned_;
  current_ = from.front();
  from.pop_front();
  status_.working = true;
  status_.step = status_.steps = 0;
  return current_;
}

void Engine::work() {
  open_parts();
  while (std::shared_ptr<Job> job = next_job()) {
    beat();
    StampedAuditLog audit(audit_thread_, audit_, *job);
    guard::Guard guard(*pipeline_, *ocr_, audit);
    const model::Progress progress = [this](int step, int steps) {
      beat();
      const std::lock_guard lock(mutex_);
      status_.step = step;
      status_.steps = steps;
    };
    Result<Answer> answer = Error{};
    try {
      answer = guard.complete(job->screened, job->stop_.get_token(), progress);
    } catch (const std::exception& error) {
      answer = Error{ErrorCode::Internal, error.what(), ""};
    }
    count(answer, job->screened.decision.action);
    deliver(job, std::move(answer));
  }
}

void Engine::count(const Result<Answer>& answer, policy::Action action) {
  const std::lock_guard lock(mutex_);
  ++status_.generation_actions[static_cast<std::size_t>(action)];
  if (answer) {
    ++(std::holds_alternative<guard::Reply>(*answer) ? status_.answered : status_.refused);
  } else {
    ++(answer.error().code == ErrorCode::Cancelled ? status_.cancelled : status_.failed);
  }
}

void Engine::deliver(const std::shared_ptr<Job>& job, Result<Answer> answer) {
  auto result = std::make_shared<Result<Answer>>(std::move(answer));
  asio::post(io_, [job, result = std::move(result)]() mutable {
    job->result = std::move(result);
    job->done.set();
  });
}

}  // namespace glyphward::daemon
