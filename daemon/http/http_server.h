// HTTP/1.1 with keep-alive on a Unix socket. Everything happens on the io_context's one thread.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/service/config.h"

namespace glyphward::daemon {

// Who is at the other end of a connection, as the kernel says.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
std::string to_string(const Peer& peer);  // "uid=1000 gid=1000 pid=4242"

struct Response {
  int status = 200;
  boost::json::value body;
  std::string text = {};  // instead of the body where it is not empty: plain text
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides those that all have
};

// One request that is being answered.
class Exchange {
 public:
  std::string method;
  std::string target;  // path and query, as sent
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // as sent; a name may come twice
  std::string request_id;  // ours: a client cannot choose what the audit log calls it
  Peer peer;

  // `hung_up` is called at most once, when the client closes its connection before it was answered.
  void on_hang_up(std::function<void()> hung_up);

 private:
  friend class HttpServer;
  boost::asio::local::stream_protocol::socket* socket_ = nullptr;
};

// Answers a request. An exception becomes a 500 that says nothing of its cause.
using Handler = std::function<boost::asio::awaitable<Response>(std::shared_ptr<Exchange>)>;

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
