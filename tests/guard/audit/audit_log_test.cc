#include "guard/audit/audit_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>

#include "base/config_error.h"

namespace glyphward::guard {
namespace {

namespace fs = std::filesystem;

class TemporaryDir {
 public:
  TemporaryDir() {
    std::string pattern = (fs::temp_directory_path() / "glyphward-audit-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~TemporaryDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Record sample(int number) {
  Record record;
  record.request_id = "req-" + std::to_string(number);
  record.client = "uid=1000 gid=1000 pid=4242";
  record.endpoint = "/v1/images/generations";
  record.prompt = "a sign that says \"word " + std::to_string(number) + "\"";
  record.rendered_json = R"([{"text":"word"}])";
  record.findings_json = "[]";
  record.action = number % 2 == 0 ? "allow" : "substitute";
  record.sanitized_prompt = number % 2 == 0 ? "" : "a sign that says \"kind\"";
  record.route = number % 2 == 0 ? "plain" : "localized";
  record.outcome = "answered";
  record.open_for_review = number == 3;
  record.timings_json = R"({"total_ms":12.5})";
  return record;
}

// What an intruder does who can write the database but has not the key.
void tamper(const fs::path& dir, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((dir / "audit.db").c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_free(error);
  sqlite3_close(database);
}

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void overwrite(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<Record> fill(const fs::path& dir, int rows) {
  const auto log = AuditLog::open(dir);
  std::vector<Record> records;
  for (int i = 1; i <= rows; ++i) records.push_back(log->append(sample(i)));
  return records;
}

ChainCheck verified(const fs::path& dir) { return AuditLog::open_read_only(dir)->verify(); }

std::string thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return std::string("ConfigError: ") + error.what();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

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

// ---- Tampering ----------------------------------------------------------------------------------

struct Tampering {
  std::string name;
  std::string sql;
  std::int64_t first_bad;
};

class AuditTampering : public testing::TestWithParam<Tampering> {};

TEST_P(AuditTampering, IsFound) {
  TemporaryDir dir;
  fill(dir.path(), 6);
  ASSERT_TRUE(verified(dir.path()).intact);
  tamper(dir.path(), GetParam().sql);
  const ChainCheck check = verified(dir.path());
  EXPECT_FALSE(check.intact);
  EXPECT_EQ(check.first_bad_sequence, GetParam().first_bad) << check.message;
  EXPECT_FALSE(check.message.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AuditTampering,
    testing::Values(
        Tampering{"Deleted", "DELETE FROM decisions WHERE sequence = 3", 3},
        Tampering{"DeletedFirst", "DELETE FROM decisions WHERE sequence = 1", 1},
        Tampering{"DeletedLast", "DELETE FROM decisions WHERE sequence = 6", 6},
        Tampering{"DeletedLastTwo", "DELETE FROM decisions WHERE sequence > 4", 5},
        Tampering{"DeletedAll", "DELETE FROM decisions", 1},
        Tampering{"DeletedAndClosedUp",
                  "DELETE FROM decisions WHERE sequence = 3; UPDATE decisions SET sequence = "
                  "sequence - 1 WHERE sequence > 3",
                  3},
        Tampering{"Reordered",
                  "UPDATE decisions SET sequence = 99 WHERE sequence = 2; UPDATE decisions SET "
                  "sequence = 2 WHERE sequence = 4; UPDATE decisions SET sequence = 4 WHERE "
                  "sequence = 99",
                  2},
        Tampering{"InsertedAtEnd",
                  "CREATE TEMP TABLE t AS SELECT * FROM decisions WHERE sequence = 6; UPDATE t SET "
                  "sequence = 7, previous_hash = hash; INSERT INTO decisions SELECT * FROM t",
                  7},
        Tampering{"InsertedBefore",
                  "CREATE TEMP TABLE t AS SELECT * FROM decisions WHERE sequence = 1; UPDATE t SET "
                  "sequence = -1; INSERT INTO decisions SELECT * FROM t",
                  -1},
        Tampering{"InsertedInTheMiddle",
                  "UPDATE decisions SET sequence = -sequence WHERE sequence > 3; UPDATE decisions "
                  "SET sequence = 1 - sequence WHERE sequence < 0; CREATE TEMP TABLE t AS SELECT * "
                  "FROM decisions WHERE sequence = 3; UPDATE t SET sequence = 4; INSERT INTO "
                  "decisions SELECT * FROM t",
                  4},
        Tampering{"MovedTextBetweenColumns",
                  "UPDATE decisions SET action = 'substitut', sanitized_prompt = 'e' || "
                  "sanitized_prompt WHERE sequence = 5",
                  5},
        Tampering{"ColumnAdded", "ALTER TABLE decisions ADD COLUMN note TEXT", 1},
        Tampering{"TriggerAdded",
                  "CREATE TRIGGER t AFTER INSERT ON decisions BEGIN DELETE FROM decisions WHERE "
                  "sequence = 1; END",
                  1},
        Tampering{"VersionChanged", "PRAGMA user_version = 2", 1},
        Tampering{"TableDropped", "DROP TABLE decisions", 1}),
    [](const auto& info) { return info.param.name; });

// Each column that there is, so that a new one cannot be forgotten in the hash.
TEST(AuditTamperingColumns, EachEditIsFound) {
  TemporaryDir dir;
  fill(dir.path(), 3);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((dir.path() / "audit.db").c_str(), &database), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, "SELECT name, type FROM pragma_table_info('decisions')", -1,
                     &statement, nullptr);
  std::vector<std::pair<std::string, std::string>> columns;
  while (sqlite3_step(statement) == SQLITE_ROW)
    columns.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)),
                         reinterpret_cast<const char*>(sqlite3_column_text(statement, 1)));
  sqlite3_finalize(statement);
  sqlite3_close(database);
  ASSERT_EQ(columns.size(), 27u);
  for (const auto& [name, type] : columns) {
    if (name == "sequence") continue;  // Reordered
    tamper(dir.path(), "UPDATE decisions SET " + name + " = " +
                           (type == "TEXT" ? name + " || 'x'" : "1 - " + name) +
                           " WHERE sequence = 2");
    const ChainCheck check = verified(dir.path());
    EXPECT_FALSE(check.intact) << name;
    EXPECT_EQ(check.first_bad_sequence, 2) << name << ": " << check.message;
    tamper(dir.path(), "UPDATE decisions SET " + name + " = " +
                           (type == "TEXT" ? "substr(" + name + ", 1, length(" + name + ") - 1)"
                                           : "1 - " + name) +
                           " WHERE sequence = 2");
    EXPECT_TRUE(verified(dir.path()).intact) << name;
  }
}

// The intruder knows how hashes are made, and takes them from a log of his own: only the key is
// missing.
TEST(Audit, FindsRewrittenSuffixWithHashesOfAnotherLog) {
  TemporaryDir dir, forged;
  fill(dir.path(), 6);
  {
    // The same rows up to 3, then others: a whole log, sound under its own key.
    const auto log = AuditLog::open(forged.path());
    const auto original = AuditLog::open_read_only(dir.path());
    for (int i = 1; i <= 6; ++i) {
      Record record = *original->find(i);
      if (i > 3) record.outcome = "refused";
      log->append(record);
    }
  }
  ASSERT_TRUE(verified(forged.path()).intact);
  tamper(dir.path(),
         "ATTACH '" + (forged.path() / "audit.db").string() +
             "' AS forged; DELETE FROM decisions WHERE sequence > 3; INSERT INTO decisions "
             "SELECT * FROM forged.decisions WHERE sequence > 3");
  const ChainCheck check = verified(dir.path());
  EXPECT_FALSE(check.intact);
  // Hashes do not depend on the key: rows 1 to 3 have the same in both, and row 4's chain is sound
  // but for its mac.
  EXPECT_EQ(check.first_bad_sequence, 4) << check.message;
  EXPECT_NE(check.message.find("audit.key"), std::string::npos) << check.message;
  // Nor does the other log's seal help.
  fs::copy_file(forged.path() / "audit.head", dir.path() / "audit.head",
                fs::copy_options::overwrite_existing);
  EXPECT_FALSE(verified(dir.path()).intact);
}

TEST(Audit, CutTailCannotBeSealedWithItsLastRowsMac) {
  TemporaryDir dir;
  const std::vector<Record> records = fill(dir.path(), 4);
  tamper(dir.path(), "DELETE FROM decisions WHERE sequence > 2");
  overwrite(dir.path() / "audit.head",
            "sequence 2\nhash " + records[1].hash + "\nmac " + records[1].mac + "\n");
  EXPECT_FALSE(verified(dir.path()).intact);
  EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("ConfigError"), std::string::npos);
}

TEST(Audit, RefusesToWriteOnABrokenTail) {
  for (const std::string sql :
       {"DELETE FROM decisions WHERE sequence = 3",
        "UPDATE decisions SET prompt = '' WHERE sequence = 3",
        "UPDATE decisions SET mac = hash WHERE sequence = 3", "DELETE FROM decisions",
        "CREATE TEMP TABLE t AS SELECT * FROM decisions WHERE sequence = 3; UPDATE t SET sequence "
        "= 4, "
        "previous_hash = hash; INSERT INTO decisions SELECT * FROM t"}) {
    TemporaryDir dir;
    fill(dir.path(), 3);
    tamper(dir.path(), sql);
    EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("ConfigError"), std::string::npos)
        << sql;
  }
}

// ---- A crash between commit and seal ------------------------------------------------------------

TEST(Audit, TakesOverOneRowThatACrashLeftUnsealed) {
  TemporaryDir dir;
  fill(dir.path(), 3);
  const std::string head = contents(dir.path() / "audit.head");
  fill(dir.path(), 1);
  overwrite(dir.path() / "audit.head", head);  // as if the seal of row 4 never came
  const ChainCheck check = verified(dir.path());
  EXPECT_TRUE(check.intact) << check.message;
  EXPECT_NE(check.message.find("not sealed"), std::string::npos);
  EXPECT_EQ(fill(dir.path(), 1)[0].sequence, 5);
  EXPECT_TRUE(verified(dir.path()).intact);
  EXPECT_EQ(contents(dir.path() / "audit.head").substr(0, 11), "sequence 5\n");
}

TEST(Audit, TwoUnsealedRowsAreNotACrash) {
  TemporaryDir dir;
  fill(dir.path(), 3);
  const std::string head = contents(dir.path() / "audit.head");
  fill(dir.path(), 2);
  overwrite(dir.path() / "audit.head", head);
  EXPECT_EQ(verified(dir.path()).first_bad_sequence, 5);
  EXPECT_NE(thrown([&] { AuditLog::open(dir.path()); }).find("row 5 was written after the seal"),
            std::string::npos);
}

TEST(Audit, SurvivesKillInTheMiddleOfRows) {
  TemporaryDir dir;
  fill(dir.path(), 1);
  for (int round = 0; round < 5; ++round) {
    int acknowledged[2];
    ASSERT_EQ(::pipe(acknowledged), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto log = AuditLog::open(dir.path());
      for (int i = 0;; ++i) {
        const std::int64_t sequence = log->append(sample(i)).sequence;
        if (::write(acknowledged[1], &sequence, sizeof sequence) < 0) ::_exit(1);
      }
    }
    ::close(acknowledged[1]);
    std::int64_t last = 0, sequence = 0;
    for (int i = 0; i < 4 + round; ++i)
      if (::read(acknowledged[0], &sequence, sizeof sequence) == sizeof sequence) last = sequence;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(acknowledged[0], &sequence, sizeof sequence) == sizeof sequence) last = sequence;
    ::close(acknowledged[0]);
    const ChainCheck check = verified(dir.path());
    EXPECT_TRUE(check.intact) << check.message;
    EXPECT_GE(check.rows, last);
    EXPECT_LE(check.rows, last + 1);
    AuditLog::open(dir.path())->append(sample(0));
    EXPECT_TRUE(verified(dir.path()).intact);
  }
}

TEST(Audit, VerifiesWhileAnotherThreadWrites) {
  TemporaryDir dir;
  fill(dir.path(), 1);
  std::thread writer([&] { fill(dir.path(), 60); });
  int checked = 0;
  for (std::int64_t rows = 0; rows < 61; ++checked) {
    const ChainCheck check = verified(dir.path());
    EXPECT_TRUE(check.intact) << check.message;
    if (!check.intact) break;
    rows = check.rows;
  }
  writer.join();
  EXPECT_GT(checked, 0);
}

// ---- What must not pass -------------------------------------------------------------------------

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

TEST(Audit, VerifyFindsADamagedFile) {
  TemporaryDir dir;
  {
    const auto log = AuditLog::open(dir.path());
    for (int i = 1; i <= 12; ++i) {
      Record record = sample(i);
      record.prompt.assign(3000, 'x');
      log->append(record);
    }
  }
  std::string bytes = contents(dir.path() / "audit.db");
  ASSERT_GT(bytes.size(), 40960u);
  std::fill(bytes.begin() + 20480, bytes.begin() + 28672, '\x5a');
  overwrite(dir.path() / "audit.db", bytes);
  const ChainCheck check = verified(dir.path());
  EXPECT_FALSE(check.intact);
  EXPECT_GT(check.first_bad_sequence, 0);
}

TEST(Audit, ReadOnlyLogDoesNotAppend) {
  TemporaryDir dir;
  fill(dir.path(), 1);
  EXPECT_NE(thrown([&] { AuditLog::open_read_only(dir.path())->append(sample(2)); }), "");
  EXPECT_EQ(verified(dir.path()).rows, 1);
}

TEST(Audit, JsonHoldsEveryMemberUnderItsName) {
  TemporaryDir dir;
  const Record record = fill(dir.path(), 1)[0];
  const boost::json::object json = to_json(record);
  EXPECT_EQ(json.size(), 27u);
  EXPECT_EQ(json.at("sequence").as_int64(), 1);
  EXPECT_FALSE(json.at("open_for_review").as_bool());
  EXPECT_EQ(json.at("rendered").as_array()[0].at("text").as_string(), "word");
  EXPECT_EQ(json.at("timings").at("total_ms").as_double(), 12.5);
  EXPECT_TRUE(json.at("escalations").is_null());
  EXPECT_EQ(json.at("hash").as_string(), record.hash);
}

}  // namespace
}  // namespace glyphward::guard
