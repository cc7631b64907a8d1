// The server beneath the endpoints: HTTP/1.1 as clients speak it, well and badly.
#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

// ---- The server alone, with a handler of the test's

class HttpServerTest : public ::testing::Test {
 protected:
  using Protocol = boost::asio::local::stream_protocol;

  void start(Handler handler, const Limits& limits = {}) {
    server_ = std::make_unique<HttpServer>(
        io_, "test", Protocol::acceptor(io_, Protocol::endpoint(socket_.string())), limits,
        std::move(handler));
    server_->start();
    thread_ = std::thread([this] { io_.run(); });
  }
  void TearDown() override {
    boost::asio::post(io_, [this] { server_->close(); });
    thread_.join();
  }

  std::string ask_for_id() {
    Connection connection(socket_);
    connection.send(get("/"));
    return connection.receive_bytes().first.header("x-request-id");
  }

  TemporaryDir dir_;
  const fs::path socket_ = dir_.path() / "test.sock";

 private:
  boost::asio::io_context io_{1};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

boost::asio::awaitable<Response> teapot(std::shared_ptr<Exchange> exchange) {
  Response response;
  response.status = 418;
  response.content_type = "image/png";
  response.body = exchange->method + " " + exchange->path() + " " + exchange->body;
  response.headers.emplace_back("Allow", "coffee");
  co_return response;
}

boost::asio::awaitable<Response> failure(std::shared_ptr<Exchange> /*exchange*/) {
  throw std::runtime_error("a secret");
  co_return Response{};
}

TEST_F(HttpServerTest, SendsTheHandlersBytesWithTheirTypeAndHeaders) {
  start(teapot);
  Connection connection(socket_);
  connection.send("BREW /pot?milk HTTP/1.1\r\nContent-Length: 5\r\n\r\nthree");
  const auto [answer, body] = connection.receive_bytes();
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(body, "BREW /pot three");
  EXPECT_EQ(answer.header("Content-Type"), "image/png");
  EXPECT_EQ(answer.header("Allow"), "coffee");
  EXPECT_EQ(answer.header("Server"), "glyphward");
  EXPECT_TRUE(answer.header("x-request-id").starts_with("req_"));
}

TEST_F(HttpServerTest, SaysNothingOfAnExceptionsCauseAndServesOn) {
  start(failure);
  Connection connection(socket_);
  for (int i = 0; i < 2; ++i) {
    connection.send(get("/"));
    const Answer answer = connection.receive();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.code(), "internal_error");
    EXPECT_EQ(answer.message(), "an internal error");
  }
}

TEST_F(HttpServerTest, GivesEveryRequestAnIdOfItsOwn) {
  start(teapot);
  const std::string first = ask_for_id();
  EXPECT_NE(first, ask_for_id());
}

TEST_F(HttpServerTest, DoesNotAskTheHandlerWhereTheRequestIsTooLarge) {
  Limits limits;
  limits.body_bytes_max = 4;
  start(teapot, limits);
  EXPECT_EQ(ask(socket_, post("/", "12345")).code(), "request_too_large");
}

// ---- Under the daemon

TEST(Http, AnswersMalformedRequestsAndCloses) {
  TestDaemon test;
  struct Case {
    const char* note;
    std::string bytes;
    int status;
  };
  const Case table[] = {
      {"no HTTP", "hello there\r\n\r\n", 400},
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n", 400},
      {"bad version", "GET /healthz HTTP/9.9\r\n\r\n", 400},
      {"bad header", "GET /healthz HTTP/1.1\r\nno colon here\r\n\r\n", 400},
      {"bad length", "POST /v1/moderations HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400},
      {"two lengths",
       "POST /v1/moderations HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
      {"bad chunk", "POST /v1/moderations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       400},
      {"large header", "GET /healthz HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
      {"large body announced", "POST /v1/moderations HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
       413},
      {"large body sent", post("/v1/moderations", std::string(2 << 20, ' ')), 413},
  };
  for (const Case& bad : table) {
    Connection connection(test.config.socket);
    connection.send(bad.bytes);
    const Answer answer = connection.receive();
    EXPECT_EQ(answer.status, bad.status) << bad.note;
    EXPECT_FALSE(answer.message().empty()) << bad.note;
    EXPECT_TRUE(connection.closed()) << bad.note;
  }
  EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);
}

TEST(Http, ServesManyRequestsOnOneConnectionAlsoPipelined) {
  TestDaemon test;
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt) + get("/healthz") + get("/v1/models"));
  EXPECT_EQ(connection.receive().status, 200);
  EXPECT_EQ(text_at(connection.receive().body, "status"), "ok");
  EXPECT_EQ(text_at(connection.receive().body, "object"), "list");
}

TEST(Http, ReadsChunkedBodiesAndAnswersExpect) {
  TestDaemon test;
  Connection connection(test.config.socket);
  connection.send(
      "POST /v1/moderations HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(connection.receive().status, 100);
  connection.send("8\r\n{\"input\"\r\n7\r\n: \"hi\"}\r\n0\r\n\r\n");
  EXPECT_EQ(connection.receive().status, 200);
}

TEST(Http, ClosesOnAClientThatTakesItsTimeAndServesTheOthers) {
  TestDaemon test([](Config& config, DaemonParts&) {
    config.limits.header_timeout = 300ms;
    config.limits.body_timeout = 300ms;
    config.limits.idle_timeout = 300ms;
  });
  Connection in_header(test.config.socket);
  Connection in_body(test.config.socket);
  Connection idle(test.config.socket);
  in_body.send("POST /v1/moderations HTTP/1.1\r\nContent-Length: 50\r\n\r\n{");
  const auto start = std::chrono::steady_clock::now();
  // A byte now and then does not buy more time.
  const std::string request = get("/healthz");
  for (std::size_t i = 0; i < 20 && in_header.send(request.substr(i, 1)); ++i) {
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);
  }
  EXPECT_TRUE(in_header.closed());
  EXPECT_TRUE(in_body.closed());
  EXPECT_TRUE(idle.closed());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(Http, TurnsAwayOneConnectionTooMany) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.connections_max = 3; });
  std::vector<Connection> held;
  for (int i = 0; i < 3; ++i) {
    held.emplace_back(test.config.socket);
    held.back().send(get("/healthz"));
    EXPECT_EQ(held.back().receive().status, 200);
  }
  const Answer answer = ask(test.config.socket, get("/healthz"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "too_many_connections");
  held.pop_back();
  EXPECT_TRUE(eventually([&] { return ask(test.config.socket, get("/healthz")).status == 200; }));
}

}  // namespace
}  // namespace glyphward::daemon::testing
