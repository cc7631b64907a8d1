#include "daemon/service/policy_store.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/daemon/fakes.h"
#include "tests/daemon/service/io_thread.h"

namespace glyphward::daemon::testing {
namespace {

class PolicyStoreTest : public ::testing::Test {
 protected:
  PolicyStoreTest() {
    std::ofstream(dir_.path() / "list.tsv")
        << "term\tcategory\tseverity\tlanguage\tflags\tforms\nfrobnicator\tinsult\t5\ten\t\t\n";
    write("block");
    source_.load = [this] {
      load_thread_ = std::this_thread::get_id();
      return policy::Policy::load(file_);
    };
    source_.files = [this] { return policy::Policy::files(file_); };
  }

  void write(const std::string& action) {
    std::ofstream(file_) << "lexicons = [\"list.tsv\"]\n[[rule]]\nname = \"r\"\nseverity_min = 2\n"
                         << "action = \"" << action << "\"\n";
  }
  std::string reload(PolicyStore& store) { return thread_.result_of(store.reload()); }

  TemporaryDir dir_;
  const fs::path file_ = dir_.path() / "policy.toml";
  IoThread thread_;
  std::thread::id load_thread_;
  PolicyStore::Source source_;
};

TEST_F(PolicyStoreTest, IsEmptyUntilItsFirstLoadAndReadsOnAThreadOfItsOwn) {
  PolicyStore store(thread_.io, source_);
  EXPECT_EQ(store.current(), nullptr);
  EXPECT_EQ(store.last_error(), "not loaded yet");
  EXPECT_EQ(reload(store), "");
  EXPECT_NE(store.current(), nullptr);
  EXPECT_EQ(store.last_error(), "");
  EXPECT_EQ(store.reloads(), 1u);
  EXPECT_GT(store.loaded_at_s(), 1'700'000'000);
  EXPECT_NE(load_thread_, std::this_thread::get_id());
}

TEST_F(PolicyStoreTest, SwapsWholeOrKeepsTheOldOneAndSaysWhy) {
  PolicyStore store(thread_.io, source_);
  reload(store);
  const std::shared_ptr<const policy::Policy> first = store.current();
  write("blokc");
  const std::string failure = reload(store);
  EXPECT_NE(failure.find("policy.toml:5: action:"), std::string::npos) << failure;
  EXPECT_EQ(store.last_error(), failure);
  EXPECT_EQ(store.current(), first);
  EXPECT_EQ(store.failed_reloads(), 1u);
  EXPECT_EQ(store.reloads(), 1u);
  write("allow");
  EXPECT_EQ(reload(store), "");
  EXPECT_EQ(store.last_error(), "");
  EXPECT_NE(store.current()->revision(), first->revision());
  // A request that began under the old one goes on under it.
  const std::string prompt = R"(a sign that says "frobnicator")";
  EXPECT_EQ(first->decide(prompt, first->analyze(prompt), "").action, policy::Action::Block);
}

TEST_F(PolicyStoreTest, GivesAReasonWhereThereIsNone) {
  source_.load = []() -> std::shared_ptr<const policy::Policy> { throw std::runtime_error(""); };
  PolicyStore store(thread_.io, source_);
  EXPECT_EQ(reload(store), "cannot be loaded");
  EXPECT_EQ(store.current(), nullptr);
}

TEST_F(PolicyStoreTest, AFileThatChangesWhileItIsReadIsNotTaken) {
  source_.load = [this] {
    auto policy = policy::Policy::load(file_);
    write("review");
    return policy;
  };
  PolicyStore store(thread_.io, source_);
  EXPECT_EQ(reload(store), "");
  EXPECT_EQ(store.taken().size(), 2u);  // the policy and its list
  EXPECT_NE(thread_.result_of(store.stamps()), store.taken());
}

TEST_F(PolicyStoreTest, TakesAPolicyApartOnItsThreadWhoeverLetsGoOfIt) {
  std::atomic<std::thread::id> destroyed_on;
  source_.load = [&] {
    load_thread_ = std::this_thread::get_id();
    std::shared_ptr<const policy::Policy> policy = policy::Policy::load(file_);
    const policy::Policy* raw = policy.get();
    return std::shared_ptr<const policy::Policy>(
        raw, [&, policy = std::move(policy)](const policy::Policy* /*raw*/) mutable {
          policy.reset();
          destroyed_on = std::this_thread::get_id();
        });
  };
  {
    PolicyStore store(thread_.io, source_);
    reload(store);
    std::shared_ptr<const policy::Policy> held = store.current();
    source_.load = nullptr;  // the store has its own copy
    reload(store);
    EXPECT_EQ(destroyed_on.load(), std::thread::id());
    held.reset();
    EXPECT_TRUE(eventually([&] { return destroyed_on.load() != std::thread::id(); }));
    EXPECT_EQ(destroyed_on.load(), load_thread_);
  }
}

TEST_F(PolicyStoreTest, LeavesAPolicyToWhoeverOutlivesIt) {
  std::shared_ptr<const policy::Policy> held;
  {
    PolicyStore store(thread_.io, source_);
    reload(store);
    held = store.current();
  }
  EXPECT_FALSE(held->revision().empty());
}

}  // namespace
}  // namespace glyphward::daemon::testing
