// A client of the daemon's sockets that can misbehave, and the requests that tests send.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace glyphward::daemon::testing {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;

inline const std::string kCleanPrompt = R"(a red sign that says "hello")";
inline const std::string kToxicPrompt = R"(a red sign that says "bitch")";

// What came back on a connection.
struct Answer {
  int status = 0;  // 0: the connection closed without one
  std::string head;
  json::value body;

  std::string header(std::string name) const {
    const auto start = head.find("\r\n" + name + ": ");
    if (start == std::string::npos) return "";
    const auto from = start + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
  std::string code() const { return error_member("code"); }
  std::string param() const { return error_member("param"); }
  std::string message() const { return error_member("message"); }

 private:
  std::string error_member(const char* name) const {
    const auto* object = body.if_object();
    const auto* error = object != nullptr ? object->if_contains("error") : nullptr;
    const auto* member =
        error != nullptr && error->is_object() ? error->as_object().if_contains(name) : nullptr;
    return member != nullptr && member->is_string() ? std::string(member->as_string()) : "";
  }
};

// A blocking connection that sends whatever bytes a test wants.
class Connection {
 public:
  explicit Connection(const fs::path& socket)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(fd_);
      throw std::runtime_error("connect failed");
    }
    timeval patience{60, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Connection(Connection&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), rest_(std::move(other.rest_)) {}
  ~Connection() { hang_up(); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  Answer receive() {
    Answer answer = receive_head();
    const std::string body = receive_body(answer);
    if (answer.status != 0 && !body.empty()) answer.body = json::parse(body);
    return answer;
  }
  // The body as it is; empty if there is none.
  std::pair<Answer, std::string> receive_bytes() {
    Answer answer = receive_head();
    std::string body = receive_body(answer);
    return {std::move(answer), std::move(body)};
  }
  std::string receive_text() { return receive_bytes().second; }
  // Did the other side close?
  bool closed() {
    while (more()) rest_.clear();
    return true;
  }

 private:
  Answer receive_head() {
    Answer answer;
    std::size_t end = 0;
    while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return answer;
    }
    answer.head = rest_.substr(0, end + 2);
    rest_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    return answer;
  }

  // A body that is cut leaves no answer.
  std::string receive_body(Answer& answer) {
    const std::size_t length = std::stoul("0" + answer.header("Content-Length"));
    while (rest_.size() < length) {
      if (!more()) {
        answer = {};
        return "";
      }
    }
    std::string body = rest_.substr(0, length);
    rest_.erase(0, length);
    return body;
  }
  bool more() {
    char bytes[65536];
    const ssize_t count = ::recv(fd_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    rest_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  std::string rest_;
};

inline std::string post(const std::string& path, const std::string& body,
                        const std::string& headers = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
}
inline Answer ask(const fs::path& socket, const std::string& request) {
  Connection connection(socket);
  connection.send(request);
  return connection.receive();
}
inline std::string generation(const std::string& prompt, const std::string& more = "") {
  return post("/v1/images/generations",
              R"({"prompt": )" + json::serialize(json::string(prompt)) + more + "}");
}

inline bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds most = 10s) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

inline std::string text_at(const json::value& body, const char* name) {
  return std::string(body.at(name).as_string());
}

// A body that is not accepted, and how its answer names the field.
struct BadInput {
  const char* note;
  std::string body;
  int status;
  const char* param;
  const char* code;
};

}  // namespace glyphward::daemon::testing
