#include "daemon/service/audit_thread.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "tests/daemon/fakes.h"
#include "tests/daemon/service/io_thread.h"

namespace glyphward::daemon::testing {
namespace {

// Which threads touched the log, and in which order it was asked.
struct Seen {
  std::mutex mutex;
  std::vector<std::thread::id> threads;
  std::vector<std::string> appended;

  void note(const std::string& request_id = "") {
    const std::lock_guard lock(mutex);
    threads.push_back(std::this_thread::get_id());
    if (!request_id.empty()) appended.push_back(request_id);
  }
};

class NotingAuditLog : public FailingAuditLog {
 public:
  NotingAuditLog(const fs::path& state_dir, std::shared_ptr<Pace> pace, Seen& seen)
      : FailingAuditLog(guard::AuditLog::open(state_dir), std::move(pace)), seen_(seen) {
    seen_.note();
  }
  ~NotingAuditLog() override { seen_.note(); }
  guard::Record append(guard::Record record) override {
    seen_.note(record.request_id);
    return FailingAuditLog::append(std::move(record));
  }

 private:
  Seen& seen_;
};

guard::Record record(const std::string& request_id, const std::string& outcome = "answered") {
  guard::Record record;
  record.request_id = request_id;
  record.outcome = outcome;
  record.action = "allow";
  record.route = "plain";
  record.rendered_json = record.findings_json = "[]";
  return record;
}

class AuditThreadTest : public ::testing::Test {
 protected:
  AuditThread::Question<guard::Record> appending(const std::string& request_id) {
    return [request_id](guard::AuditLog& log) { return log.append(record(request_id)); };
  }

  TemporaryDir dir_;
  IoThread thread_;
  std::shared_ptr<Pace> pace_ = std::make_shared<Pace>();
  Seen seen_;
  std::atomic<bool> cannot_open_ = false;
  AuditThread audit_{thread_.io, [this]() -> std::unique_ptr<guard::AuditLog> {
                       if (cannot_open_) throw std::runtime_error("state: is not a folder");
                       return std::make_unique<NotingAuditLog>(dir_.path() / "state", pace_, seen_);
                     }};
};

TEST_F(AuditThreadTest, OneThreadOpensAsksAndClosesWhoeverCalls) {
  audit_.open();
  audit_.append(record("blocking"));
  std::thread([this] { audit_.append(record("of another thread")); }).join();
  thread_.result_of(audit_.ask(appending("asked")));
  audit_.close();
  ASSERT_EQ(seen_.threads.size(), 5u);  // opened, three rows, closed
  for (const std::thread::id thread : seen_.threads) {
    EXPECT_EQ(thread, seen_.threads.front());
    EXPECT_NE(thread, std::this_thread::get_id());
  }
}

TEST_F(AuditThreadTest, AnswersBothWaysWithWhatTheLogSays) {
  audit_.open();
  EXPECT_EQ(audit_.append(record("a")).sequence, 1);
  EXPECT_EQ(thread_.result_of(audit_.ask(appending("b")))->sequence, 2);
  EXPECT_EQ(audit_.list({}).size(), 2u);
  EXPECT_EQ(audit_.find("b")->sequence, 2);
  EXPECT_EQ(audit_.find(1)->request_id, "a");
  EXPECT_FALSE(audit_.find(3));
  EXPECT_TRUE(audit_.verify().intact);
}

TEST_F(AuditThreadTest, SaysThatTheLogIsNotOpen) {
  try {
    audit_.append(record("a"));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "it is not open");
  }
  const Result<guard::Record> answer = thread_.result_of(audit_.ask(appending("a")));
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(answer.error().message, "the audit log is not open");
}

TEST_F(AuditThreadTest, OpensAfterItCouldNot) {
  cannot_open_ = true;
  try {
    audit_.open();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "state: is not a folder");
  }
  cannot_open_ = false;
  audit_.open();
  EXPECT_EQ(audit_.append(record("a")).sequence, 1);
}

TEST_F(AuditThreadTest, PassesOnWhyTheLogCannotBeWritten) {
  audit_.open();
  pace_->audit_throws = true;
  try {
    audit_.append(record("a"));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "No space left on device");
  }
  const Result<guard::Record> answer = thread_.result_of(audit_.ask(appending("a")));
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(answer.error().message, "the audit log: No space left on device");
  // An error that the question itself returns stays as it is.
  AuditThread::Question<guard::Record> refusing = [](guard::AuditLog&) -> Result<guard::Record> {
    return Error{ErrorCode::NotFound, "no such row", ""};
  };
  EXPECT_EQ(thread_.result_of(audit_.ask(std::move(refusing))).error().message, "no such row");
  pace_->audit_throws = false;
  EXPECT_EQ(audit_.append(record("a")).sequence, 1);
}

TEST_F(AuditThreadTest, AnswersBeforeItClosesWhatWasAskedBefore) {
  audit_.open();
  std::future<Result<guard::Record>> asked =
      boost::asio::co_spawn(thread_.io, audit_.ask(appending("late")), boost::asio::use_future);
  thread_.io.poll();  // the question is on its way
  audit_.close();
  ASSERT_TRUE(thread_.eventually([&] { return asked.wait_for(0s) == std::future_status::ready; }));
  EXPECT_EQ(asked.get()->sequence, 1);
  EXPECT_EQ(seen_.appended, std::vector<std::string>{"late"});
}

TEST_F(AuditThreadTest, StampsOnlyCancelledRowsWithTheReason) {
  audit_.open();
  const GenerationJob job(thread_.io, guard::Screened{});
  StampedAuditLog stamped(audit_, job);
  guard::Record cancelled = record("a", "cancelled");
  cancelled.reason = "stopped before it began";
  EXPECT_EQ(stamped.append(cancelled).reason, "stopped before it began: it was told to stop");
  EXPECT_EQ(stamped.append(record("b")).reason, "");
  EXPECT_EQ(stamped.list({}).size(), 2u);
  EXPECT_EQ(stamped.find("a")->outcome, "cancelled");
  EXPECT_TRUE(stamped.verify().intact);
}

}  // namespace
}  // namespace glyphward::daemon::testing
