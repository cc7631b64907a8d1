// Reloads of the policy: by signal, by request and by the files themselves, whole or not at all,
// while requests are answered.
//
// GLYPHWARD_RELOADS and GLYPHWARD_LARGE_RELOADS say how many (docs/POLICY.md has the command of the
// full run).
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

const std::string kLists = GLYPHWARD_SOURCE_DIR "/lexicon";

int count_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoi(text);
}

// As an editor saves: the new file is whole before it has its name.
void replace_file(const fs::path& file, const std::string& text) {
  const fs::path whole = file.string() + "~new";
  std::ofstream(whole) << text;
  fs::rename(whole, file);
}

std::string policy_text(const std::string& action, const std::string& more_lists = "") {
  return "lexicons = [\"" + kLists + "/default.tsv\", \"" + kLists + "/allow.tsv\"" + more_lists +
         "]\n[substitution]\nwords = \"" + GLYPHWARD_SOURCE_DIR +
         "/policy/harmless.txt\"\n[[rule]]\nname = \"to " + action +
         "\"\nseverity_min = 2\naction = \"" + action + "\"\n";
}

// A daemon whose policy is a file of the test.
class Reload : public ::testing::Test {
 protected:
  void start(bool watch = true, const std::function<void(const fs::path&)>& prepare = {}) {
    test_ = std::make_unique<TestDaemon>([&](Config& config, DaemonParts&) {
      file_ = config.socket.parent_path() / "policy.toml";
      config.policy = file_;
      config.watch_policy = watch;
      if (prepare) {
        prepare(file_);
      } else {
        replace_file(file_, policy_text("block"));
      }
    });
  }

  json::value status() const {
    return ask(test_->config.admin_socket, get("/v1/status")).body.at("policy");
  }
  std::string revision() const { return std::string(status().at("revision").as_string()); }
  bool has_error() const { return status().as_object().contains("last_error"); }
  // What the policy in force does with a toxic sign.
  std::string action() const {
    const Answer answer =
        ask(test_->config.socket,
            post("/v1/moderations", R"({"input": "a sign that says \"bitch\""})"));
    return std::string(answer.body.at("results").at(0).at("action").as_string());
  }
  bool becomes(const std::string& wanted) const {
    return eventually([&] { return action() == wanted; }, 30s);
  }

  std::unique_ptr<TestDaemon> test_;
  fs::path file_;
};

TEST_F(Reload, FollowsTheFileHoweverItIsSaved) {
  start();
  ASSERT_EQ(action(), "block");
  std::ofstream(file_) << policy_text("allow");  // in place
  EXPECT_TRUE(becomes("allow"));
  replace_file(file_, policy_text("review"));  // by rename
  EXPECT_TRUE(becomes("review"));
  fs::rename(file_, file_.string() + "~");  // the old one kept, as some editors do
  std::ofstream(file_) << policy_text("substitute");
  EXPECT_TRUE(becomes("substitute"));
  EXPECT_FALSE(has_error());
}

TEST_F(Reload, FollowsAListAndOneThatComesIntoBeing) {
  start(true, [](const fs::path& file) {
    replace_file(file, "optional_lexicons = [\"lists/own.tsv\"]\n" + policy_text("block"));
  });
  const std::string first = revision();
  const fs::path list = file_.parent_path() / "lists" / "own.tsv";
  const std::string header = "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
  fs::create_directory(list.parent_path());
  replace_file(list, header + "frobnicator\tinsult\t5\ten\t\t\n");
  EXPECT_TRUE(eventually([&] { return revision() != first; }, 30s));
  const std::string second = revision();
  replace_file(list, header + "frobnicator\tinsult\t6\ten\t\t\n");
  EXPECT_TRUE(eventually([&] { return revision() != second; }, 30s));
  // With its folder, as a package manager or a checkout does it.
  fs::rename(list.parent_path(), file_.parent_path() / "lists.old");
  EXPECT_TRUE(eventually([&] { return revision() == first; }, 30s));
  fs::rename(file_.parent_path() / "lists.old", list.parent_path());
  EXPECT_TRUE(eventually([&] { return revision() != first; }, 30s));
}

TEST_F(Reload, FollowsALinkThatIsTurned) {
  // As Kubernetes mounts a ConfigMap: the file's link stays, the folder's is renamed over.
  start(true, [](const fs::path& file) {
    const fs::path folder = file.parent_path();
    for (const char* action : {"block", "allow"}) {
      fs::create_directory(folder / action);
      replace_file(folder / action / "policy.toml", policy_text(action));
    }
    fs::create_symlink("block", folder / "..data");
    fs::create_symlink("..data/policy.toml", file);
  });
  ASSERT_EQ(action(), "block");
  const fs::path folder = file_.parent_path();
  fs::create_symlink("allow", folder / "..data_tmp");
  fs::rename(folder / "..data_tmp", folder / "..data");
  EXPECT_TRUE(becomes("allow"));
}

TEST_F(Reload, ABadFileKeepsTheOldOneAndIsReported) {
  start();
  const std::string first = revision();
  const auto metric = [&](const std::string& line) {
    Connection connection(test_->config.admin_socket);
    connection.send(get("/metrics"));
    return ("\n" + connection.receive_text()).find("\n" + line + "\n") != std::string::npos;
  };
  EXPECT_TRUE(metric("glyphward_policy_reloads_total{result=\"ok\"} 1"));
  EXPECT_TRUE(metric("glyphward_policy_reloads_total{result=\"failed\"} 0"));
  replace_file(file_, policy_text("blokc"));
  EXPECT_TRUE(eventually([&] { return has_error(); }, 30s));
  EXPECT_EQ(revision(), first);
  EXPECT_EQ(action(), "block");
  EXPECT_TRUE(metric("glyphward_policy_reloads_total{result=\"failed\"} 1"));
  EXPECT_TRUE(metric("glyphward_policy_last_reload_ok 0"));
  EXPECT_TRUE(metric("glyphward_policy_info{revision=\"" + first + "\"} 1"));
  const std::string error(status().at("last_error").as_string());
  EXPECT_NE(error.find("policy.toml:7: action: column 10: expected one of"), std::string::npos)
      << error;

  fs::remove(file_);
  EXPECT_TRUE(eventually(
      [&] {
        return status().at("last_error").as_string().find("expected a readable file") !=
               json::string::npos;
      },
      30s));
  EXPECT_EQ(action(), "block");
  replace_file(file_, policy_text("allow"));
  EXPECT_TRUE(becomes("allow"));
  EXPECT_FALSE(has_error());
  EXPECT_TRUE(metric("glyphward_policy_last_reload_ok 1"));
}

TEST_F(Reload, UnrelatedFilesChangeNothing) {
  start();
  const auto loads = [&] { return status().at("reloads").to_number<int>(); };
  ASSERT_EQ(loads(), 1);
  for (int i = 0; i < 5; ++i) {
    replace_file(file_.parent_path() / "other.txt", std::to_string(i));
    std::this_thread::sleep_for(100ms);
  }
  std::this_thread::sleep_for(600ms);
  EXPECT_EQ(loads(), 1);
}

TEST_F(Reload, WithoutWatchingNeedsToBeAsked) {
  start(false);
  replace_file(file_, policy_text("allow"));
  std::this_thread::sleep_for(800ms);
  EXPECT_EQ(action(), "block");
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(becomes("allow"));
}

// ---- Under load

// What clients saw, and whether each answer fits the revision that it names.
struct Seen {
  std::atomic<int> moderations = 0;
  std::atomic<int> generations = 0;
  std::atomic<int> failed = 0;
  std::atomic<int> mixed = 0;
  std::mutex mutex;
  std::vector<double> milliseconds;
  std::string first_failure;

  void fail(const Answer& answer) {
    ++failed;
    const std::lock_guard lock(mutex);
    if (first_failure.empty())
      first_failure = std::to_string(answer.status) + " " + json::serialize(answer.body);
  }
};

using Actions = std::map<std::string, std::string>;  // what each revision does with a toxic sign

const std::string kModeration =
    R"({"input": ["a sign that says \"bitch\"", "a cat", "a mug that says \"shit\"",)"
    R"( "a sign that says \"b1tch\""]})";

void moderate(Connection& connection, const Actions& actions, Seen& seen) {
  const auto start = std::chrono::steady_clock::now();
  connection.send(post("/v1/moderations", kModeration));
  const Answer answer = connection.receive();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (answer.status != 200) return seen.fail(answer);
  const std::string revision(answer.body.at("glyphward").at("policy_revision").as_string());
  const auto toxic = actions.find(revision);
  bool fits = toxic != actions.end();
  for (std::size_t i = 0; fits && i < 4; ++i) {
    const json::value& action = answer.body.at("results").at(i).at("action");
    fits = action == json::value(i == 1 ? "allow" : toxic->second);
  }
  if (!fits) ++seen.mixed;
  ++seen.moderations;
  const std::lock_guard lock(seen.mutex);
  seen.milliseconds.push_back(took.count());
}

void generate(Connection& connection, const Actions& actions, Seen& seen) {
  connection.send(generation(R"(a sign that says "bitch")"));
  const Answer answer = connection.receive();
  const bool refused = answer.status == 400 && answer.code() == "content_policy_violation";
  if (answer.status != 200 && !refused) return seen.fail(answer);
  const json::value& said = answer.body.at("glyphward");
  const std::string revision(said.at("policy_revision").as_string());
  const auto toxic = actions.find(revision);
  const bool fits = toxic != actions.end() && said.at("action") == json::value(toxic->second) &&
                    refused == (toxic->second == "block");
  if (!fits) ++seen.mixed;
  ++seen.generations;
}

// Clients that ask without a pause until told to stop.
class Clients {
 public:
  Clients(const fs::path& socket, const Actions& actions, Seen& seen) {
    for (int client = 0; client < 3; ++client) {
      threads_.emplace_back([&, socket] {
        Connection connection(socket);
        for (int i = 0; !stop_; ++i) {
          i % 20 == 0 ? generate(connection, actions, seen) : moderate(connection, actions, seen);
        }
      });
    }
  }
  ~Clients() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

class ReloadUnderLoad : public Reload {
 protected:
  void run(int reloads, const std::string& more_lists) {
    Actions actions;
    std::map<std::string, std::string> revisions;
    start(true, [&](const fs::path& file) {
      for (const char* action : {"substitute", "block"}) {
        replace_file(file, policy_text(action, more_lists));
        revisions[action] = policy::Policy::load(file)->revision();
        actions[revisions[action]] = action;
      }
    });
    Seen seen;
    int answered_meanwhile = 0;
    double seconds = 0;
    {
      const Clients clients(test_->config.socket, actions, seen);
      for (int i = 0; i < reloads; ++i) {
        const std::string action = i % 2 == 0 ? "substitute" : "block";
        replace_file(file_, policy_text(action, more_lists));
        const int before = seen.moderations;
        const auto begun = std::chrono::steady_clock::now();
        const Answer answer = ask(test_->config.admin_socket, post("/v1/policy/reload", ""));
        seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        answered_meanwhile += seen.moderations > before ? 1 : 0;
        ASSERT_EQ(answer.status, 200) << answer.message();
        ASSERT_EQ(answer.body.at("revision"), json::value(revisions[action]));
      }
    }
    EXPECT_EQ(seen.failed, 0) << seen.first_failure;
    EXPECT_EQ(seen.mixed, 0);
    EXPECT_GT(seen.moderations, 0);
    EXPECT_GT(seen.generations, 0);
    answered_meanwhile_ = answered_meanwhile;
    check_rows(actions, seen);
    std::sort(seen.milliseconds.begin(), seen.milliseconds.end());
    const auto quantile = [&](double q) {
      return seen.milliseconds[static_cast<std::size_t>(
          q * static_cast<double>(seen.milliseconds.size() - 1))];
    };
    std::printf(
        "%d reloads in %.1f s of waiting (%.1f ms each); meanwhile %d moderations of 4 texts "
        "(ms: p50 %.1f, p99 %.1f, most %.1f) and %d generations; failed %d, mixed %d\n",
        reloads, seconds, 1000 * seconds / reloads, seen.moderations.load(), quantile(0.5),
        quantile(0.99), quantile(1), seen.generations.load(), seen.failed.load(),
        seen.mixed.load());
  }

  // The log says the same: one revision a request, and its action.
  void check_rows(const Actions& actions, const Seen& seen) {
    guard::RecordFilter filter;
    filter.limit = 1000;
    const auto log = guard::AuditLog::open_read_only(test_->config.state_dir);
    // By request, whose texts have rows of their own.
    std::map<std::string, std::string> revision_of;
    int rows = 0;
    for (auto page = log->list(filter); !page.empty(); page = log->list(filter)) {
      for (const guard::Record& row : page) {
        ++rows;
        const std::string request = row.request_id.substr(0, row.request_id.find('.'));
        const auto [it, fresh] = revision_of.emplace(request, row.policy_revision);
        EXPECT_EQ(it->second, row.policy_revision) << row.request_id;
        if (row.prompt == "a cat") continue;
        EXPECT_EQ(row.action, actions.at(row.policy_revision)) << row.request_id;
      }
      filter.before_sequence = page.back().sequence;
    }
    EXPECT_EQ(rows, 4 * seen.moderations + seen.generations);
    EXPECT_TRUE(log->verify().intact) << log->verify().message;
  }

  int answered_meanwhile_ = 0;  // reloads during which a moderation was answered
};

TEST_F(ReloadUnderLoad, OfTheDefaultLexicon) { run(count_from("GLYPHWARD_RELOADS", 100), ""); }

TEST_F(ReloadUnderLoad, OfAHundredThousandTerms) {
  TemporaryDir dir;
  const fs::path large = dir.path() / "large.tsv";
  {
    std::ofstream out(large);
    out << "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
    for (int i = 0; i < 100'000; ++i) {
      std::string term = "zq";
      for (int rest = i, letters = 0; letters < 5; rest /= 17, ++letters)
        term += "bdfghjklmnprstvwx"[rest % 17];
      out << term << "\tinsult\t5\ten\t\t\n";
    }
  }
  const int reloads = count_from("GLYPHWARD_LARGE_RELOADS", 1);
  run(reloads, ", \"" + large.string() + "\"");
  // It takes longer than an answer: nobody waited for it.
  EXPECT_EQ(answered_meanwhile_, reloads);
}

}  // namespace
}  // namespace glyphward::daemon::testing
