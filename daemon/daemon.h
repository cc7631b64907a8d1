// glyphwardd put together: sockets, engine, policy, signals, systemd.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "daemon/http/api.h"
#include "daemon/http/http_server.h"
#include "daemon/service/config.h"
#include "daemon/service/engine.h"
#include "daemon/service/file_watcher.h"
#include "daemon/service/policy_store.h"
#include "daemon/service/systemd.h"

namespace glyphward::daemon {

// What the daemon works with; a test passes a pipeline of its own.
struct DaemonParts {
  EngineParts engine;
  // Of config.policy, on a thread of its own; throws.
  std::function<std::shared_ptr<const policy::Policy>()> load_policy;
};

class Daemon {
 public:
  // Listens, but serves only once run() runs. Throws ConfigError if a socket cannot be had: another
  // daemon has it, or its folder is not writable.
  Daemon(Config config, DaemonParts parts, const ActivatedSockets& activated = {});
  ~Daemon();

  // Returns after SIGTERM or SIGINT, or stop(), when what was accepted is done or its time is up. A
  // second signal does not wait.
  void run();
  // As SIGTERM. Any thread.
  void stop();
  // As SIGHUP. Any thread.
  void reload();

  // A part is still being opened: a thread that nothing can interrupt.
  bool loading() const { return engine_.status().loading(); }

 private:
  void spawn(boost::asio::awaitable<void> task, const char* name);
  boost::asio::awaitable<void> handle_signals();
  boost::asio::awaitable<void> tell_systemd();
  boost::asio::awaitable<void> drain();
  boost::asio::awaitable<void> first_load();
  void watch_policy();
  boost::asio::awaitable<std::string> reload_policy();
  boost::asio::awaitable<void> reload_all();
  boost::asio::awaitable<void> reload_ended_rows();
  void look_for_ended_rows();
  boost::asio::awaitable<void> wait_for_connections(std::chrono::steady_clock::time_point until);
  std::string status_line() const;
  void begin_stop();
  void remove_socket_files();
  void state_changed();

  const Config config_;
  boost::asio::io_context io_{1};
  PolicyStore policy_;
  Engine engine_;
  ServiceApi service_api_;
  AdminApi admin_api_;
  std::unique_ptr<HttpServer> service_;
  std::unique_ptr<HttpServer> admin_;
  std::unique_ptr<FileWatcher> watcher_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer tick_;
  boost::asio::steady_timer drain_tick_;
  bool owns_service_path_ = false;
  bool owns_admin_path_ = false;
  std::string ended_day_;  // the last day on which rows were found to have ended
  bool told_ready_ = false;
  bool stopping_ = false;
  bool hurry_ = false;
};

}  // namespace glyphward::daemon
