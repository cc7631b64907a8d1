#include "daemon/http/http_server.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "daemon/http/api_error.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::redirect_error;
using asio::use_awaitable;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;

namespace {

// How long, and how much of, the rest of a refused request is read, so that its sender gets to read
// the answer.
constexpr std::chrono::seconds kLinger{2};
constexpr std::size_t kLingerBytesMax = 64 << 20;
// When accept() fails for want of descriptors, connections must close before it can go on.
constexpr std::chrono::milliseconds kAcceptPause{100};

std::string new_request_id() {
  std::array<unsigned char, 12> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) {
    throw std::runtime_error("libcrypto has no random bytes");
  }
  std::string id = "req_";
  for (const unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

Peer peer_of(Protocol::socket& socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    throw std::runtime_error("the kernel does not say who the client is");
  }
  return {credentials.pid, credentials.uid, credentials.gid};
}

// What the parser holds against a request; nothing where the client is gone or too slow, which
// nobody would read.
std::optional<Response> parse_failure(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return to_response(ServerError::HeaderTooLarge);
  }
  if (error == http::error::body_limit) return to_response(ServerError::BodyTooLarge);
  if (error.category() == make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return to_response(ServerError::MalformedHttp, error.message());
  }
  return std::nullopt;
}

http::response<http::string_body> to_http(Response response, const std::string& request_id,
                                          bool keep_alive) {
  http::response<http::string_body> reply(static_cast<http::status>(response.status), 11);
  reply.set(http::field::server, "glyphward");
  reply.set(http::field::content_type, response.content_type);
  reply.set("x-request-id", request_id);
  for (const auto& [name, value] : response.headers) reply.set(name, value);
  reply.body() = std::move(response.body);
  reply.keep_alive(keep_alive);
  reply.prepare_payload();
  return reply;
}

}  // namespace

std::string to_string(const Peer& peer) {
  return fmt::format("uid={} gid={} pid={}", peer.uid, peer.gid, peer.pid);
}

struct HttpServer::Connection {
  explicit Connection(Protocol::socket socket) : stream(std::move(socket)) {}
  beast::basic_stream<Protocol> stream;
  beast::flat_buffer buffer;
  Peer peer;
  bool idle = true;  // no request has begun
};

// A peer that has closed its socket shows as an error condition; one that has only ended its
// sending still waits for the answer, and does not.
void Exchange::on_hang_up(std::function<void()> hung_up) {
  socket_->async_wait(Protocol::socket::wait_error,
                      [hung_up = std::move(hung_up)](const error_code& error) {
                        if (!error) hung_up();
                      });
}

HttpServer::HttpServer(asio::io_context& io, std::string name, Protocol::acceptor acceptor,
                       const Limits& limits, Handler handler)
    : io_(io),
      name_(std::move(name)),
      acceptor_(std::move(acceptor)),
      accept_pause_(io),
      limits_(limits),
      handler_(std::move(handler)) {}

void HttpServer::start() {
  const auto ended = [this](const std::exception_ptr& exception) {
    if (!exception) return;
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& error) {
      spdlog::critical("{} socket: accepts no more: {}", name_, error.what());
    }
  };
  asio::co_spawn(io_, accept_loop(), ended);
}

void HttpServer::drain() {
  draining_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  for (const auto& connection : connections_) {
    if (connection->idle) connection->stream.close();
  }
}

void HttpServer::close() {
  drain();
  for (const auto& connection : connections_) connection->stream.close();
}

asio::awaitable<void> HttpServer::accept_loop() {
  while (!draining_) {
    error_code error;
    Protocol::socket socket = co_await acceptor_.async_accept(redirect_error(use_awaitable, error));
    if (draining_ || error == asio::error::operation_aborted) co_return;
    if (error) {
      spdlog::warn("{} socket: accept: {}", name_, error.message());
      accept_pause_.expires_after(kAcceptPause);
      co_await accept_pause_.async_wait(redirect_error(use_awaitable, error));
      continue;
    }
    if (connections_.size() >= static_cast<std::size_t>(limits_.connections_max)) {
      turn_away(std::move(socket));
      continue;
    }
    auto connection = std::make_shared<Connection>(std::move(socket));
    connections_.insert(connection);
    const auto ended = [this, connection](const std::exception_ptr& exception) {
      connections_.erase(connection);
      if (!exception) return;
      try {
        std::rethrow_exception(exception);
      } catch (const std::exception& error) {
        spdlog::warn("{} socket: a connection ended: {}", name_, error.what());
      }
    };
    asio::co_spawn(io_, serve(connection), ended);
  }
}

// Its send buffer is empty, so the answer goes out at once or not at all.
void HttpServer::turn_away(Protocol::socket socket) {
  const auto reply = to_http(to_response(ServerError::TooManyConnections), new_request_id(), false);
  error_code ignored;
  socket.non_blocking(true, ignored);
  std::string bytes;
  {
    std::ostringstream text;
    text << reply;
    bytes = text.str();
  }
  socket.write_some(asio::buffer(bytes), ignored);
  socket.shutdown(Protocol::socket::shutdown_send, ignored);
}

asio::awaitable<void> HttpServer::serve(std::shared_ptr<Connection> connection) {
  connection->peer = peer_of(connection->stream.socket());
  bool go_on = true;
  while (go_on && !draining_) go_on = co_await serve_request(connection);
  error_code ignored;
  connection->stream.socket().shutdown(Protocol::socket::shutdown_both, ignored);
  connection->stream.close();
}

// One request, and its answer. False: close the connection.
asio::awaitable<bool> HttpServer::serve_request(std::shared_ptr<Connection> connection) {
  auto& stream = connection->stream;
  error_code error;
  connection->idle = true;
  if (connection->buffer.size() == 0) {
    stream.expires_after(limits_.idle_timeout);
    const auto room = connection->buffer.prepare(4096);
    const std::size_t count =
        co_await stream.async_read_some(room, redirect_error(use_awaitable, error));
    if (error) co_return false;
    connection->buffer.commit(count);
  }
  connection->idle = false;

  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser.body_limit(limits_.body_bytes_max);
  stream.expires_after(limits_.header_timeout);
  co_await http::async_read_header(stream, connection->buffer, parser,
                                   redirect_error(use_awaitable, error));
  if (!error && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_ahead(http::status::continue_, 11);
    co_await http::async_write(stream, go_ahead, redirect_error(use_awaitable, error));
  }
  if (!error) {
    stream.expires_after(limits_.body_timeout);
    co_await http::async_read(stream, connection->buffer, parser,
                              redirect_error(use_awaitable, error));
  }
  stream.expires_never();
  const std::string request_id = new_request_id();
  if (error) {
    std::optional<Response> refusal = parse_failure(error);
    if (!refusal) {
      spdlog::debug("{} socket: {}: a request broke off: {}", name_, to_string(connection->peer),
                    error.message());
      co_return false;
    }
    spdlog::info("{} {} {}: {}", request_id, to_string(connection->peer), refusal->status,
                 error.message());
    const bool sent = co_await send(connection, std::move(*refusal), request_id, false);
    if (sent) co_await linger(connection);
    co_return false;
  }

  auto exchange = std::make_shared<Exchange>();
  auto request = parser.release();
  exchange->method = std::string(request.method_string());
  exchange->target = std::string(request.target());
  for (const auto& field : request) {
    exchange->headers.emplace_back(field.name_string(), field.value());
  }
  exchange->body = std::move(request.body());
  exchange->request_id = request_id;
  exchange->peer = connection->peer;
  exchange->socket_ = &stream.socket();
  Response response = co_await answer(exchange);
  stream.socket().cancel(error);  // no longer waits for a hang-up
  const bool keep_alive = request.keep_alive() && !draining_;
  const bool sent = co_await send(connection, std::move(response), request_id, keep_alive);
  const bool go_on = sent && keep_alive;
  co_return go_on;
}

asio::awaitable<Response> HttpServer::answer(std::shared_ptr<Exchange> exchange) {
  const auto start = std::chrono::steady_clock::now();
  Response response;
  try {
    response = co_await handler_(exchange);
  } catch (const std::exception& error) {
    spdlog::error("{}: {}", exchange->request_id, error.what());
    response = to_response(ServerError::Internal);
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  const auto level = response.routine ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(level, "{} {} {} {} {} {:.1f} ms", exchange->request_id, to_string(exchange->peer),
              exchange->method, exchange->path().substr(0, 200), response.status, took.count());
  co_return response;
}

asio::awaitable<bool> HttpServer::send(std::shared_ptr<Connection> connection, Response response,
                                       std::string request_id, bool keep_alive) {
  const auto reply = to_http(std::move(response), request_id, keep_alive);
  error_code error;
  connection->stream.expires_after(limits_.write_timeout);
  co_await http::async_write(connection->stream, reply, redirect_error(use_awaitable, error));
  connection->stream.expires_never();
  co_return !error;
}

// A client that still sends would see its connection reset, and might never read the answer.
asio::awaitable<void> HttpServer::linger(std::shared_ptr<Connection> connection) {
  error_code error;
  connection->stream.socket().shutdown(Protocol::socket::shutdown_send, error);
  connection->stream.expires_after(kLinger);
  std::array<char, 16384> rest;
  for (std::size_t total = 0; !error && total < kLingerBytesMax;) {
    total += co_await connection->stream.async_read_some(asio::buffer(rest),
                                                         redirect_error(use_awaitable, error));
  }
}

}  // namespace glyphward::daemon
