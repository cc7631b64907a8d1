#include "guard/audit/audit_log.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "base/config_error.h"
#include "guard/audit/chain.h"
#include "guard/audit/columns.h"
#include "guard/audit/rows.h"
#include "guard/audit/sqlite.h"
#include "guard/audit/state_dir.h"

// How a row is written. append() takes these steps, and its caller lets the answer go after the
// last:
//
//   1. BEGIN IMMEDIATE; the table's last row must be the one that this process wrote last
//   2. INSERT
//   3. stage the seal: audit.head.new is written and synced
//   4. COMMIT: in WAL mode with synchronous=FULL the row is on the disk
//   5. publish the seal: audit.head.new is renamed to audit.head, and the folder synced
//
// The seal is staged before the commit because after it nothing may fail for want of space: a
// rename needs none. What a crash leaves:
//
//   before 4     the rows and the seal of before; a staged file, which the next stage() overwrites
//   from 4 to 5  one row beyond the seal. Its answer never left. If its hash and mac are right it
//   is
//                ours: check_tail() takes it over and seals it when the log is next opened
//   after 5      rows and seal agree
//
// If 5 fails while the process lives on, append() throws and remembers (unpublished_): the next
// append() must first publish that seal. So never is more than one row beyond the seal, and two are
// proof that something else wrote.

namespace glyphward::guard {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabase = "audit.db";

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// One condition of a filter: its SQL, in which {0} is the parameter, and the parameter's value.
using Condition = std::pair<const char*, std::variant<std::int64_t, std::string>>;

std::vector<Condition> conditions(const RecordFilter& filter) {
  std::vector<Condition> all;
  const auto add_text = [&](const char* sql, const std::string& value) {
    if (!value.empty()) all.emplace_back(sql, value);
  };
  const auto add_number = [&](const char* sql, std::int64_t value) {
    if (value > 0) all.emplace_back(sql, value);
  };
  add_text("action = {0}", filter.action);
  add_text("outcome = {0}", filter.outcome);
  add_text("endpoint = {0}", filter.endpoint);
  add_text("route = {0}", filter.route);
  add_number("open_for_review = {0}", filter.open_for_review_only ? 1 : 0);
  add_number("sequence < {0}", filter.before_sequence);
  add_number("time_ms >= {0}", filter.since_ms);
  add_number("time_ms < {0}", filter.until_ms);
  add_text("(instr(prompt, {0}) OR instr(sanitized_prompt, {0}))", filter.prompt_contains);
  return all;
}

// ---- The log ------------------------------------------------------------------------------------

class SqliteAuditLog final : public AuditLog {
 public:
  // For reading.
  SqliteAuditLog(StateDir dir, std::unique_ptr<Database> database)
      : dir_(std::move(dir)), database_(std::move(database)) {}

  // For writing; `sealed` is the chain's last row.
  SqliteAuditLog(StateDir dir, std::unique_ptr<Database> database, const Hash& key, Head sealed)
      : dir_(std::move(dir)),
        database_(std::move(database)),
        key_(key),
        sealed_(std::move(sealed)),
        identity_(dir_.identity(kDatabase)) {}

  Record append(Record record) override {
    if (!key_) throw std::runtime_error("audit: the log was opened for reading only");
    require_database_in_place();
    if (unpublished_) {  // an earlier row was committed, and its seal could not be put in place
      dir_.stage(kHead, encode_head(*key_, sealed_));
      publish();
    }
    record.sequence = sealed_.sequence + 1;
    if (record.time_ms == 0) record.time_ms = now_ms();
    record.previous_hash = sealed_.hash;
    record.hash = chain_hash(record);
    record.mac = row_mac(*key_, record.hash);
    commit(record);
    publish();
    require_database_in_place();
    return record;
  }

  std::vector<Record> list(const RecordFilter& filter) override {
    const std::vector<Condition> all = conditions(filter);
    std::string sql = "SELECT " + column_list() + " FROM decisions WHERE 1";
    int index = 0;
    for (const auto& [condition, value] : all)
      sql += " AND " + fmt::format(fmt::runtime(condition), fmt::format("?{}", ++index));
    sql += fmt::format(" ORDER BY sequence DESC LIMIT ?{}", ++index);
    Statement statement(*database_, sql);
    index = 0;
    for (const auto& [condition, value] : all)
      std::visit([&](const auto& bound) { statement.bind(++index, bound); }, value);
    statement.bind(++index, std::int64_t{std::max(filter.limit, 0)});
    std::vector<Record> records;
    while (statement.step()) records.push_back(read_record(statement));
    return records;
  }

  std::optional<Record> find(const std::string& request_id) override {
    Statement statement(
        *database_,
        "SELECT " + column_list() + " FROM decisions WHERE request_id = ? ORDER BY sequence DESC");
    statement.bind(1, request_id);
    if (!statement.step()) return std::nullopt;
    return read_record(statement);
  }

  std::optional<Record> find(std::int64_t sequence) override {
    return read_row(*database_, sequence);
  }

  ChainCheck verify() override {
    try {
      return walk();
    } catch (const std::exception& error) {
      return broken(0, 1, error.what());
    }
  }

 private:
  // What is checked: the schema, each row against the one before it (ChainWalk), and the last row
  // against the seal.
  //
  // A writer may be at work meanwhile, and rows and seal are not read in one moment. So the seal is
  // read twice, with the snapshot of the rows taken between: the snapshot has at least the rows of
  // the first seal, and at most one row beyond the second.
  ChainCheck walk() {
    const Hash key = read_key(dir_);
    const Head before = read_head(dir_, key);
    Transaction snapshot(*database_, "BEGIN");
    if (user_version(*database_) != kSchemaVersion)
      return broken(0, 1, "the schema's version is not " + std::to_string(kSchemaVersion));
    if (const std::string fault = schema_fault(*database_); !fault.empty())
      return broken(0, 1, fault);
    ChainWalk chain(*database_, key);
    if (std::optional<ChainCheck> fault = chain.run(before)) return *fault;
    const Head after = read_head(dir_, key);
    if (chain.last().sequence > after.sequence + 1)
      return broken(after.sequence + 1, after.sequence + 2,
                    row_text(after.sequence + 2) + " was written after the seal");
    ChainCheck check;
    check.intact = true;
    check.rows = chain.rows();
    check.message = "chain and seal agree, head " + chain.last().hash;
    if (chain.last().sequence > after.sequence)
      check.message += "; the last row was not sealed (a crash): its answer never left";
    return check;
  }

  void commit(const Record& record) {
    Transaction transaction(*database_, "BEGIN IMMEDIATE");
    require_no_other_writer();
    Statement statement(*database_, insert_sql());
    bind_record(statement, record);
    statement.step();
    const Head head{record.sequence, record.hash};
    dir_.stage(kHead, encode_head(*key_, head));
    transaction.commit();
    sealed_ = head;
    unpublished_ = true;
  }

  void publish() {
    dir_.publish(kHead);
    unpublished_ = false;
  }

  // The folder is locked (flock) against a second Glyphward; this is against everybody else.
  void require_no_other_writer() {
    Statement last(*database_,
                   "SELECT sequence, hash FROM decisions ORDER BY sequence DESC LIMIT 1");
    const bool any = last.step();
    const Head found = any ? Head{last.integer(0), last.text(1)} : Head{};
    if (found.sequence != sealed_.sequence || found.hash != sealed_.hash)
      throw std::runtime_error(dir_.file(kDatabase).string() + ": expected " +
                               row_text(sealed_.sequence) + " as the last row, found " +
                               row_text(found.sequence) + ": something else writes to the log");
  }

  // SQLite would go on writing to a file that was removed.
  void require_database_in_place() const {
    const auto found = dir_.identity(kDatabase);
    if (!found || found != identity_)
      throw std::runtime_error(dir_.file(kDatabase).string() + ": was removed or replaced");
  }

  StateDir dir_;
  std::unique_ptr<Database> database_;
  std::optional<Hash> key_;  // set if open for writing
  Head sealed_;              // the last row committed
  bool unpublished_ = false;
  std::optional<std::pair<dev_t, ino_t>> identity_;
};

void make_schema(Database& database) {
  Transaction transaction(database, "BEGIN IMMEDIATE");
  database.execute(create_table_sql());
  database.execute(kCreateIndex);
  database.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion));
  transaction.commit();
}

// ---- Opening ------------------------------------------------------------------------------------

// The chain's end against the seal: the sealed row must be there and sound, and what is beyond it
// is nothing, or the one sound row of a crash, which is taken over. Returns the last row. The rows
// before are verify()'s to walk: a start does not wait for them.
Head check_tail(Database& database, const StateDir& dir, const Hash& key, const Head& sealed) {
  const auto wrong = [&](const std::string& message) {
    return ConfigError(dir.file(kDatabase), 0, "",
                       message +
                           "; `glyphward audit verify` says more, and nothing is written to a"
                           " broken log");
  };
  Statement statement(database, "SELECT max(sequence) FROM decisions");
  statement.step();
  const std::int64_t last = statement.is_null(0) ? 0 : statement.integer(0);
  if (last < sealed.sequence)
    throw wrong(row_text(last + 1) + " is missing: the seal stands at " +
                row_text(sealed.sequence));
  if (last > sealed.sequence + 1)
    throw wrong(row_text(sealed.sequence + 2) + " was written after the seal");
  Head head;
  if (sealed.sequence > 0) {
    const std::optional<Record> row = read_row(database, sealed.sequence);
    if (!row) throw wrong(row_text(sealed.sequence) + " is missing");
    if (row->hash != sealed.hash)
      throw wrong(row_text(sealed.sequence) + " is not the one that was sealed");
    if (const std::string fault = chain_fault(*row, row->previous_hash, key); !fault.empty())
      throw wrong(row_text(sealed.sequence) + " " + fault);
    head = sealed;
  }
  if (last == sealed.sequence) return head;
  const std::optional<Record> row = read_row(database, last);
  if (!row) throw wrong(row_text(last) + " is missing");
  if (const std::string fault = chain_fault(*row, head.hash, key); !fault.empty())
    throw wrong(row_text(last) + " " + fault);
  return {row->sequence, row->hash};
}

// The order of creation is key, seal, database: whatever a crash leaves of it is completed by the
// next start, while a database without its seal or key is always an error.
std::pair<Hash, Head> open_key_and_head(const StateDir& dir) {
  const bool has_database = dir.has(kDatabase), has_head = dir.has(kHead);
  for (const char* name : {kKey, kHead}) {
    if (dir.has(name)) continue;
    if (has_database || (has_head && name == kKey))
      throw ConfigError(
          dir.file(name), 0, "",
          "is missing beside an existing audit log: put it back, or move the old log away");
  }
  if (dir.has(kKey) && (dir.permissions(kKey) & 077) != 0)
    throw ConfigError(dir.file(kKey), 0, "", "others may read it: expected permissions 0600");
  const Hash key = dir.has(kKey) ? read_key(dir) : make_key(dir);
  if (!has_head) {
    dir.stage(kHead, encode_head(key, {}));
    dir.publish(kHead);
  }
  const Head head = read_head(dir, key);
  if (!has_database && head.sequence > 0)
    throw ConfigError(dir.file(kDatabase), 0, "",
                      "is missing: the seal stands at " + row_text(head.sequence));
  return {key, head};
}

std::unique_ptr<AuditLog> open_for_writing(StateDir dir) {
  if (!dir.lock())
    throw ConfigError(dir.path(), 0, "state-dir", "another process writes to this audit log");
  const auto [key, sealed] = open_key_and_head(dir);
  dir.make_private(kDatabase);
  auto database = std::make_unique<Database>(dir.file(kDatabase), SQLITE_OPEN_READWRITE);
  database->execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
  if (user_version(*database) == 0 && sealed.sequence == 0) {
    Statement count(*database, "SELECT count(*) FROM sqlite_schema");
    count.step();
    if (count.integer(0) == 0) make_schema(*database);
  }
  if (const std::int64_t version = user_version(*database); version != kSchemaVersion)
    throw ConfigError(
        dir.file(kDatabase), 0, "user_version",
        "expected " + std::to_string(kSchemaVersion) + ", found " + std::to_string(version));
  if (const std::string fault = schema_fault(*database); !fault.empty())
    throw ConfigError(dir.file(kDatabase), 0, "", fault);
  const Head head = check_tail(*database, dir, key, sealed);
  if (head.sequence != sealed.sequence) {
    dir.stage(kHead, encode_head(key, head));
    dir.publish(kHead);
  }
  // Only now is it certain that rows can be written: a read-only file opens without complaint.
  Transaction probe(*database, "BEGIN IMMEDIATE");
  return std::make_unique<SqliteAuditLog>(std::move(dir), std::move(database), key, head);
}

// A closed database in a folder that one may not write to: SQLite cannot make its shared memory
// there, and need not.
std::unique_ptr<Database> open_database_for_reading(const StateDir& dir) {
  const fs::path file = dir.file(kDatabase);
  auto database = std::make_unique<Database>(file, SQLITE_OPEN_READONLY);
  try {
    Statement(*database, "SELECT count(*) FROM sqlite_schema").step();
  } catch (const SqliteError& error) {
    const int primary = error.code & 255;
    if ((primary != SQLITE_CANTOPEN && primary != SQLITE_READONLY) || dir.has("audit.db-wal"))
      throw;
    std::string uri = "file:";
    for (char c : fs::absolute(file).string())
      uri += c == '?' ? "%3f" : c == '#' ? "%23" : c == '%' ? "%25" : std::string(1, c);
    database =
        std::make_unique<Database>(uri + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  }
  return database;
}

}  // namespace

std::unique_ptr<AuditLog> AuditLog::open(const fs::path& state_dir) {
  StateDir dir(state_dir, /*create=*/true);
  try {
    return open_for_writing(std::move(dir));
  } catch (const ConfigError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw ConfigError(state_dir, 0, "state-dir", error.what());
  }
}

std::unique_ptr<AuditLog> AuditLog::open_read_only(const fs::path& state_dir) {
  StateDir dir(state_dir, /*create=*/false);
  if (!dir.has(kDatabase))
    throw ConfigError(state_dir / kDatabase, 0, "", "there is no audit log here");
  try {
    auto database = open_database_for_reading(dir);
    database->execute("PRAGMA trusted_schema = OFF");
    return std::make_unique<SqliteAuditLog>(std::move(dir), std::move(database));
  } catch (const SqliteError& error) {
    throw ConfigError(state_dir / kDatabase, 0, "", error.what());
  }
}

}  // namespace glyphward::guard
