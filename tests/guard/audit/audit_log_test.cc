#include "guard/audit/audit_log.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "tests/guard/audit/test_log.h"

namespace glyphward::guard {
namespace {

TEST(Audit, KeepsWhatIsAppended) {
  TemporaryDir dir;
  const std::vector<Record> records = fill(dir.path(), 3);
  const auto log = AuditLog::open_read_only(dir.path());
  const std::optional<Record> second = log->find(2);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->prompt, "a sign that says \"word 2\"");
  EXPECT_EQ(second->hash, records[1].hash);
  EXPECT_EQ(second->previous_hash, records[0].hash);
  EXPECT_GT(second->time_ms, 0);
  EXPECT_TRUE(log->find(3)->open_for_review);
  EXPECT_EQ(log->find("req-3")->sequence, 3);
  EXPECT_FALSE(log->find("req-4"));
  EXPECT_FALSE(log->find(4));
}

TEST(Audit, GoesOnWhereTheLastProcessStopped) {
  TemporaryDir dir;
  fill(dir.path(), 2);
  const std::vector<Record> more = fill(dir.path(), 2);
  EXPECT_EQ(more[0].sequence, 3);
  const ChainCheck check = verified(dir.path());
  EXPECT_TRUE(check.intact) << check.message;
  EXPECT_EQ(check.rows, 4);
}

TEST(Audit, KeepsTextByteForByte) {
  TemporaryDir dir;
  Record record = sample(1);
  record.prompt = std::string("nul \0 inside, quote ' and \xF0\x9F\x92\xA9", 31);
  AuditLog::open(dir.path())->append(record);
  EXPECT_EQ(AuditLog::open_read_only(dir.path())->find(1)->prompt, record.prompt);
  EXPECT_TRUE(verified(dir.path()).intact);
}

TEST(Audit, FiltersAndPagesFromTheNewest) {
  TemporaryDir dir;
  fill(dir.path(), 9);
  const auto log = AuditLog::open_read_only(dir.path());
  const auto sequences = [&](const RecordFilter& filter) {
    std::string text;
    for (const Record& record : log->list(filter)) text += std::to_string(record.sequence) + " ";
    return text;
  };
  RecordFilter filter;
  filter.limit = 2;
  EXPECT_EQ(sequences(filter), "9 8 ");
  filter.before_sequence = 8;
  EXPECT_EQ(sequences(filter), "7 6 ");
  filter = {};
  filter.action = "allow";
  filter.route = "plain";
  filter.outcome = "answered";
  filter.endpoint = "/v1/images/generations";
  filter.since_ms = 1;
  filter.until_ms = INT64_MAX;
  EXPECT_EQ(sequences(filter), "8 6 4 2 ");
  filter.before_sequence = 5;
  EXPECT_EQ(sequences(filter), "4 2 ");
  filter = {};
  filter.open_for_review_only = true;
  EXPECT_EQ(sequences(filter), "3 ");
  filter = {};
  filter.prompt_contains = "word 7";
  EXPECT_EQ(sequences(filter), "7 ");
  filter.prompt_contains = "\"kind\"";
  EXPECT_EQ(sequences(filter), "9 7 5 3 1 ");
  filter = {};
  filter.until_ms = 1;
  EXPECT_EQ(sequences(filter), "");
}

TEST(Audit, KeepsItsFilesPrivate) {
  TemporaryDir dir;
  const fs::path state = dir.path() / "made" / "state";
  const auto log = AuditLog::open(state);
  log->append(sample(1));
  for (const char* name : {"audit.db", "audit.db-wal", "audit.key", "audit.head"}) {
    struct stat status;
    ASSERT_EQ(::stat((state / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
  sqlite3* database = nullptr;
  sqlite3_open_v2((state / "audit.db").c_str(), &database, SQLITE_OPEN_READONLY, nullptr);
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, "PRAGMA journal_mode", -1, &statement, nullptr);
  ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)), "wal");
  sqlite3_finalize(statement);
  sqlite3_close(database);
}

// ---- What must not pass -------------------------------------------------------------------------

TEST(Audit, MakesAFolderThatIsNamedWithoutAParent) {
  TemporaryDir dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  AuditLog::open("state")->append(sample(1));
  fs::current_path(before);
  EXPECT_TRUE(fs::exists(dir.path() / "state" / "audit.db"));
}

TEST(Audit, TwoWritersAtOnceAreImpossible) {
  TemporaryDir dir;
  const auto first = AuditLog::open(dir.path());
  EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("another process writes"),
            std::string::npos);
  EXPECT_TRUE(AuditLog::open_read_only(dir.path())->list({}).empty());
}

TEST(Audit, AppendNoticesRowsOfAnother) {
  TemporaryDir dir;
  const auto log = AuditLog::open(dir.path());
  log->append(sample(1));
  log->append(sample(2));
  tamper(dir.path(), "DELETE FROM decisions WHERE sequence = 2");
  EXPECT_NE(thrown([&] { log->append(sample(3)); }).find("something else writes"),
            std::string::npos);
}

TEST(Audit, AppendFailsWhileAnotherLocksTheDatabase) {
  TemporaryDir dir;
  const auto log = AuditLog::open(dir.path());
  sqlite3* database = nullptr;
  sqlite3_open((dir.path() / "audit.db").c_str(), &database);
  ASSERT_EQ(sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_NE(thrown([&] { log->append(sample(1)); }).find("locked"), std::string::npos);
  sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  EXPECT_EQ(log->append(sample(1)).sequence, 1);
}

TEST(Audit, AppendFailsWhenItsFolderIsRemoved) {
  TemporaryDir dir;
  const fs::path state = dir.path() / "state";
  const auto log = AuditLog::open(state);
  log->append(sample(1));
  fs::remove_all(state);
  EXPECT_NE(thrown([&] { log->append(sample(2)); }), "");
  fs::create_directory(state);
  EXPECT_NE(thrown([&] { log->append(sample(2)); }), "");
}

TEST(Audit, AppendFailsWhenItsDatabaseIsReplaced) {
  TemporaryDir dir;
  const auto log = AuditLog::open(dir.path());
  log->append(sample(1));
  const std::string bytes = contents(dir.path() / "audit.db");
  fs::remove(dir.path() / "audit.db");
  EXPECT_NE(thrown([&] { log->append(sample(2)); }).find("removed or replaced"), std::string::npos);
  overwrite(dir.path() / "audit.db", bytes);
  EXPECT_NE(thrown([&] { log->append(sample(2)); }).find("removed or replaced"), std::string::npos);
}

// A limit on file sizes stands for the full disk: the same errors come from write().
TEST(Audit, AppendFailsOnAFullDiskAndRecovers) {
  TemporaryDir dir;
  const auto log = AuditLog::open(dir.path());
  log->append(sample(1));
  struct rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  struct sigaction ignore = {}, before = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignore, &before);
  struct rlimit small = limit;
  small.rlim_cur = fs::file_size(dir.path() / "audit.db-wal");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Record large = sample(2);
  large.prompt.assign(50000, 'x');
  const std::string message = thrown([&] { log->append(large); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_NE(message, "");
  EXPECT_EQ(log->append(sample(2)).sequence, 2);
  EXPECT_TRUE(verified(dir.path()).intact);
  ::sigaction(SIGXFSZ, &before, nullptr);
}

// The row is committed, but its seal cannot be put in place: no answer, and the next row seals
// both.
TEST(Audit, AppendFailsWhenTheSealCannotBePublished) {
  TemporaryDir dir;
  const auto log = AuditLog::open(dir.path());
  log->append(sample(1));
  fs::remove(dir.path() / "audit.head");
  fs::create_directories(dir.path() / "audit.head" / "in the way");
  EXPECT_NE(thrown([&] { log->append(sample(2)); }).find("audit.head"), std::string::npos);
  EXPECT_NE(thrown([&] { log->append(sample(3)); }).find("audit.head"), std::string::npos);
  fs::remove_all(dir.path() / "audit.head");
  EXPECT_EQ(log->append(sample(3)).sequence, 3);
  EXPECT_TRUE(verified(dir.path()).intact);
}

TEST(Audit, OpenNamesWhatIsWrong) {
  {
    TemporaryDir dir;
    fill(dir.path(), 2);
    overwrite(dir.path() / "audit.db", std::string(8192, 'x'));
    fs::remove(dir.path() / "audit.db-wal");
    EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("not a database"),
              std::string::npos);
    EXPECT_NE(thrown([&] { AuditLog::open_read_only(dir.path()); }).find("not a database"),
              std::string::npos);
  }
  {
    TemporaryDir dir;
    fill(dir.path(), 2);
    tamper(dir.path(), "PRAGMA user_version = 7");
    EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("user_version: expected 1, found 7"),
              std::string::npos);
  }
  for (const char* name : {"audit.key", "audit.head"}) {
    TemporaryDir dir;
    fill(dir.path(), 2);
    fs::remove(dir.path() / name);
    const std::string message = thrown([&] { AuditLog::open(dir.path()); });
    EXPECT_NE(message.find(std::string(name) + ": is missing"), std::string::npos) << message;
    EXPECT_FALSE(verified(dir.path()).intact);
  }
  {
    TemporaryDir dir;
    fill(dir.path(), 2);
    fs::remove(dir.path() / "audit.db");
    EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("audit.db: is missing"),
              std::string::npos);
  }
  {
    TemporaryDir dir;
    fill(dir.path(), 2);
    fs::permissions(dir.path() / "audit.key", fs::perms::others_read, fs::perm_options::add);
    EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("others may read it"),
              std::string::npos);
  }
  {
    TemporaryDir dir;
    overwrite(dir.path() / "file", "");
    EXPECT_NE(thrown([&] { AuditLog::open(dir.path() / "file"); }).find("ConfigError"),
              std::string::npos);
    EXPECT_NE(thrown([&] { AuditLog::open_read_only(dir.path()); }).find("no audit log"),
              std::string::npos);
  }
}

TEST(Audit, CompletesAFirstStartThatCrashed) {
  for (const char* missing : {"audit.db", "audit.head and audit.db"}) {
    TemporaryDir dir;
    AuditLog::open(dir.path()).reset();
    for (const char* name : {"audit.db", "audit.db-wal", "audit.db-shm"})
      fs::remove(dir.path() / name);
    if (std::string(missing) != "audit.db") fs::remove(dir.path() / "audit.head");
    EXPECT_EQ(fill(dir.path(), 1)[0].sequence, 1) << missing;
  }
}

TEST(Audit, ReadOnlyLogDoesNotAppend) {
  TemporaryDir dir;
  fill(dir.path(), 1);
  EXPECT_NE(thrown([&] { AuditLog::open_read_only(dir.path())->append(sample(2)); }), "");
  EXPECT_EQ(verified(dir.path()).rows, 1);
}

}  // namespace
}  // namespace glyphward::guard
