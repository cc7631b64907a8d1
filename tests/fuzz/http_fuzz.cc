// Fuzz target: the bytes that a client sends, into the real HttpServer over a Unix socket in the
// abstract namespace. Every connection ends, and the server takes the next one.
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "daemon/http/http_server.h"
#include "daemon/http/openai.h"

namespace {

using namespace glyphward::daemon;
namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;

asio::awaitable<Response> answer(std::shared_ptr<Exchange> exchange) {
  if (exchange->method.empty()) std::abort();
  const auto tenant = tenant_of(*exchange);
  if (!tenant) co_return to_response(tenant.error());
  co_return json_response(boost::json::object{{"bytes", exchange->body.size()}});
}

class Server {
 public:
  Server() {
    spdlog::set_level(spdlog::level::off);
    Limits limits;
    limits.header_bytes_max = 1024;
    limits.body_bytes_max = 4096;
    server_ = std::make_unique<HttpServer>(io_, "fuzz", Protocol::acceptor(io_, endpoint_), limits,
                                           answer);
    server_->start();
  }

  void take(const std::uint8_t* data, std::size_t size) {
    const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 ||
        ::connect(client, endpoint_.data(), static_cast<socklen_t>(endpoint_.size())) != 0) {
      std::abort();
    }
    // The socket's buffer takes all of it: inputs are short.
    if (size > 0 && ::send(client, data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size))
      std::abort();
    ::shutdown(client, SHUT_WR);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(8);
    while (!was_answered(client)) {
      io_.run_one_for(std::chrono::seconds(1));
      if (std::chrono::steady_clock::now() > end) std::abort();
    }
    ::close(client);
    while (server_->connections() > 0) io_.run_one_for(std::chrono::seconds(1));
  }

 private:
  // Has the server closed? What it said is thrown away.
  static bool was_answered(int client) {
    char bytes[4096];
    for (;;) {
      const ssize_t count = ::recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
      if (count == 0) return true;
      if (count < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    }
  }

  Protocol::endpoint endpoint_{std::string(1, '\0') + "glyphward-fuzz-" +
                               std::to_string(::getpid())};
  asio::io_context io_{1};
  std::unique_ptr<HttpServer> server_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server server;
  if (size <= 16384) server.take(data, size);
  return 0;
}
