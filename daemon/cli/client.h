// HTTP/1.1 over a Unix socket, as the commands use it: blocking, one request per connection. Any
// number of threads.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <string>

namespace glyphward::daemon {

struct HttpReply {
  int status = 0;
  std::string request_id;  // the x-request-id header
  boost::json::value body;
};

// `body` null: GET, else POST as JSON; `tenant` as the OpenAI-Project header, unless empty. Waits
// as long as the daemon takes. Throws CommandError naming the socket: Usage if its path is too
// long, Unavailable if nothing listens there, or the answer is cut or not JSON.
HttpReply http_request(const std::filesystem::path& socket, const std::string& target,
                       const boost::json::value& body = nullptr, const std::string& tenant = "");

// --socket where it is given, else GLYPHWARD_SOCKET, else the packaged unit's path.
std::filesystem::path service_socket(const std::string& flag);
std::filesystem::path admin_socket(const std::filesystem::path& service_socket);

// "error.message" of an OpenAI-shaped error object; the status where there is none.
std::string error_message(const HttpReply& reply);

}  // namespace glyphward::daemon
