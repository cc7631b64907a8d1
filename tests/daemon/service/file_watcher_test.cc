// One watcher and its files; reload_test.cc follows a policy through a daemon.
#include "daemon/service/file_watcher.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/daemon/fakes.h"
#include "tests/daemon/service/io_thread.h"

namespace glyphward::daemon::testing {
namespace {

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

void replace(const fs::path& file, const std::string& text) {
  const fs::path whole = file.string() + "~new";
  write(whole, text);
  fs::rename(whole, file);
}

TEST(FileStamps, TellAFileFromItselfAtAnotherTime) {
  TemporaryDir dir;
  const fs::path file = dir.path() / "a";
  const auto now = [&] { return stamps_of({file}); };
  const FileStamps missing = now();
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_FALSE(missing.at(file).exists);
  write(file, "one");
  const FileStamps written = now();
  EXPECT_EQ(written, now());
  EXPECT_NE(written, missing);
  replace(file, "one");  // the same text in another file
  const FileStamps replaced = now();
  EXPECT_NE(replaced, written);
  write(file, "longer");
  EXPECT_NE(now(), replaced);
  fs::remove(file);
  EXPECT_EQ(now(), missing);
}

class FileWatcherTest : public ::testing::Test {
 protected:
  ~FileWatcherTest() override {
    if (!watcher_) return;
    watcher_->stop();
    EXPECT_TRUE(thread_.eventually([this] { return ended_; }));
  }

  void watch(std::vector<fs::path> files) {
    files_ = std::move(files);
    taken_ = stamps_of(files_);
    FileWatcher::Calls calls;
    calls.now = [this]() -> boost::asio::awaitable<FileStamps> { co_return stamps_of(files_); };
    calls.taken = [this]() -> const FileStamps& { return taken_; };
    calls.take = [this]() -> boost::asio::awaitable<void> {
      taken_ = stamps_of(files_);
      ++takes_;
      co_return;
    };
    watcher_ = std::make_unique<FileWatcher>(thread_.io, std::move(calls));
    boost::asio::co_spawn(thread_.io, watcher_->run(),
                          [this](const std::exception_ptr&) { ended_ = true; });
    pass(50ms);  // the folders are watched
  }
  bool takes(int count) {
    return thread_.eventually([&] { return takes_ >= count; });
  }
  void pass(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    thread_.eventually([&] { return std::chrono::steady_clock::now() > end; });
  }

  TemporaryDir dir_;
  IoThread thread_;
  std::vector<fs::path> files_;
  FileStamps taken_;
  int takes_ = 0;
  bool ended_ = false;
  std::unique_ptr<FileWatcher> watcher_;
};

TEST_F(FileWatcherTest, SeesAFileHoweverItChanges) {
  const fs::path file = dir_.path() / "a";
  write(file, "one");
  watch({file});
  EXPECT_EQ(takes_, 0);
  write(file, "in place");
  EXPECT_TRUE(takes(1));
  replace(file, "by rename");
  EXPECT_TRUE(takes(2));
  fs::remove(file);
  EXPECT_TRUE(takes(3));
  write(file, "again");
  EXPECT_TRUE(takes(4));
}

TEST_F(FileWatcherTest, TakesSeveralFilesThatAreSavedTogetherOnce) {
  const fs::path a = dir_.path() / "a";
  const fs::path b = dir_.path() / "b";
  watch({a, b});
  write(a, "one");
  pass(50ms);
  write(b, "two");
  ASSERT_TRUE(takes(1));
  pass(400ms);
  EXPECT_EQ(takes_, 1);
}

TEST_F(FileWatcherTest, SeesAFileComeIntoBeingWithItsFolders) {
  const fs::path file = dir_.path() / "lists" / "own" / "a";
  watch({file});
  fs::create_directory(dir_.path() / "lists");
  pass(50ms);
  fs::create_directory(dir_.path() / "lists" / "own");
  pass(50ms);
  write(file, "one");
  EXPECT_TRUE(takes(1));
}

TEST_F(FileWatcherTest, SeesALinkThatIsTurned) {
  for (const char* folder : {"first", "second"}) {
    fs::create_directory(dir_.path() / folder);
    write(dir_.path() / folder / "a", folder);
  }
  // The file is a link through a link beside it, as Kubernetes mounts a ConfigMap.
  fs::create_symlink("first", dir_.path() / "current");
  fs::create_symlink("current/a", dir_.path() / "a");
  watch({dir_.path() / "a"});
  fs::create_symlink("second", dir_.path() / "new");
  fs::rename(dir_.path() / "new", dir_.path() / "current");
  EXPECT_TRUE(takes(1));
}

TEST_F(FileWatcherTest, LeavesAloneWhatIsTakenAlreadyAndWhatIsNotItsOwn) {
  const fs::path file = dir_.path() / "a";
  write(file, "one");
  watch({file});
  write(dir_.path() / "other", "not watched");
  write(file, "two");
  taken_ = stamps_of(files_);  // a reload by request was faster
  pass(500ms);
  EXPECT_EQ(takes_, 0);
  write(file, "three");
  EXPECT_TRUE(takes(1));
}

TEST_F(FileWatcherTest, EndsWhenItIsStoppedAlsoWhileAFileIsNotAtRest) {
  const fs::path file = dir_.path() / "a";
  watch({file});
  write(file, "one");
  pass(50ms);
  watcher_->stop();
  EXPECT_TRUE(thread_.eventually([this] { return ended_; }));
  EXPECT_EQ(takes_, 0);
}

}  // namespace
}  // namespace glyphward::daemon::testing
