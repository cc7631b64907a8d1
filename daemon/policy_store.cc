#include "daemon/policy_store.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "daemon/event.h"

namespace glyphward::daemon {

boost::asio::awaitable<std::string> PolicyStore::reload() {
  struct Loaded {
    std::shared_ptr<const policy::Policy> policy;
    std::string error;
  };
  std::function<Loaded()> work = [this]() -> Loaded {
    try {
      return {load_(), ""};
    } catch (const std::exception& error) {
      return {nullptr, *error.what() == '\0' ? "cannot be loaded" : error.what()};
    }
  };
  Loaded loaded = co_await run_on<Loaded>(thread_, io_, std::move(work));
  last_error_ = loaded.error;
  if (loaded.policy) {
    current_ = std::move(loaded.policy);
    loaded_at_s_ = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
    spdlog::info("policy: revision {}", current_->revision());
  } else {
    spdlog::error("policy: {}{}", last_error_, current_ ? "; the old one stays in force" : "");
  }
  co_return last_error_;
}

}  // namespace glyphward::daemon
