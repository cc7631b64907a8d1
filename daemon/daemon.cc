#include "daemon/daemon.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <utility>

#include "base/config_error.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::redirect_error;
using asio::use_awaitable;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;

namespace {

constexpr std::chrono::seconds kTick{5};
constexpr std::chrono::seconds kExtension{30};  // of systemd's patience, each tick while loading
constexpr std::chrono::milliseconds kDrainTick{20};
// After the grace: for jobs to end at their next step, and answers to leave.
constexpr std::chrono::seconds kLastAnswers{10};
constexpr int kBacklog = 512;

// A socket file that nobody answers on is left over from a crash, and is removed.
void remove_stale(asio::io_context& io, const fs::path& path, const char* name) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return;
  if (!fs::is_socket(status)) {
    throw ConfigError(path, 0, name, "expected a path for a socket, found another kind of file");
  }
  Protocol::socket probe(io);
  error_code refused;
  probe.connect(Protocol::endpoint(path.string()), refused);
  if (!refused) throw ConfigError(path, 0, name, "another process listens here");
  fs::remove(path, error);
}

// The file gets its permissions before anyone can connect: by the umask, while no other thread runs
// yet.
Protocol::acceptor listen_on(asio::io_context& io, const fs::path& path, const char* name,
                             unsigned mode) {
  if (path.native().size() >= sizeof(sockaddr_un::sun_path)) {
    throw ConfigError(path, 0, name, "a socket's path has at most 107 bytes");
  }
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  remove_stale(io, path, name);
  Protocol::acceptor acceptor(io, Protocol());
  error_code failure;
  const mode_t umask_before = ::umask(0777 & ~mode);
  acceptor.bind(Protocol::endpoint(path.string()), failure);
  ::umask(umask_before);
  if (!failure) acceptor.listen(kBacklog, failure);
  if (failure) throw ConfigError(path, 0, name, "cannot listen: " + failure.message());
  return acceptor;
}

Protocol::acceptor adopt(asio::io_context& io, int fd) {
  return Protocol::acceptor(io, Protocol(), fd);
}

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace

Daemon::Daemon(Config config, DaemonParts parts, const ActivatedSockets& activated)
    : config_(std::move(config)),
      policy_(io_, {std::move(parts.load_policy),
                    [file = config_.policy] { return policy::Policy::files(file); }}),
      engine_(io_, std::move(parts.engine), config_.limits, [this] { state_changed(); }),
      service_api_(engine_, policy_, config_.limits),
      admin_api_(engine_, policy_, config_, [this] { return reload_policy(); }),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      tick_(io_),
      drain_tick_(io_) {
  owns_service_path_ = !activated.service;
  Protocol::acceptor service = activated.service
                                   ? adopt(io_, *activated.service)
                                   : listen_on(io_, config_.socket, "socket", config_.socket_mode);
  owns_admin_path_ = !activated.admin;
  Protocol::acceptor admin = activated.admin
                                 ? adopt(io_, *activated.admin)
                                 : listen_on(io_, config_.admin_socket, "admin_socket", 0600);
  service_ =
      std::make_unique<HttpServer>(io_, "service", std::move(service), config_.limits,
                                   [this](std::shared_ptr<Exchange> exchange) {
                                     return service_api_.routes().answer(std::move(exchange));
                                   });
  admin_ = std::make_unique<HttpServer>(io_, "admin", std::move(admin), config_.limits,
                                        [this](std::shared_ptr<Exchange> exchange) {
                                          return admin_api_.routes().answer(std::move(exchange));
                                        });
}

Daemon::~Daemon() { remove_socket_files(); }

// As soon as nobody listens: later, a successor's files may stand there.
void Daemon::remove_socket_files() {
  if (std::exchange(owns_service_path_, false)) remove_quietly(config_.socket);
  if (std::exchange(owns_admin_path_, false)) remove_quietly(config_.admin_socket);
}

void Daemon::run() {
  notify_status("loading");
  service_->start();
  admin_->start();
  engine_.start();
  spawn(first_load(), "policy");
  spawn(handle_signals(), "signals");
  spawn(tell_systemd(), "systemd");
  spdlog::info("listening on {} and {}", config_.socket.string(), config_.admin_socket.string());
  io_.run();
  if (!loading()) engine_.shut_down();
}

void Daemon::stop() {
  asio::post(io_, [this] { begin_stop(); });
}

void Daemon::reload() {
  asio::post(io_, [this] { spawn(reload_all(), "reload"); });
}

// Coroutines do not throw here; one that does is a bug, and the log says where.
void Daemon::spawn(asio::awaitable<void> task, const char* name) {
  const auto ended = [name](const std::exception_ptr& exception) {
    if (!exception) return;
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& error) {
      spdlog::critical("{}: {}", name, error.what());
    }
  };
  asio::co_spawn(io_, std::move(task), ended);
}

asio::awaitable<void> Daemon::handle_signals() {
  for (;;) {
    error_code error;
    const int signal = co_await signals_.async_wait(redirect_error(use_awaitable, error));
    if (error) co_return;
    spdlog::info("signal {}", signal);
    if (signal == SIGHUP) {
      spawn(reload_all(), "reload");
    } else if (stopping_) {
      hurry_ = true;
    } else {
      begin_stop();
    }
  }
}

void Daemon::begin_stop() {
  if (std::exchange(stopping_, true)) return;
  spawn(drain(), "drain");
}

asio::awaitable<void> Daemon::wait_for_connections(std::chrono::steady_clock::time_point until) {
  while (service_->connections() > 0 && std::chrono::steady_clock::now() < until && !hurry_) {
    error_code ignored;
    drain_tick_.expires_after(kDrainTick);
    co_await drain_tick_.async_wait(redirect_error(use_awaitable, ignored));
  }
}

asio::awaitable<void> Daemon::drain() {
  notify_stopping();
  remove_socket_files();
  if (watcher_) watcher_->stop();
  service_->drain();
  admin_->drain();
  const auto now = std::chrono::steady_clock::now();
  spdlog::info("stopping: {} connections are still to be answered", service_->connections());
  co_await wait_for_connections(now + config_.limits.drain_grace);
  engine_.abandon_all(StopReason::Shutdown);
  hurry_ = false;
  co_await wait_for_connections(std::chrono::steady_clock::now() + kLastAnswers);
  service_->close();
  admin_->close();
  tick_.cancel();
  signals_.cancel();
  io_.stop();
}

asio::awaitable<void> Daemon::first_load() {
  co_await policy_.reload();
  state_changed();
  if (config_.watch_policy && !stopping_) watch_policy();
}

void Daemon::watch_policy() {
  FileWatcher::Calls calls;
  calls.now = [this] { return policy_.stamps(); };
  calls.taken = [this]() -> const FileStamps& { return policy_.taken(); };
  calls.take = [this]() -> asio::awaitable<void> {
    spdlog::info("policy: a file has changed");
    co_await reload_policy();
  };
  try {
    watcher_ = std::make_unique<FileWatcher>(io_, std::move(calls));
    spawn(watcher_->run(), "policy files");
  } catch (const std::system_error& error) {
    spdlog::warn("policy: its files are not watched: {}", error.what());
  }
}

asio::awaitable<std::string> Daemon::reload_policy() {
  notify_reloading();
  std::string failure = co_await policy_.reload();
  // Also where the reload failed: systemd waits for the end of it, and the status tells how it
  // went.
  if (told_ready_) {
    notify_ready(status_line());
  } else {
    state_changed();
  }
  co_return failure;
}

// SIGHUP: the policy anew, and a second chance for a part that failed.
asio::awaitable<void> Daemon::reload_all() {
  co_await reload_policy();
  engine_.retry();
}

asio::awaitable<void> Daemon::reload_ended_rows() {
  spdlog::info("policy: rows of its lists have ended");
  co_await reload_policy();
}

// Rows of a list may hold until a day. Once a day at most: a reload that fails is not repeated with
// each tick.
void Daemon::look_for_ended_rows() {
  const auto& policy = policy_.current();
  if (!policy || stopping_) return;
  const std::string& until = policy->lexicon().holds_until();
  const std::string day = until.empty() ? until : lexicon::today();
  if (day <= until || day == ended_day_) return;
  ended_day_ = day;
  spawn(reload_ended_rows(), "reload");
}

std::string Daemon::status_line() const {
  const std::string reason = not_ready_reason(engine_.status(), policy_);
  if (!reason.empty()) return "not ready: " + reason;
  if (!policy_.last_error().empty()) {
    return "serving; the last policy reload failed: " + policy_.last_error();
  }
  return "serving";
}

void Daemon::state_changed() {
  if (stopping_) return;
  if (!told_ready_ && not_ready_reason(engine_.status(), policy_).empty()) {
    told_ready_ = true;
    spdlog::info("ready");
    notify_ready(status_line());
  } else {
    notify_status(status_line());
  }
}

asio::awaitable<void> Daemon::tell_systemd() {
  const auto watchdog = watchdog_interval();
  const std::chrono::microseconds interval =
      watchdog ? std::min<std::chrono::microseconds>(*watchdog / 3, kTick)
               : std::chrono::microseconds(kTick);
  error_code error;
  while (!error) {
    if (watchdog && engine_.worker_alive()) notify_watchdog();
    look_for_ended_rows();
    if (!told_ready_ && engine_.status().loading()) notify_extend_timeout(kExtension);
    tick_.expires_after(interval);
    co_await tick_.async_wait(redirect_error(use_awaitable, error));
  }
}

}  // namespace glyphward::daemon
