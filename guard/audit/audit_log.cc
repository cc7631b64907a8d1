#include "guard/audit/audit_log.h"

#include <sqlite3.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "base/config_error.h"
#include "guard/audit/chain.h"
#include "guard/audit/columns.h"
#include "guard/audit/rows.h"
#include "guard/audit/sqlite.h"
#include "guard/audit/state_dir.h"

namespace glyphward::guard {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabase = "audit.db";

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string filter_sql(const RecordFilter& filter) {
  std::string where = "1";
  if (!filter.action.empty()) where += " AND action = :action";
  if (!filter.outcome.empty()) where += " AND outcome = :outcome";
  if (!filter.endpoint.empty()) where += " AND endpoint = :endpoint";
  if (!filter.route.empty()) where += " AND route = :route";
  if (filter.open_for_review_only) where += " AND open_for_review = 1";
  if (filter.before_sequence > 0) where += " AND sequence < :before";
  if (filter.since_ms > 0) where += " AND time_ms >= :since";
  if (filter.until_ms > 0) where += " AND time_ms < :until";
  if (!filter.prompt_contains.empty())
    where += " AND (instr(prompt, :contains) OR instr(sanitized_prompt, :contains))";
  return where;
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
    Statement statement(*database_, "SELECT " + column_list() + " FROM decisions WHERE " +
                                        filter_sql(filter) +
                                        " ORDER BY sequence DESC LIMIT :limit");
    bind_filter(statement, filter);
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
  static void bind_filter(Statement& statement, const RecordFilter& filter);

  // Between the two reads of the seal the snapshot is taken; a writer may be at work meanwhile, and
  // never has more than one row beyond its seal.
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

void SqliteAuditLog::bind_filter(Statement& statement, const RecordFilter& filter) {
  const int limit = filter.limit > 0 ? filter.limit : 0;
  int index = 0;
  // Parameters are numbered by their first appearance in filter_sql().
  if (!filter.action.empty()) statement.bind(++index, filter.action);
  if (!filter.outcome.empty()) statement.bind(++index, filter.outcome);
  if (!filter.endpoint.empty()) statement.bind(++index, filter.endpoint);
  if (!filter.route.empty()) statement.bind(++index, filter.route);
  if (filter.before_sequence > 0) statement.bind(++index, filter.before_sequence);
  if (filter.since_ms > 0) statement.bind(++index, filter.since_ms);
  if (filter.until_ms > 0) statement.bind(++index, filter.until_ms);
  if (!filter.prompt_contains.empty()) statement.bind(++index, filter.prompt_contains);
  statement.bind(++index, static_cast<std::int64_t>(limit));
}

void make_schema(Database& database) {
  Transaction transaction(database, "BEGIN IMMEDIATE");
  database.execute(create_table_sql());
  database.execute(kCreateIndex);
  database.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion));
  transaction.commit();
}

// The chain's end against the seal. One sound row beyond it is taken over; returns the last row.
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
