// What a daemon test works with: a pipeline that draws at the test's pace, a reader of its
// pictures, and a daemon in a thread; client.h has who asks it. LibTorch is not built for
// ThreadSanitizer; these are.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "daemon/daemon.h"
#include "tests/daemon/client.h"

namespace glyphward::daemon::testing {

class TemporaryDir {
 public:
  TemporaryDir() {
    std::string pattern = (fs::temp_directory_path() / "glyphward-daemon-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// How the fake pipeline works, and what it saw. Shared by test and worker.
class Pace {
 public:
  // While closed, the pipeline waits before each step.
  void close_gate() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open_gate() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // Lets one step pass.
  void allow_step() {
    const std::lock_guard lock(mutex_);
    ++allowed_;
    changed_.notify_all();
  }
  void wait_for_step() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_ || allowed_ > 0; });
    if (!open_) --allowed_;
    --waiting_;
  }
  // Is a job at the gate?
  bool wait_until_working(std::chrono::milliseconds most = 10s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [this] { return waiting_ > 0; });
  }

  std::atomic<int> steps_after_stop = 0;  // denoised although the stop was requested before
  std::atomic<int> generations = 0;
  std::atomic<bool> throws = false;
  std::atomic<bool> ocr_throws = false;
  std::atomic<bool> audit_throws = false;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int allowed_ = 0;
  int waiting_ = 0;
};

// "Draws" the quoted text of the stream that its layers read: the picture's first bytes are that
// text.
class FakePipeline : public model::Pipeline {
 public:
  static constexpr int kSteps = 4;

  explicit FakePipeline(std::shared_ptr<Pace> pace) : pace_(std::move(pace)) {
    info_.name = "fake";
    info_.family = "stable-diffusion";
    info_.attention_layers = {"down_blocks.0.attn2", "mid_block.attn2", "up_blocks.0.attn2"};
    info_.localized_layers = {"up_blocks.0.attn2"};
    info_.profile_state = "localized";
    info_.num_inference_steps = kSteps;
    info_.height = 64;
    info_.width = 192;
    info_.device = "cpu";
    info_.dtype = "float32";
  }
  const model::ModelInfo& info() const override { return info_; }
  model::PromptFit fit(std::string_view prompt) const override { return {10, 77, prompt.size()}; }

  Result<model::Generation> generate(const model::GenerationRequest& request, std::stop_token stop,
                                     const model::Progress& progress) override {
    ++pace_->generations;
    if (pace_->throws) throw std::runtime_error("the fake is told to throw");
    for (int step = 1; step <= kSteps; ++step) {
      if (stop.stop_requested()) return Error{ErrorCode::Cancelled, "stopped", ""};
      pace_->wait_for_step();
      if (stop.stop_requested()) ++pace_->steps_after_stop;
      if (progress) progress(step, kSteps);
    }
    const std::string stream =
        request.route.layers.empty() ? request.route.base : request.route.layers.front().stream;
    model::Generation generation;
    for (std::size_t i = 0; i < request.seeds.size(); ++i) {
      for (const model::TextStream& text : request.streams) {
        if (text.name == stream) generation.images.push_back(draw(quoted(text.text)));
      }
    }
    return generation;
  }

  static std::string quoted(const std::string& prompt) {
    const auto start = prompt.find('"');
    const auto end = prompt.rfind('"');
    return start == std::string::npos || end == start ? ""
                                                      : prompt.substr(start + 1, end - start - 1);
  }

 private:
  static model::Image draw(const std::string& text) {
    model::Image image{192, 64, {}};
    image.rgb.resize(192 * 64 * 3, 0);
    std::copy(text.begin(), text.end(), image.rgb.begin());
    return image;
  }

  std::shared_ptr<Pace> pace_;
  model::ModelInfo info_;
};

class FakeOcr : public guard::Ocr {
 public:
  explicit FakeOcr(std::shared_ptr<Pace> pace) : pace_(std::move(pace)) {}
  guard::Reading read(const model::Image& image) override {
    if (pace_->ocr_throws) throw std::runtime_error("the reader is told to throw");
    const auto* bytes = reinterpret_cast<const char*>(image.rgb.data());
    const std::string text(bytes, ::strnlen(bytes, image.rgb.size()));
    guard::Reading reading;
    guard::Pass pass{"fake", {}};
    if (!text.empty()) {
      pass.words.push_back({text, 95.0, {10, 10, 60, 30}});
      reading.boxes.push_back({10, 10, 60, 30});
    }
    reading.passes.push_back(pass);
    reading.best = text;
    return reading;
  }

 private:
  std::shared_ptr<Pace> pace_;
};

// The real log, which a test can make fail.
class FailingAuditLog : public guard::AuditLog {
 public:
  FailingAuditLog(std::unique_ptr<guard::AuditLog> log, std::shared_ptr<Pace> pace)
      : log_(std::move(log)), pace_(std::move(pace)) {}
  guard::Record append(guard::Record record) override {
    if (pace_->audit_throws) throw std::runtime_error("No space left on device");
    return log_->append(std::move(record));
  }
  std::vector<guard::Record> list(const guard::RecordFilter& filter) override {
    return log_->list(filter);
  }
  std::optional<guard::Record> find(const std::string& id) override { return log_->find(id); }
  std::optional<guard::Record> find(std::int64_t sequence) override { return log_->find(sequence); }
  guard::ChainCheck verify() override { return log_->verify(); }

 private:
  std::unique_ptr<guard::AuditLog> log_;
  std::shared_ptr<Pace> pace_;
};

inline EngineParts fake_parts(const std::shared_ptr<Pace>& pace, const fs::path& state_dir) {
  EngineParts parts;
  parts.load_pipeline = [pace] { return std::make_unique<FakePipeline>(pace); };
  parts.open_ocr = [pace] { return std::make_unique<FakeOcr>(pace); };
  parts.open_audit = [pace, state_dir] {
    return std::make_unique<FailingAuditLog>(guard::AuditLog::open(state_dir), pace);
  };
  return parts;
}

// A daemon in a thread of this process, with fakes for what LibTorch and Tesseract do.
class TestDaemon {
 public:
  // `change` may adjust the configuration and the parts before the daemon is made.
  explicit TestDaemon(const std::function<void(Config&, DaemonParts&)>& change = {},
                      bool wait_ready = true) {
    config.socket = dir.path() / "service.sock";
    config.admin_socket = dir.path() / "admin.sock";
    config.state_dir = dir.path() / "state";
    config.policy = fs::path(GLYPHWARD_SOURCE_DIR) / "policy" / "default.toml";
    config.limits.queue_size_max = 8;
    DaemonParts parts;
    parts.engine = fake_parts(pace, config.state_dir);
    if (change) change(config, parts);
    const fs::path policy = config.policy;
    if (!parts.load_policy) {
      parts.load_policy = [policy] { return policy::Policy::load(policy); };
    }
    daemon = std::make_unique<Daemon>(config, std::move(parts));
    thread_ = std::thread([this] {
      daemon->run();
      ended_ = true;
    });
    if (wait_ready && !wait_until_ready()) throw std::runtime_error("the daemon is not ready");
  }
  ~TestDaemon() {
    pace->open_gate();
    stop();
  }

  bool wait_until_ready(std::chrono::milliseconds most = 60s) {
    return eventually([this] { return ask(config.socket, get("/readyz")).status == 200; }, most);
  }
  void stop() {
    if (!thread_.joinable()) return;
    daemon->stop();
    thread_.join();
  }
  bool ended() const { return ended_; }
  // After stop(), or beside the running daemon.
  std::vector<guard::Record> rows() const {
    guard::RecordFilter filter;
    filter.limit = 1000;
    return guard::AuditLog::open_read_only(config.state_dir)->list(filter);
  }
  guard::ChainCheck verify() const {
    return guard::AuditLog::open_read_only(config.state_dir)->verify();
  }

  TemporaryDir dir;
  Config config;
  std::shared_ptr<Pace> pace = std::make_shared<Pace>();
  std::unique_ptr<Daemon> daemon;

 private:
  std::thread thread_;
  std::atomic<bool> ended_ = false;
};

}  // namespace glyphward::daemon::testing
