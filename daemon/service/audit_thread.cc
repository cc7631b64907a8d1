#include "daemon/service/audit_thread.h"

#include <boost/asio/post.hpp>
#include <future>
#include <stdexcept>

#include "daemon/service/event.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
using guard::Record;

AuditThread::Failure AuditThread::attempt(const Work& work) {
  try {
    work();
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  }
}

void AuditThread::wait_for(const Work& work) {
  std::promise<Failure> promise;
  asio::post(thread_, [&promise, &work] { promise.set_value(attempt(work)); });
  const Failure failure = promise.get_future().get();
  if (failure) throw std::runtime_error(*failure);
}

asio::awaitable<AuditThread::Failure> AuditThread::run(Work work) {
  std::function<Failure()> task = [work = std::move(work)] { return attempt(work); };
  co_return co_await run_on<Failure>(thread_, io_, std::move(task));
}

guard::AuditLog& AuditThread::opened() const {
  if (!log_) throw std::runtime_error("it is not open");
  return *log_;
}

void AuditThread::open() {
  wait_for([this] { log_ = open_log_(); });
}

void AuditThread::close() {
  if (std::exchange(closed_, true)) return;
  wait_for([this] { log_.reset(); });
  thread_.join();
}

Record AuditThread::append(Record record) {
  wait_for([&] { record = opened().append(std::move(record)); });
  return record;
}

std::vector<Record> AuditThread::list(const guard::RecordFilter& filter) {
  std::vector<Record> records;
  wait_for([&] { records = opened().list(filter); });
  return records;
}

std::optional<Record> AuditThread::find(const std::string& request_id) {
  std::optional<Record> record;
  wait_for([&] { record = opened().find(request_id); });
  return record;
}

std::optional<Record> AuditThread::find(std::int64_t sequence) {
  std::optional<Record> record;
  wait_for([&] { record = opened().find(sequence); });
  return record;
}

guard::ChainCheck AuditThread::verify() {
  guard::ChainCheck verification;
  wait_for([&] { verification = opened().verify(); });
  return verification;
}

Record StampedAuditLog::append(Record record) {
  if (record.outcome == "cancelled") {
    record.reason += ": ";
    record.reason += to_string(job_.stop_reason());
  }
  return log_.append(std::move(record));
}

}  // namespace glyphward::daemon
