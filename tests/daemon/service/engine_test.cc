// The engine without sockets; daemon_test.cc has the same queue behind them.
#include "daemon/service/engine.h"

#include <gtest/gtest.h>

#include <future>
#include <set>
#include <vector>

#include "base/config_error.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/service/io_thread.h"

namespace glyphward::daemon::testing {
namespace {

const std::shared_ptr<const policy::Policy>& default_policy_once() {
  static const std::shared_ptr<const policy::Policy> policy =
      policy::Policy::load(fs::path(GLYPHWARD_SOURCE_DIR) / "policy" / "default.toml");
  return policy;
}

// An engine whose io thread is the test's.
class EngineTest : public ::testing::Test {
 protected:
  ~EngineTest() override {
    pace_->open_gate();
    if (engine_) engine_->shut_down();
  }

  void start() {
    engine_ = std::make_unique<Engine>(thread_.io, parts_, limits_, [this] { ++changes_; });
    engine_->start();
  }
  void start_and_wait() {
    start();
    ASSERT_TRUE(eventually([this] { return engine_->status().ready(); }));
  }
  bool eventually(const std::function<bool()>& holds) { return thread_.eventually(holds); }

  guard::Screened screened(const std::string& prompt = R"(a sign that says "hello")") const {
    guard::ImageRequest request;
    request.request_id = "req";
    request.endpoint = "/v1/images/generations";
    request.prompt = prompt;
    return *guard::screen_text(std::move(request), default_policy_once());
  }
  std::shared_ptr<GenerationJob> submit() { return *engine_->submit(screened()); }
  // A job at the closed gate.
  std::shared_ptr<GenerationJob> submit_and_wait_until_working() {
    pace_->close_gate();
    std::shared_ptr<GenerationJob> job = submit();
    EXPECT_TRUE(pace_->wait_until_working());
    return job;
  }
  std::vector<guard::Record> rows() {
    return *thread_.result_of(engine_->list(guard::RecordFilter{}));
  }

  TemporaryDir dir_;
  std::shared_ptr<Pace> pace_ = std::make_shared<Pace>();
  EngineParts parts_ = fake_parts(pace_, dir_.path() / "state");
  Limits limits_;
  IoThread thread_;
  int changes_ = 0;
  std::unique_ptr<Engine> engine_;
};

// ---- Parts

TEST_F(EngineTest, TellsOfEachPartThatIsOpen) {
  start_and_wait();
  ASSERT_TRUE(eventually([this] { return changes_ == 3; }));
  EXPECT_EQ(engine_->pipeline()->info().name, "fake");
}

TEST_F(EngineTest, TakesNothingBeforeItsPartsAreOpenAndLivesMeanwhile) {
  limits_.worker_stall = 100ms;
  std::promise<void> go_on;
  parts_.load_pipeline = [load = parts_.load_pipeline, gate = go_on.get_future().share()] {
    gate.wait();
    return load();
  };
  start();
  ASSERT_TRUE(eventually([this] { return engine_->status().ocr.state == PartState::Ready; }));
  EXPECT_EQ(engine_->pipeline(), nullptr);
  EXPECT_EQ(engine_->submit(screened()).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(engine_->submit(screened()).error().message, "not ready: model: loading");
  std::this_thread::sleep_for(200ms);  // a large checkpoint takes longer than a stall
  EXPECT_TRUE(engine_->worker_alive());
  go_on.set_value();
  EXPECT_TRUE(eventually([this] { return engine_->status().ready(); }));
}

TEST_F(EngineTest, OpensAgainOnlyWhatFailed) {
  std::atomic<bool> broken = true;
  std::atomic<int> models = 0;
  std::atomic<int> logs = 0;
  parts_.load_pipeline = [&, load = parts_.load_pipeline] {
    ++models;
    if (broken) throw ConfigError("unet/config.json", 0, "out_channels", "expected 4, found 5");
    return load();
  };
  parts_.open_audit = [&, open = parts_.open_audit] {
    ++logs;
    return open();
  };
  start();
  ASSERT_TRUE(eventually([this] { return engine_->status().model.state == PartState::Failed; }));
  const std::string reason =
      "not ready: model: unet/config.json: out_channels: expected 4, found 5";
  EXPECT_EQ(engine_->submit(screened()).error().message, reason);
  EXPECT_EQ(thread_.result_of(engine_->moderate(screened())).error().message, reason);

  engine_->retry();
  ASSERT_TRUE(eventually([&] { return models == 2; }));
  ASSERT_TRUE(eventually([this] { return engine_->status().model.state == PartState::Failed; }));
  broken = false;
  engine_->retry();
  ASSERT_TRUE(eventually([this] { return engine_->status().ready(); }));
  EXPECT_EQ(models, 3);
  EXPECT_EQ(logs, 1);
  const auto job = submit();
  ASSERT_TRUE(eventually([&] { return job->done.is_set(); }));
  EXPECT_TRUE(*job->result);
}

TEST_F(EngineTest, OpensTheAuditLogAgainOnItsThread) {
  std::ofstream(dir_.path() / "state") << "a file, not a folder";
  start();
  ASSERT_TRUE(eventually([this] { return !engine_->status().loading(); }));
  EXPECT_EQ(engine_->status().audit.state, PartState::Failed);
  EXPECT_NE(engine_->status().audit.reason.find("state"), std::string::npos);
  EXPECT_EQ(thread_.result_of(engine_->find(1)).error().message, "the audit log is not open");
  fs::remove(dir_.path() / "state");
  engine_->retry();
  EXPECT_TRUE(eventually([this] { return engine_->status().ready(); }));
  EXPECT_TRUE(rows().empty());
}

// ---- Queue

TEST_F(EngineTest, TurnsAwayWhatIsOneTooManyUntilThereIsAPlace) {
  limits_.queue_size_max = 2;
  start_and_wait();
  std::vector<std::shared_ptr<GenerationJob>> jobs{submit_and_wait_until_working()};
  jobs.push_back(submit());
  jobs.push_back(submit());
  const Error error = engine_->submit(screened()).error();
  EXPECT_EQ(error.code, ErrorCode::Overloaded);
  EXPECT_EQ(error.message, "the queue is full (2 requests wait); try again later");
  EXPECT_EQ(engine_->status().queued, 2);
  EXPECT_TRUE(engine_->status().working);
  EXPECT_EQ(engine_->status().overloaded, 1u);
  pace_->open_gate();
  for (const auto& job : jobs) {
    ASSERT_TRUE(eventually([&] { return job->done.is_set(); }));
    EXPECT_TRUE(std::holds_alternative<guard::Reply>(**job->result));
  }
  EXPECT_TRUE(engine_->submit(screened()));
  EXPECT_GE(engine_->status().answered, 3u);
}

TEST_F(EngineTest, AJobThatWaitsIsDoneWhenItIsAbandonedAndOnlyItsRowIsWritten) {
  start_and_wait();
  const auto working = submit_and_wait_until_working();
  const auto waiting = submit();
  engine_->abandon(waiting, StopReason::HangUp);
  EXPECT_TRUE(waiting->done.is_set());
  EXPECT_FALSE(waiting->result);
  EXPECT_EQ(engine_->status().queued, 0);
  pace_->open_gate();
  ASSERT_TRUE(eventually([&] { return engine_->status().cancelled == 1; }));
  EXPECT_EQ(engine_->status().answered, 1u);
  EXPECT_EQ(pace_->generations, 1);
  const auto rows = this->rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].outcome, "cancelled");
  EXPECT_TRUE(rows[0].reason.ends_with(": the client hung up")) << rows[0].reason;
}

TEST_F(EngineTest, AJobAtWorkEndsWithinTwoStepsWhenItIsAbandoned) {
  start_and_wait();
  const auto job = submit_and_wait_until_working();
  engine_->abandon(job, StopReason::Deadline);
  engine_->abandon(job, StopReason::HangUp);  // the first reason stays
  EXPECT_FALSE(job->done.is_set());
  EXPECT_EQ(job->stop_reason(), StopReason::Deadline);
  pace_->open_gate();
  ASSERT_TRUE(eventually([&] { return job->done.is_set(); }));
  EXPECT_EQ(job->result->error().code, ErrorCode::Cancelled);
  EXPECT_LE(pace_->steps_after_stop, 2);
  ASSERT_EQ(rows().size(), 1u);
  EXPECT_TRUE(rows()[0].reason.ends_with(": its deadline passed")) << rows()[0].reason;
}

TEST_F(EngineTest, ClientsThatComeAndGoCannotPileUpRows) {
  limits_.queue_size_max = 1;
  start_and_wait();
  submit_and_wait_until_working();
  int abandoned = 0;
  for (Result<std::shared_ptr<GenerationJob>> job = engine_->submit(screened());
       job && abandoned < 100; job = engine_->submit(screened())) {
    engine_->abandon(*job, StopReason::HangUp);
    ++abandoned;
  }
  EXPECT_EQ(abandoned, 4);
  EXPECT_EQ(engine_->status().queued, 0);
  EXPECT_EQ(engine_->submit(screened()).error().code, ErrorCode::Overloaded);
  pace_->open_gate();
  EXPECT_TRUE(eventually([this] { return engine_->status().cancelled == 4; }));
  EXPECT_TRUE(engine_->submit(screened()));
}

// ---- Worker

TEST_F(EngineTest, LivesWhileItIsIdleOrMakesStepsAndNotWhileItStalls) {
  limits_.worker_stall = 600ms;
  start_and_wait();
  std::this_thread::sleep_for(800ms);
  EXPECT_TRUE(eventually([this] { return engine_->worker_alive(); }));
  const auto job = submit_and_wait_until_working();
  EXPECT_TRUE(eventually([this] { return !engine_->worker_alive(); }));
  pace_->allow_step();
  EXPECT_TRUE(eventually([this] { return engine_->worker_alive(); }));
  // The worker's sign of life comes just before its status.
  EXPECT_TRUE(eventually([this] { return engine_->status().step == 1; }));
  EXPECT_EQ(engine_->status().steps, FakePipeline::kSteps);
  pace_->open_gate();
  EXPECT_TRUE(eventually([&] { return job->done.is_set(); }));
}

TEST_F(EngineTest, ShutDownWritesTheRowsOfWhatItAbandons) {
  start_and_wait();
  const std::vector<std::shared_ptr<GenerationJob>> jobs{submit_and_wait_until_working(), submit(),
                                                         submit()};
  std::thread opener([&] {
    EXPECT_TRUE(testing::eventually([&] { return jobs[0]->stop_reason() != StopReason::None; }));
    pace_->open_gate();
  });
  engine_->shut_down();
  opener.join();
  EXPECT_TRUE(eventually([&] { return jobs[0]->done.is_set(); }));
  EXPECT_EQ(jobs[0]->result->error().code, ErrorCode::Cancelled);
  EXPECT_TRUE(jobs[1]->done.is_set() && jobs[2]->done.is_set());
  const auto log = guard::AuditLog::open_read_only(dir_.path() / "state");
  const auto rows = log->list({});
  ASSERT_EQ(rows.size(), 3u);
  for (const guard::Record& row : rows) {
    EXPECT_EQ(row.outcome, "cancelled");
    EXPECT_TRUE(row.reason.ends_with(": the daemon is stopping")) << row.reason;
  }
  EXPECT_TRUE(log->verify().intact);
  EXPECT_EQ(engine_->submit(screened()).error().message, "the daemon is stopping");
  engine_->shut_down();  // a second time does nothing
}

// ---- The audit log

TEST_F(EngineTest, AModerationDoesNotWaitForAPicture) {
  start_and_wait();
  const auto job = submit_and_wait_until_working();
  const Result<guard::Record> moderated =
      thread_.result_of(engine_->moderate(screened(R"(a sign that says "bitch")")));
  ASSERT_TRUE(moderated);
  EXPECT_EQ(moderated->sequence, 1);
  EXPECT_EQ(moderated->action, "substitute");
  EXPECT_FALSE(job->done.is_set());
  const auto actions = engine_->status().moderation_actions;
  EXPECT_EQ(actions[static_cast<std::size_t>(policy::Action::Substitute)], 1u);
  EXPECT_EQ((*thread_.result_of(engine_->find(1)))->hash, moderated->hash);
  EXPECT_EQ((*thread_.result_of(engine_->find("req")))->hash, moderated->hash);
  pace_->audit_throws = true;
  EXPECT_EQ(thread_.result_of(engine_->moderate(screened())).error().message,
            "the audit log cannot be written: No space left on device");
  EXPECT_EQ(engine_->status().moderation_actions, actions);  // only what was recorded counts
  pace_->audit_throws = false;
}

}  // namespace
}  // namespace glyphward::daemon::testing
