#include "daemon/cli/client.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <cstdlib>

#include "daemon/cli/command.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr std::size_t kReplyBytesMax = 1u << 30;

[[noreturn]] void fail(const std::filesystem::path& socket, const std::string& what) {
  throw CommandError(
      ExitStatus::Unavailable,
      fmt::format("{}: {}; is glyphwardd running? --socket or GLYPHWARD_SOCKET names its socket",
                  socket.string(), what));
}

}  // namespace

HttpReply http_request(const std::filesystem::path& socket, const std::string& target,
                       const boost::json::value& body, const std::string& tenant) {
  asio::io_context io;
  asio::local::stream_protocol::socket stream(io);
  boost::system::error_code error;
  if (socket.native().size() >= 108) {
    throw CommandError(ExitStatus::Usage,
                       socket.string() + ": a socket's path has at most 107 bytes");
  }
  stream.connect(asio::local::stream_protocol::endpoint(socket.string()), error);
  if (error) fail(socket, error.message());

  http::request<http::string_body> request(body.is_null() ? http::verb::get : http::verb::post,
                                           target, 11);
  request.set(http::field::host, "glyphward");
  request.keep_alive(false);
  if (!tenant.empty()) request.set("OpenAI-Project", tenant);
  if (!body.is_null()) {
    request.set(http::field::content_type, "application/json");
    request.body() = boost::json::serialize(body);
  }
  request.prepare_payload();
  // A server that refuses a request early answers and closes before it has read all of it: read its
  // answer anyway.
  http::write(stream, request, error);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kReplyBytesMax);
  boost::system::error_code read_error;
  http::read(stream, buffer, parser, read_error);
  if (read_error) fail(socket, "no answer (" + read_error.message() + ")");

  HttpReply reply;
  reply.status = static_cast<int>(parser.get().result_int());
  reply.request_id = std::string(parser.get()["x-request-id"]);
  reply.body = boost::json::parse(parser.get().body(), error);
  if (error) fail(socket, "its answer is not JSON");
  return reply;
}

std::filesystem::path service_socket(const std::string& flag) {
  if (!flag.empty()) return flag;
  const char* environment = std::getenv("GLYPHWARD_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  if (environment != nullptr && *environment != '\0') return environment;
  return "/run/glyphward/glyphward.sock";
}

std::filesystem::path admin_socket(const std::filesystem::path& service_socket) {
  return service_socket.string() + ".admin";
}

std::string error_message(const HttpReply& reply) {
  if (const auto* object = reply.body.if_object()) {
    if (const auto* error = object->if_contains("error"); error != nullptr && error->is_object()) {
      if (const auto* message = error->as_object().if_contains("message");
          message != nullptr && message->is_string()) {
        return std::string(message->as_string());
      }
    }
  }
  return fmt::format("HTTP status {}", reply.status);
}

}  // namespace glyphward::daemon
