// The queue before the model: full, left by its client, past its deadline.
#include <gtest/gtest.h>

#include <set>

#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

TEST(Queue, AnswersOverloadedAtOnceWhenFull) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = 2; });
  test.pace->close_gate();
  std::vector<Connection> accepted;
  accepted.emplace_back(test.config.socket);
  accepted.back().send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  for (int i = 0; i < 2; ++i) {
    accepted.emplace_back(test.config.socket);
    accepted.back().send(generation(kCleanPrompt));
  }
  ASSERT_TRUE(eventually([&] {
    return ask(test.config.admin_socket, get("/v1/status")).body.at("queue").at("waiting") ==
           json::value(2);
  }));
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = ask(test.config.socket, generation(kCleanPrompt));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.code(), "queue_full");
  EXPECT_FALSE(answer.header("Retry-After").empty());
  test.pace->open_gate();
  for (Connection& connection : accepted) EXPECT_EQ(connection.receive().status, 200);
  EXPECT_EQ(test.rows().size(), 3u);  // what was turned away was not accepted
}

TEST(HangUp, EndsTheJobWithinTwoStepsAndItsRowSaysSo) {
  TestDaemon test;
  test.pace->close_gate();
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  connection.hang_up();
  // Steps pass until the row is there: no more than one after the stop.
  ASSERT_TRUE(eventually([&] {
    if (!test.rows().empty()) return true;
    std::this_thread::sleep_for(50ms);
    test.pace->allow_step();
    return false;
  }));
  EXPECT_LE(test.pace->steps_after_stop, 2);
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].outcome, "cancelled");
  EXPECT_NE(rows[0].reason.find("the client hung up"), std::string::npos) << rows[0].reason;
}

TEST(HangUp, InTheQueueFreesThePlaceAndIsRecorded) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = 1; });
  test.pace->close_gate();
  Connection working(test.config.socket);
  working.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  Connection waiting(test.config.socket);
  waiting.send(generation(kCleanPrompt));
  const auto queued = [&] {
    return ask(test.config.admin_socket, get("/v1/status"))
        .body.at("queue")
        .at("waiting")
        .to_number<int>();
  };
  ASSERT_TRUE(eventually([&] { return queued() == 1; }));
  waiting.hang_up();
  ASSERT_TRUE(eventually([&] { return queued() == 0; }));
  Connection next(test.config.socket);
  next.send(generation(kCleanPrompt));
  ASSERT_TRUE(eventually([&] { return queued() == 1; }));
  test.pace->open_gate();
  EXPECT_EQ(working.receive().status, 200);
  EXPECT_EQ(next.receive().status, 200);
  test.stop();
  std::multiset<std::string> outcomes;
  for (const auto& row : test.rows()) outcomes.insert(row.outcome);
  EXPECT_EQ(outcomes, (std::multiset<std::string>{"answered", "answered", "cancelled"}));
  EXPECT_EQ(test.pace->generations, 2);
}

TEST(HangUp, IsNotAClientThatOnlyEndedItsSending) {
  TestDaemon test;
  test.pace->close_gate();
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt));
  connection.half_close();
  ASSERT_TRUE(test.pace->wait_until_working());
  std::this_thread::sleep_for(100ms);
  test.pace->open_gate();
  EXPECT_EQ(connection.receive().status, 200);
}

TEST(Deadline, PassesForTheJobAtWorkAndForOneInTheQueue) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.deadline = 300ms; });
  test.pace->close_gate();
  Connection working(test.config.socket);
  working.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  Connection waiting(test.config.socket);
  waiting.send(generation(kCleanPrompt));
  const Answer waited = waiting.receive();  // at once, although the worker still works
  EXPECT_EQ(waited.status, 504);
  EXPECT_EQ(waited.code(), "deadline_exceeded");
  test.pace->open_gate();
  EXPECT_EQ(working.receive().status, 504);
  test.stop();
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 2u);
  for (const auto& row : rows) {
    EXPECT_EQ(row.outcome, "cancelled");
    EXPECT_NE(row.reason.find("its deadline passed"), std::string::npos) << row.reason;
  }
}

}  // namespace
}  // namespace glyphward::daemon::testing
