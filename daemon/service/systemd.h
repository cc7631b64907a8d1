// systemd's side: sockets that it holds for us, notifications, the watchdog. Without systemd,
// nothing happens.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace glyphward::daemon {

// Listening sockets that were passed (LISTEN_FDS), by their names "service" and "admin". Throws
// ConfigError on another name, a second one of a name, or what is no listening Unix stream socket.
struct ActivatedSockets {
  std::optional<int> service;
  std::optional<int> admin;
};
ActivatedSockets take_activated_sockets();

// What NOTIFY_SOCKET's owner hears; failures are logged.
void notify_ready(const std::string& status);
void notify_status(const std::string& status);
void notify_reloading();
void notify_stopping();
void notify_watchdog();
// While a large model loads: the start may take so much longer.
void notify_extend_timeout(std::chrono::microseconds by);

// How often systemd wants a ping; nothing if it wants none.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace glyphward::daemon
