#include "daemon/service/policy_store.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <chrono>

#include "daemon/service/event.h"

namespace glyphward::daemon {
namespace asio = boost::asio;

namespace {

// A large lexicon takes a while to destroy. Whoever lets go of the policy last, the io thread too,
// leaves that to the store's thread, as long as there is one.
std::shared_ptr<const policy::Policy> released_on(const std::shared_ptr<asio::thread_pool>& thread,
                                                  std::shared_ptr<const policy::Policy> policy) {
  const policy::Policy* const raw = policy.get();
  return {raw, [thread = std::weak_ptr(thread),
                policy = std::move(policy)](const policy::Policy* /*raw*/) mutable {
            if (const auto alive = thread.lock())
              asio::post(*alive, [policy = std::move(policy)]() mutable { policy.reset(); });
          }};
}

}  // namespace

struct PolicyStore::Loaded {
  FileStamps stamps;
  std::shared_ptr<const policy::Policy> policy;
  std::string error;
};

// The stamps come first: a file that changes while it is read has another stamp afterwards.
PolicyStore::Loaded PolicyStore::load() const {
  Loaded loaded;
  try {
    loaded.stamps = stamps_of(source_.files());
    loaded.policy = source_.load();
  } catch (const std::exception& error) {
    loaded.error = *error.what() == '\0' ? "cannot be loaded" : error.what();
  }
  return loaded;
}

asio::awaitable<std::string> PolicyStore::reload() {
  std::function<Loaded()> work = [this] { return load(); };
  Loaded loaded = co_await run_on<Loaded>(*thread_, io_, std::move(work));
  taken_ = std::move(loaded.stamps);
  last_error_ = loaded.error;
  if (loaded.policy) {
    const bool other = !current_ || current_->revision() != loaded.policy->revision();
    current_ = released_on(thread_, std::move(loaded.policy));
    ++reloads_;
    loaded_at_s_ = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
    spdlog::log(other ? spdlog::level::info : spdlog::level::debug, "policy: revision {}",
                current_->revision());
  } else {
    ++failed_reloads_;
    spdlog::error("policy: {}{}", last_error_, current_ ? "; the old one stays in force" : "");
  }
  co_return loaded.error;
}

asio::awaitable<FileStamps> PolicyStore::stamps() {
  std::function<FileStamps()> work = [this] { return stamps_of(source_.files()); };
  FileStamps stamps = co_await run_on<FileStamps>(*thread_, io_, std::move(work));
  co_return stamps;
}

}  // namespace glyphward::daemon
