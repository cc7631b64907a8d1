// HTTP/1.1 with keep-alive on a Unix socket. It knows no API: a handler answers, and what is wrong
// before that (http/api_error.h, ServerError) the server answers itself. Everything happens on the
// io_context's one thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "daemon/http/exchange.h"
#include "daemon/service/config.h"

namespace glyphward::daemon {

class HttpServer {
 public:
  // `name` is for the log. `acceptor` listens already.
  HttpServer(boost::asio::io_context& io, std::string name,
             boost::asio::local::stream_protocol::acceptor acceptor, const Limits& limits,
             Handler handler);

  void start();
  // Takes no more connections, and closes those that have no request under way; the others close
  // after their answer.
  void drain();
  // Closes what is left.
  void close();
  std::size_t connections() const { return connections_.size(); }

 private:
  struct Connection;

  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> serve(std::shared_ptr<Connection> connection);
  boost::asio::awaitable<bool> serve_request(std::shared_ptr<Connection> connection);
  boost::asio::awaitable<Response> answer(std::shared_ptr<Exchange> exchange);
  boost::asio::awaitable<bool> send(std::shared_ptr<Connection> connection, Response response,
                                    std::string request_id, bool keep_alive);
  boost::asio::awaitable<void> linger(std::shared_ptr<Connection> connection);
  void turn_away(boost::asio::local::stream_protocol::socket socket);

  boost::asio::io_context& io_;
  const std::string name_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer accept_pause_;
  const Limits limits_;
  const Handler handler_;
  std::set<std::shared_ptr<Connection>> connections_;
  bool draining_ = false;
};

}  // namespace glyphward::daemon
