// Many clients at once.
#include <gtest/gtest.h>

#include <set>

#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

TEST(Load, AHundredClientsAreAllAnsweredAndRecordedOnce) {
  constexpr int kClients = 100;
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = kClients; });
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const std::string& prompt = i % 2 == 0 ? kCleanPrompt : kToxicPrompt;
      if (ask(test.config.socket, generation(prompt)).status == 200) ++answered;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, kClients);
  const auto rows = test.rows();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kClients));
  std::set<std::string> ids;
  for (const auto& row : rows) ids.insert(row.request_id);
  EXPECT_EQ(ids.size(), rows.size());
  EXPECT_TRUE(test.verify().intact) << test.verify().message;
}

TEST(Load, ClientsThatComeAndGoLeaveTheDaemonServing) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = 4; });
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        Connection connection(test.config.socket);
        const std::string request = generation(kToxicPrompt);
        connection.send(
            request.substr(0, request.size() - static_cast<std::size_t>((i + round) % 3)));
        if ((i + round) % 2 == 0) std::this_thread::sleep_for(1ms);
        connection.hang_up();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(
      eventually([&] { return ask(test.config.socket, generation(kCleanPrompt)).status == 200; }));
  test.stop();
  EXPECT_TRUE(test.verify().intact);
  EXPECT_EQ(test.rows().front().outcome, "answered");
}

}  // namespace
}  // namespace glyphward::daemon::testing
