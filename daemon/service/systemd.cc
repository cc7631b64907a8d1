#include "daemon/service/systemd.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "base/config_error.h"

namespace glyphward::daemon {
namespace {

void notify(const std::string& state) {
  const int result = ::sd_notify(0, state.c_str());
  if (result < 0) {
    spdlog::warn("NOTIFY_SOCKET: {}", std::generic_category().message(-result));
  }
}

// One line, as the protocol wants it.
std::string status_line(std::string status) {
  std::replace(status.begin(), status.end(), '\n', ';');
  return "STATUS=" + status;
}

}  // namespace

ActivatedSockets take_activated_sockets() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) {
    throw ConfigError("LISTEN_FDS", 0, "", std::generic_category().message(-count));
  }
  std::vector<std::string> copied;
  for (int i = 0; i < count; ++i) {
    copied.emplace_back(names[i]);
    std::free(names[i]);
  }
  std::free(names);
  ActivatedSockets sockets;
  for (int i = 0; i < count; ++i) {
    const int fd = SD_LISTEN_FDS_START + i;
    const std::string& name = copied[static_cast<std::size_t>(i)];
    if (name != "service" && name != "admin") {
      throw ConfigError(
          "LISTEN_FDNAMES", 0, name,
          "expected the names \"service\" and \"admin\"; set FileDescriptorName= in the "
          "socket unit");
    }
    std::optional<int>& target = name == "service" ? sockets.service : sockets.admin;
    if (target)
      throw ConfigError("LISTEN_FDNAMES", 0, name, "expected one socket of this name, found two");
    if (::sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) <= 0) {
      throw ConfigError("LISTEN_FDS", 0, name, "expected a listening Unix stream socket");
    }
    target = fd;
  }
  return sockets;
}

void notify_ready(const std::string& status) { notify("READY=1\n" + status_line(status)); }

void notify_status(const std::string& status) { notify(status_line(status)); }

void notify_reloading() {
  timespec now{};  // systemd tells reloads apart by when they began
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void notify_stopping() { notify("STOPPING=1\nSTATUS=finishing what was accepted"); }

void notify_watchdog() { notify("WATCHDOG=1"); }

void notify_extend_timeout(std::chrono::microseconds by) {
  notify("EXTEND_TIMEOUT_USEC=" + std::to_string(by.count()));
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

}  // namespace glyphward::daemon
