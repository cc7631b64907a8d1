#include "guard/audit/chain.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include "guard/audit/audit_log.h"
#include "tests/guard/audit/test_log.h"

namespace glyphward::guard {
namespace {

// ---- Rows ---------------------------------------------------------------------------------------

// By hand from chain.cc's description, with Python's hashlib: whatever else changes, rows that were
// written before must verify.
TEST(Chain, HashIsThatOfEveryVersionBefore) {
  Record record = sample(1);
  record.sequence = 7;
  record.time_ms = 1700000000123;
  record.previous_hash = first_previous_hash();
  EXPECT_EQ(chain_hash(record), "94cf6ec992421a4e16bfb1289acc3d662e31d58155a60ce8f799378736744b58");
  Hash key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<unsigned char>(i);
  EXPECT_EQ(row_mac(key, chain_hash(record)),
            "9b1aa9c7fa925d567330cadd89ce6a3a027fcf7b51254b0c9f9de923ac6c2d3f");
  EXPECT_EQ(encode_head(key, {7, chain_hash(record)}),
            "sequence 7\nhash " + chain_hash(record) +
                "\nmac 6bc45308c59723749a905292ed780b00de08de5d453c7dd1c5b4d9608ca7614b\n");
}

TEST(Chain, FaultIsTheNearestToWhatWasDone) {
  const Hash key{};
  Record record = sample(1);
  record.sequence = 1;
  record.previous_hash = first_previous_hash();
  record.hash = chain_hash(record);
  record.mac = row_mac(key, record.hash);
  EXPECT_EQ(chain_fault(record, first_previous_hash(), key), "");
  EXPECT_EQ(chain_fault(record, record.hash, key), "does not follow the row before it");
  Record edited = record;
  edited.prompt += "!";
  EXPECT_EQ(chain_fault(edited, first_previous_hash(), key),
            "was changed: its hash does not agree");
  edited.hash = chain_hash(edited);
  EXPECT_EQ(chain_fault(edited, first_previous_hash(), key), "was not written with this audit.key");
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

}  // namespace
}  // namespace glyphward::guard
