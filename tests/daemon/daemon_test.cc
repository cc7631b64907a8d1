// The daemon's life: sockets, start, drain, systemd; and which socket answers what.
#include "daemon/daemon.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/config_error.h"
#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

TEST(Service, ListsItsModelAndKnowsItsPaths) {
  TestDaemon test;
  const Answer models = ask(test.config.socket, get("/v1/models"));
  EXPECT_EQ(text_at(models.body.at("data").at(0), "id"), "fake");
  EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);
  EXPECT_EQ(ask(test.config.socket, get("/nothing")).status, 404);
  // Who may ask for a picture may not read everyone's prompts.
  EXPECT_EQ(ask(test.config.socket, get("/v1/decisions")).status, 404);
  EXPECT_EQ(ask(test.config.socket, get("/v1/status")).status, 404);
  EXPECT_EQ(ask(test.config.admin_socket, generation(kCleanPrompt)).status, 404);
  const Answer wrong = ask(test.config.socket, get("/v1/images/generations"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "POST");
}

TEST(Drain, AnswersWhatWasAcceptedAndTakesNoMore) {
  auto test = std::make_unique<TestDaemon>();
  test->pace->close_gate();
  std::vector<Connection> accepted;
  for (int i = 0; i < 3; ++i) {
    accepted.emplace_back(test->config.socket);
    accepted.back().send(generation(kCleanPrompt));
  }
  Connection idle(test->config.socket);
  ASSERT_TRUE(eventually([&] {
    return ask(test->config.admin_socket, get("/v1/status")).body.at("queue").at("waiting") ==
           json::value(2);
  }));
  test->daemon->stop();
  EXPECT_TRUE(idle.closed());
  EXPECT_THROW(Connection(test->config.socket), std::runtime_error);
  EXPECT_FALSE(test->ended());
  test->pace->open_gate();
  for (Connection& connection : accepted) {
    const Answer answer = connection.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Connection"), "close");
  }
  test->stop();
  EXPECT_EQ(test->rows().size(), 3u);
  EXPECT_FALSE(fs::exists(test->config.socket));
  EXPECT_FALSE(fs::exists(test->config.admin_socket));
}

TEST(Drain, StopsWhatIsNotDoneWithinTheGrace) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.drain_grace = 200ms; });
  test.pace->close_gate();
  Connection working(test.config.socket);
  working.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  Connection waiting(test.config.socket);
  waiting.send(generation(kCleanPrompt));
  ASSERT_TRUE(eventually([&] {
    return ask(test.config.admin_socket, get("/v1/status")).body.at("queue").at("waiting") ==
           json::value(1);
  }));
  test.daemon->stop();
  EXPECT_EQ(waiting.receive().status, 503);
  test.pace->open_gate();
  EXPECT_EQ(working.receive().status, 503);
  test.stop();
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 2u);
  for (const auto& row : rows) {
    EXPECT_NE(row.reason.find("the daemon is stopping"), std::string::npos) << row.reason;
  }
}

TEST(Sockets, AreGivenTheirPermissions) {
  TestDaemon test;
  struct stat status;
  ASSERT_EQ(::stat(test.config.admin_socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(test.config.socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
}

TEST(Sockets, AStaleFileIsReplacedAndALiveOneIsNot) {
  TestDaemon first;
  Config config = first.config;
  config.state_dir = first.dir.path() / "other";
  EXPECT_THROW(Daemon(config, {}), ConfigError);
  EXPECT_EQ(ask(first.config.socket, get("/healthz")).status, 200);

  TemporaryDir dir;
  const fs::path stale = dir.path() / "stale.sock";
  {
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::acceptor left_over(
        io, boost::asio::local::stream_protocol::endpoint(stale.string()));
  }
  ASSERT_TRUE(fs::exists(stale));
  TestDaemon second([&](Config& changed, DaemonParts&) { changed.socket = stale; });
  EXPECT_EQ(ask(stale, get("/healthz")).status, 200);

  std::ofstream(dir.path() / "file") << "not a socket";
  config.socket = dir.path() / "file";
  EXPECT_THROW(Daemon(config, {}), ConfigError);
  EXPECT_TRUE(fs::exists(config.socket));
}

// Takes the daemon's notifications while it lives. Reads all the time, as systemd does: sd_notify
// waits where the queue is full.

class NotifySocket {
 public:
  explicit NotifySocket(const fs::path& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("bind failed");
    }
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "90000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    reader_ = std::jthread([this](std::stop_token stop) {
      for (; !stop.stop_requested(); std::this_thread::sleep_for(5ms)) drain();
    });
  }
  ~NotifySocket() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    reader_ = {};
    ::close(fd_);
  }
  // How many pings came since the last call.
  int pings() { return pings_.exchange(0); }

 private:
  void drain() {
    char bytes[4096];
    for (ssize_t length = 0; (length = ::recv(fd_, bytes, sizeof bytes, 0)) > 0;) {
      if (std::string_view(bytes, static_cast<std::size_t>(length)).starts_with("WATCHDOG=1"))
        ++pings_;
    }
  }

  int fd_;
  std::atomic<int> pings_ = 0;
  std::jthread reader_;
};

TEST(Watchdog, IsFedOnlyWhileTheWorkerMakesSteps) {
  TemporaryDir dir;
  NotifySocket systemd(dir.path() / "notify");
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.worker_stall = 1s; });
  EXPECT_TRUE(eventually([&] { return systemd.pings() > 0; }));
  test.pace->close_gate();
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  std::this_thread::sleep_for(1500ms);  // longer than a stall
  systemd.pings();
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(systemd.pings(), 0);
  EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);  // though the sockets answer
  test.pace->open_gate();
  EXPECT_EQ(connection.receive().status, 200);
  EXPECT_TRUE(eventually([&] { return systemd.pings() > 0; }));
}

}  // namespace
}  // namespace glyphward::daemon::testing
