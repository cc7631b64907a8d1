#include "daemon/service/engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "guard/record_of.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
using guard::Answer;
using guard::Record;
using guard::RecordFilter;

namespace {

// An idle worker shows that it lives.
constexpr std::chrono::seconds kIdleBeat{1};
// So many abandoned jobs per place in the queue may still wait for their rows.
constexpr std::size_t kAbandonedPerPlace = 4;

Error unavailable(const std::string& message) { return {ErrorCode::Unavailable, message, ""}; }

Error not_ready(const EngineStatus& status) {
  return unavailable("not ready: " + status.not_ready_reason());
}

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

Engine::Engine(asio::io_context& io, EngineParts parts, const Limits& limits,
               std::function<void()> changed)
    : io_(io),
      parts_(std::move(parts)),
      limits_(limits),
      changed_(std::move(changed)),
      audit_(io, parts_.open_audit) {}

// A thread that cannot be joined ends the process. NOLINTNEXTLINE(bugprone-exception-escape)
Engine::~Engine() { shut_down(); }

void Engine::start() {
  beat();
  worker_ = std::thread([this] { work(); });
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
  audit_.close();
}

EngineStatus Engine::status() const {
  const std::lock_guard lock(mutex_);
  EngineStatus status = status_;
  status.queued = static_cast<int>(queue_.size());
  return status;
}

// ---- Parts --------------------------------------------------------------------------------------

void Engine::retry() {
  const std::lock_guard lock(mutex_);
  retry_ = true;
  wake_.notify_all();
}

const model::Pipeline* Engine::pipeline() const {
  const std::lock_guard lock(mutex_);
  return shared_pipeline_;
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
      const char* reason = *error.what() == '\0' ? "cannot be opened" : error.what();
      set_part(part, PartState::Failed, reason);
      spdlog::error("{}: {}", name, reason);
    }
    beat();
  };
  open(&EngineStatus::audit, "audit", [this] { audit_.open(); });
  open(&EngineStatus::ocr, "ocr", [this] { ocr_ = parts_.open_ocr(); });
  open(&EngineStatus::model, "model", [this] { pipeline_ = parts_.load_pipeline(); });
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

// ---- Queue --------------------------------------------------------------------------------------

Result<std::shared_ptr<GenerationJob>> Engine::submit(guard::Screened screened) {
  auto job = std::make_shared<GenerationJob>(io_, std::move(screened));
  const std::lock_guard lock(mutex_);
  if (!status_.ready()) return not_ready(status_);
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

void Engine::abandon(const std::shared_ptr<GenerationJob>& job, StopReason reason) {
  job->request_stop(reason);
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
  std::vector<std::shared_ptr<GenerationJob>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.assign(queue_.begin(), queue_.end());
    if (current_) jobs.push_back(current_);
  }
  for (const auto& job : jobs) abandon(job, reason);
}

// What was abandoned comes first: it only wants its row. Null when the engine is closing and all
// rows are written.
std::shared_ptr<GenerationJob> Engine::next_job() {
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

// ---- Worker -------------------------------------------------------------------------------------

void Engine::work() {
  open_parts();
  while (const std::shared_ptr<GenerationJob> job = next_job()) {
    beat();
    Result<Answer> answer = complete(*job);
    count(answer, job->screened.decision.action);
    deliver(job, std::move(answer));
  }
}

Result<Answer> Engine::complete(const GenerationJob& job) {
  StampedAuditLog audit(audit_, job);
  guard::Guard guard(*pipeline_, *ocr_, audit);
  const model::Progress progress = [this](int step, int steps) {
    beat();
    const std::lock_guard lock(mutex_);
    status_.step = step;
    status_.steps = steps;
  };
  try {
    return guard.complete(job.screened, job.stop_token(), progress);
  } catch (const std::exception& error) {
    return Error{ErrorCode::Internal, error.what(), ""};
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

void Engine::deliver(const std::shared_ptr<GenerationJob>& job, Result<Answer> answer) {
  auto result = std::make_shared<Result<Answer>>(std::move(answer));
  asio::post(io_, [job, result = std::move(result)]() mutable {
    job->result = std::move(result);
    job->done.set();
  });
}

void Engine::beat() {
  last_beat_.store(std::chrono::steady_clock::now().time_since_epoch().count());
}

bool Engine::worker_alive() const {
  if (status().loading()) return true;  // a large checkpoint takes its time
  const std::chrono::steady_clock::duration beaten(last_beat_.load());
  return std::chrono::steady_clock::now().time_since_epoch() - beaten < limits_.worker_stall;
}

// ---- The audit log ------------------------------------------------------------------------------

asio::awaitable<Result<Record>> Engine::moderate(guard::Screened screened) {
  const EngineStatus now = status();
  if (!now.ready()) co_return not_ready(now);
  const policy::Action action = screened.decision.action;
  AuditThread::Question<Record> question = [screened = std::move(screened)](guard::AuditLog& log) {
    return guard::record_moderation(screened, log);
  };
  Result<Record> record = co_await audit_.ask<Record>(std::move(question));
  if (record) {
    const std::lock_guard lock(mutex_);
    ++status_.moderation_actions[static_cast<std::size_t>(action)];
  }
  co_return record;
}

asio::awaitable<Result<std::vector<Record>>> Engine::list(RecordFilter filter) {
  AuditThread::Question<std::vector<Record>> question =
      [filter = std::move(filter)](guard::AuditLog& log) { return log.list(filter); };
  return audit_.ask<std::vector<Record>>(std::move(question));
}

asio::awaitable<Result<std::optional<Record>>> Engine::find(std::string request_id) {
  AuditThread::Question<std::optional<Record>> question =
      [request_id = std::move(request_id)](guard::AuditLog& log) { return log.find(request_id); };
  return audit_.ask<std::optional<Record>>(std::move(question));
}

asio::awaitable<Result<std::optional<Record>>> Engine::find(std::int64_t sequence) {
  AuditThread::Question<std::optional<Record>> question = [sequence](guard::AuditLog& log) {
    return log.find(sequence);
  };
  return audit_.ask<std::optional<Record>>(std::move(question));
}

}  // namespace glyphward::daemon
