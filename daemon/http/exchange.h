// One request and its answer, as server, routes and endpoints pass them on. Io thread only.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
  std::string content_type = "application/json";
  std::string body;                                               // its bytes
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides those that all have
  bool routine = false;  // probes ask for it all the time: logged at level debug only
};

inline Response json_response(const boost::json::value& body, int status = 200) {
  Response response;
  response.status = status;
  response.body = boost::json::serialize(body);
  return response;
}

// One request that is being answered.
class Exchange {
 public:
  std::string method;
  std::string target;  // path and query, as sent
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // as sent; a name may come twice
  std::string request_id;  // ours: a client cannot choose what the audit log calls it
  std::string parameter;   // of the path, where its route has one (http/routes.h)
  Peer peer;

  std::string path() const { return target.substr(0, target.find('?')); }

  // `hung_up` is called at most once, when the client closes its connection before it was answered.
  void on_hang_up(std::function<void()> hung_up);

 private:
  friend class HttpServer;
  boost::asio::local::stream_protocol::socket* socket_ = nullptr;
};

// Answers a request. An exception becomes a 500 that says nothing of its cause.
using Handler = std::function<boost::asio::awaitable<Response>(std::shared_ptr<Exchange>)>;

}  // namespace glyphward::daemon
