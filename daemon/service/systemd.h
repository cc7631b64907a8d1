// What systemd and the daemon tell each other: sockets that it holds for us, notifications, the
// watchdog. Without systemd, none of this does anything.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace glyphward::daemon {

// Listening sockets that systemd passed (LISTEN_FDS), by their names "service" and "admin". Throws
// ConfigError on another name, on two of one name, and on anything but a listening Unix stream
// socket.
struct ActivatedSockets {
  std::optional<int> service;
  std::optional<int> admin;
};
ActivatedSockets take_activated_sockets();

// Each tells systemd (NOTIFY_SOCKET) what the daemon does. A failure is logged, nothing more.
void notify_ready(const std::string& status);
void notify_status(const std::string& status);
void notify_reloading();
void notify_stopping();
void notify_watchdog();
// While a large model loads: systemd grants the start so much more time.
void notify_extend_timeout(std::chrono::microseconds by);

// Within what time systemd wants a ping; empty if it wants none.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace glyphward::daemon
