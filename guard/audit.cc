#include "guard/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <variant>

#include "base/config_error.h"

namespace glyphward::guard {
namespace {

namespace fs = std::filesystem;

constexpr int kSchemaVersion = 1;
constexpr const char* kDatabase = "audit.db";
constexpr const char* kKey = "audit.key";
constexpr const char* kHead = "audit.head";
constexpr std::size_t kHashBytes = 32;
constexpr int kBusyTimeoutMs = 2000;

using Hash = std::array<unsigned char, kHashBytes>;

// The columns, in the order in which they are stored and hashed. previous_hash, hash and mac follow
// them.
struct Column {
  const char* name;
  std::variant<std::int64_t Record::*, std::string Record::*, bool Record::*> member;
};
constexpr Column kColumns[] = {
    {"sequence", &Record::sequence},
    {"time_ms", &Record::time_ms},
    {"request_id", &Record::request_id},
    {"client", &Record::client},
    {"endpoint", &Record::endpoint},
    {"prompt", &Record::prompt},
    {"negative_prompt", &Record::negative_prompt},
    {"rendered_json", &Record::rendered_json},
    {"findings_json", &Record::findings_json},
    {"policy_revision", &Record::policy_revision},
    {"rule", &Record::rule},
    {"action", &Record::action},
    {"sanitized_prompt", &Record::sanitized_prompt},
    {"model", &Record::model},
    {"weights_sha256", &Record::weights_sha256},
    {"parameters_json", &Record::parameters_json},
    {"route", &Record::route},
    {"ocr_reading", &Record::ocr_reading},
    {"escalations_json", &Record::escalations_json},
    {"outcome", &Record::outcome},
    {"reason", &Record::reason},
    {"image_sha256", &Record::image_sha256},
    {"open_for_review", &Record::open_for_review},
    {"timings_json", &Record::timings_json},
};
constexpr Column kChainColumns[] = {
    {"previous_hash", &Record::previous_hash},
    {"hash", &Record::hash},
    {"mac", &Record::mac},
};

template <typename Visitor>
void for_each_column(const Visitor& visit) {
  for (const Column& column : kColumns) visit(column);
  for (const Column& column : kChainColumns) visit(column);
}

bool is_text(const Column& column) {
  return std::holds_alternative<std::string Record::*>(column.member);
}

std::string column_list() {
  std::string list;
  for_each_column([&](const Column& column) {
    if (!list.empty()) list += ", ";
    list += column.name;
  });
  return list;
}

std::string create_table_sql() {
  std::string sql = "CREATE TABLE decisions (";
  bool first = true;
  for_each_column([&](const Column& column) {
    if (!first) sql += ", ";
    sql += column.name;
    sql += is_text(column) ? " TEXT NOT NULL" : " INTEGER NOT NULL";
    if (first) sql += " PRIMARY KEY";
    first = false;
  });
  return sql + ") STRICT";
}

constexpr const char* kCreateIndex = "CREATE INDEX decisions_request_id ON decisions (request_id)";

std::string insert_sql() {
  std::string marks;
  for_each_column([&](const Column&) { marks += marks.empty() ? "?" : ", ?"; });
  return "INSERT INTO decisions (" + column_list() + ") VALUES (" + marks + ")";
}

// ---- Hashes -------------------------------------------------------------------------------------

constexpr char kDigits[] = "0123456789abcdef";

std::string to_hex(const Hash& hash) {
  std::string hex;
  hex.reserve(2 * hash.size());
  for (unsigned char byte : hash) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

// Only what to_hex() writes: 64 lower-case digits.
std::optional<Hash> from_hex(std::string_view hex) {
  Hash hash{};
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (char digit : hex)
    if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'))) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i)
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, hash[i], 16);
  return hash;
}

const std::string& first_previous_hash() {
  static const std::string zeros(2 * kHashBytes, '0');
  return zeros;
}

Hash sha256(const std::string& bytes) {
  Hash hash;
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("audit: libcrypto cannot compute SHA-256");
  return hash;
}

Hash hmac_sha256(const Hash& key, const std::string& bytes) {
  Hash mac;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), mac.data(),
           nullptr) == nullptr)
    throw std::runtime_error("audit: libcrypto cannot compute HMAC-SHA256");
  return mac;
}

bool equal_in_constant_time(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void append_number(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
}

// Unambiguous: each column as a type letter and eight bytes (the number, or the text's length
// before the text), so that no two different rows share an encoding.
std::string canonical(const Record& record) {
  std::string out = "glyphward decision 1\n";
  for (const Column& column : kColumns) {
    std::visit(
        [&](auto member) {
          const auto& value = record.*member;
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
            out += 't';
            append_number(out, value.size());
            out += value;
          } else {
            out += 'i';
            append_number(out, static_cast<std::uint64_t>(value));
          }
        },
        column.member);
  }
  return out;
}

std::string chain_hash(const Record& record) {
  return to_hex(sha256(record.previous_hash + canonical(record)));
}

std::string row_mac(const Hash& key, const std::string& hash) {
  return to_hex(hmac_sha256(key, "row " + hash));
}

// ---- Files in the state folder ------------------------------------------------------------------

std::string errno_text(int error) { return std::generic_category().message(error); }

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The state folder. Everything but SQLite's own files is reached through its descriptor, so that a
// folder which was removed, or replaced by another, is noticed instead of written to.
class StateDir {
 public:
  StateDir(fs::path path, bool create) : path_(std::move(path)) {
    if (create) make();
    fd_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd_.get() < 0) throw ConfigError(path_, 0, "state-dir", errno_text(errno));
  }

  fs::path file(const char* name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

  bool has(const char* name) const {
    struct stat status;
    if (::fstatat(fd_.get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
    if (errno == ENOENT) return false;
    throw ConfigError(file(name), 0, "", errno_text(errno));
  }

  // Device and inode, to notice a file that was replaced.
  std::optional<std::pair<dev_t, ino_t>> identity(const char* name) const {
    struct stat status;
    if (::fstatat(fd_.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return std::pair{status.st_dev, status.st_ino};
  }

  mode_t permissions(const char* name) const {
    struct stat status;
    if (::fstatat(fd_.get(), name, &status, 0) != 0)
      throw ConfigError(file(name), 0, "", errno_text(errno));
    return status.st_mode & 07777;
  }

  // False if another process writes here. Held until this object goes, or the process dies.
  bool lock() const { return ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0; }

  std::string read(const char* name) const {
    Descriptor fd(::openat(fd_.get(), name, O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) throw std::runtime_error(file(name).string() + ": " + errno_text(errno));
    std::string bytes(4096, '\0');
    const ssize_t count = ::read(fd.get(), bytes.data(), bytes.size());
    if (count < 0) throw std::runtime_error(file(name).string() + ": " + errno_text(errno));
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }

  // The replacement of a file in two halves. After stage() its bytes are on the disk under another
  // name: no disk can be too full for publish().
  void stage(const char* name, const std::string& bytes) const {
    const std::string staged = std::string(name) + ".new";
    Descriptor fd(
        ::openat(fd_.get(), staged.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) fail(staged);
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t count = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail(staged);
      done += static_cast<std::size_t>(count);
    }
    if (::fsync(fd.get()) != 0) fail(staged);
  }

  void publish(const char* name) const {
    const std::string staged = std::string(name) + ".new";
    if (::renameat(fd_.get(), staged.c_str(), fd_.get(), name) != 0) fail(name);
    if (::fsync(fd_.get()) != 0) fail(name);
  }

  // SQLite gives its journals the database's own permissions.
  void make_private(const char* name) const {
    Descriptor fd(::openat(fd_.get(), name, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (fd.get() < 0) throw ConfigError(file(name), 0, "", errno_text(errno));
  }

 private:
  void make() const {
    std::error_code error;
    if (fs::is_directory(path_, error)) return;
    if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), error);
    if (!error && ::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST)
      error = std::error_code(errno, std::generic_category());
    if (error) throw ConfigError(path_, 0, "state-dir", "cannot be made: " + error.message());
  }

  [[noreturn]] void fail(const std::string& name) const {
    throw std::runtime_error((path_ / name).string() + ": cannot be written: " + errno_text(errno));
  }

  fs::path path_;
  Descriptor fd_;
};

Hash make_key(const StateDir& dir) {
  Hash key;
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    throw std::runtime_error("audit: no random bytes from the system: " + errno_text(errno));
  dir.stage(kKey, to_hex(key) + "\n");
  dir.publish(kKey);
  return key;
}

// Throws std::runtime_error.
Hash read_key(const StateDir& dir) {
  std::string text = dir.read(kKey);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (std::optional<Hash> key = from_hex(text)) return *key;
  throw std::runtime_error(dir.file(kKey).string() + ": expected 64 hexadecimal digits, found " +
                           std::to_string(text.size()) + " other bytes");
}

// The sealed head: the last row that was acknowledged. Its mac is over other bytes than a row's, so
// that a cut log cannot be sealed anew with the mac of its last row.
struct Head {
  std::int64_t sequence = 0;
  std::string hash = first_previous_hash();
};

std::string head_mac(const Hash& key, const Head& head) {
  return to_hex(hmac_sha256(key, "head " + std::to_string(head.sequence) + " " + head.hash));
}

std::string encode_head(const Hash& key, const Head& head) {
  return "sequence " + std::to_string(head.sequence) + "\nhash " + head.hash + "\nmac " +
         head_mac(key, head) + "\n";
}

// Throws std::runtime_error if the file cannot be read, or was not written with this key.
Head read_head(const StateDir& dir, const Hash& key) {
  const std::string text = dir.read(kHead);
  std::istringstream in(text);
  std::string sequence_word, hash_word, mac_word, mac;
  Head head;
  in >> sequence_word >> head.sequence >> hash_word >> head.hash >> mac_word >> mac;
  if (!in || !equal_in_constant_time(text, encode_head(key, head)))
    throw std::runtime_error(dir.file(kHead).string() +
                             ": the seal was not written with this audit.key");
  return head;
}

// ---- SQLite -------------------------------------------------------------------------------------

struct SqliteError : std::runtime_error {
  SqliteError(const std::string& message, int code_in)
      : std::runtime_error(message), code(code_in) {}
  int code;
};

class Statement;

class Database {
 public:
  Database(const fs::path& file, int flags) : file_(file) {
    const int code =
        ::sqlite3_open_v2(file.c_str(), &handle_, flags | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK) {
      const std::string message = handle_ ? ::sqlite3_errmsg(handle_) : "out of memory";
      ::sqlite3_close(handle_);
      throw SqliteError(file.string() + ": " + message, code);
    }
    ::sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { ::sqlite3_close(handle_); }

  void execute(const std::string& sql) {
    if (::sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  bool in_transaction() const { return ::sqlite3_get_autocommit(handle_) == 0; }
  [[noreturn]] void fail() const {
    throw SqliteError(file_ + ": " + ::sqlite3_errmsg(handle_),
                      ::sqlite3_extended_errcode(handle_));
  }

 private:
  friend class Statement;
  std::string file_;
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement(Database& database, const std::string& sql) : database_(database) {
    if (::sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()), &handle_,
                             nullptr) != SQLITE_OK)
      database.fail();
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { ::sqlite3_finalize(handle_); }

  void bind(int index, std::int64_t value) {
    if (::sqlite3_bind_int64(handle_, index, value) != SQLITE_OK) database_.fail();
  }
  void bind(int index, const std::string& value) {
    if (::sqlite3_bind_text64(handle_, index, value.data(), value.size(), SQLITE_TRANSIENT,
                              SQLITE_UTF8) != SQLITE_OK)
      database_.fail();
  }

  bool step() {
    const int code = ::sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    database_.fail();
  }

  bool is_null(int index) const { return ::sqlite3_column_type(handle_, index) == SQLITE_NULL; }
  std::int64_t integer(int index) const {
    require_type(index, SQLITE_INTEGER, "an integer");
    return ::sqlite3_column_int64(handle_, index);
  }
  std::string text(int index) const {
    require_type(index, SQLITE_TEXT, "text");
    const auto* bytes = reinterpret_cast<const char*>(::sqlite3_column_text(handle_, index));
    return std::string(bytes, static_cast<std::size_t>(::sqlite3_column_bytes(handle_, index)));
  }

 private:
  // A row rewritten in another type would otherwise be converted back silently.
  void require_type(int index, int type, const char* name) const {
    if (::sqlite3_column_type(handle_, index) != type)
      throw std::runtime_error(std::string("column ") + ::sqlite3_column_name(handle_, index) +
                               " is not " + name);
  }

  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

// Rolls back unless committed.
class Transaction {
 public:
  Transaction(Database& database, const char* begin) : database_(database) {
    database_.execute(begin);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { database_.execute("COMMIT"); }
  ~Transaction() {
    if (!database_.in_transaction()) return;
    try {
      database_.execute("ROLLBACK");
    } catch (const SqliteError&) {
      // The next BEGIN says so: append() throws then, and nothing is answered.
    }
  }

 private:
  Database& database_;
};

Record read_record(const Statement& statement) {
  Record record;
  int index = 0;
  for_each_column([&](const Column& column) {
    std::visit(
        [&](auto member) {
          using Value = std::decay_t<decltype(record.*member)>;
          if constexpr (std::is_same_v<Value, std::string>) {
            record.*member = statement.text(index);
          } else if constexpr (std::is_same_v<Value, bool>) {
            const std::int64_t value = statement.integer(index);
            if (value != 0 && value != 1)
              throw std::runtime_error(std::string("column ") + column.name + " is not 0 or 1");
            record.*member = value == 1;
          } else {
            record.*member = statement.integer(index);
          }
        },
        column.member);
    ++index;
  });
  return record;
}

void bind_record(Statement& statement, const Record& record) {
  int index = 0;
  for_each_column([&](const Column& column) {
    ++index;
    std::visit(
        [&](auto member) {
          if constexpr (std::is_same_v<std::decay_t<decltype(record.*member)>, std::string>)
            statement.bind(index, record.*member);
          else
            statement.bind(index, static_cast<std::int64_t>(record.*member));
        },
        column.member);
  });
}

std::int64_t user_version(Database& database) {
  Statement statement(database, "PRAGMA user_version");
  statement.step();
  return statement.integer(0);
}

// What the table looks like must be what it was made as: a column more, a view or a trigger would
// show other rows than those that were hashed. Empty if so.
std::string schema_fault(Database& database) {
  Statement statement(
      database,
      "SELECT type, name, sql FROM sqlite_schema WHERE type <> 'index' OR sql IS NOT NULL");
  bool table = false;
  while (statement.step()) {
    const std::string type = statement.text(0), name = statement.text(1);
    const std::string sql = statement.is_null(2) ? "" : statement.text(2);
    if (type == "table" && name == "decisions") {
      table = true;
      if (sql != create_table_sql()) return "table decisions was altered: " + sql;
    } else if (name.starts_with("sqlite_")) {
      continue;  // sqlite_stat1 after ANALYZE
    } else if (type == "trigger" || type == "view") {
      return fmt::format("there is a {} named {}", type, name);
    }
  }
  return table ? "" : "there is no table decisions";
}

std::optional<Record> read_row(Database& database, std::int64_t sequence) {
  Statement statement(database, "SELECT " + column_list() + " FROM decisions WHERE sequence = ?");
  statement.bind(1, sequence);
  if (!statement.step()) return std::nullopt;
  return read_record(statement);
}

// Why `record` does not follow the row whose hash is `previous`; empty if it does.
std::string chain_fault(const Record& record, const std::string& previous, const Hash& key) {
  if (record.previous_hash != previous) return "does not follow the row before it";
  if (record.hash != chain_hash(record)) return "was changed: its hash does not agree";
  if (!equal_in_constant_time(record.mac, row_mac(key, record.hash)))
    return "was not written with this audit.key";
  return "";
}

std::string row_text(std::int64_t sequence) { return "row " + std::to_string(sequence); }

Verification broken(std::int64_t rows, std::int64_t sequence, const std::string& message) {
  Verification verification;
  verification.rows = rows;
  verification.first_bad_sequence = sequence;
  verification.message = message;
  return verification;
}

// Reads the rows that a snapshot of the database holds, and checks each.
class ChainWalk {
 public:
  ChainWalk(Database& database, const Hash& key) : database_(database), key_(key) {}

  // `sealed` was read before the snapshot was taken. Nothing if all rows are sound.
  std::optional<Verification> run(const Head& sealed) {
    Statement statement(database_, "SELECT " + column_list() + " FROM decisions ORDER BY sequence");
    while (true) {
      Record record;
      try {
        if (!statement.step()) break;
        record = read_record(statement);
      } catch (const std::exception& error) {
        return broken(rows_, last_.sequence + 1,
                      row_text(last_.sequence + 1) + ": " + error.what());
      }
      if (std::optional<Verification> fault = check(record, sealed)) return fault;
    }
    if (last_.sequence < sealed.sequence)
      return broken(rows_, last_.sequence + 1,
                    row_text(last_.sequence + 1) + " is missing: the seal stands at " +
                        row_text(sealed.sequence));
    return std::nullopt;
  }

  const Head& last() const { return last_; }
  std::int64_t rows() const { return rows_; }

 private:
  std::optional<Verification> check(const Record& record, const Head& sealed) {
    const std::int64_t expected = last_.sequence + 1;
    if (record.sequence > expected)
      return broken(rows_, expected, row_text(expected) + " is missing");
    if (record.sequence < expected)
      return broken(rows_, record.sequence, row_text(record.sequence) + " was put in");
    if (const std::string fault = chain_fault(record, last_.hash, key_); !fault.empty())
      return broken(rows_, record.sequence, row_text(record.sequence) + " " + fault);
    if (record.sequence == sealed.sequence && record.hash != sealed.hash)
      return broken(rows_, record.sequence,
                    row_text(record.sequence) + " is not the one that was sealed");
    last_ = {record.sequence, record.hash};
    ++rows_;
    return std::nullopt;
  }

  Database& database_;
  const Hash& key_;
  Head last_;
  std::int64_t rows_ = 0;
};

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

  Verification verify() override {
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
  Verification walk() {
    const Hash key = read_key(dir_);
    const Head before = read_head(dir_, key);
    Transaction snapshot(*database_, "BEGIN");
    if (user_version(*database_) != kSchemaVersion)
      return broken(0, 1, "the schema's version is not " + std::to_string(kSchemaVersion));
    if (const std::string fault = schema_fault(*database_); !fault.empty())
      return broken(0, 1, fault);
    ChainWalk chain(*database_, key);
    if (std::optional<Verification> fault = chain.run(before)) return *fault;
    const Head after = read_head(dir_, key);
    if (chain.last().sequence > after.sequence + 1)
      return broken(after.sequence + 1, after.sequence + 2,
                    row_text(after.sequence + 2) + " was written after the seal");
    Verification verification;
    verification.intact = true;
    verification.rows = chain.rows();
    verification.message = "chain and seal agree, head " + chain.last().hash;
    if (chain.last().sequence > after.sequence)
      verification.message += "; the last row was not sealed (a crash): its answer never left";
    return verification;
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

boost::json::object to_json(const Record& record) {
  boost::json::object object;
  for_each_column([&](const Column& column) {
    std::visit(
        [&](auto member) {
          std::string name = column.name;
          if constexpr (std::is_same_v<std::decay_t<decltype(record.*member)>, std::string>) {
            boost::system::error_code error;
            boost::json::value value(record.*member);
            if (name.ends_with("_json")) {
              name.resize(name.size() - std::strlen("_json"));
              boost::json::value parsed = boost::json::parse(record.*member, error);
              if (!error) value = std::move(parsed);
              if ((record.*member).empty()) value = nullptr;
            }
            object[name] = std::move(value);
          } else {
            object[name] = record.*member;
          }
        },
        column.member);
  });
  return object;
}

}  // namespace glyphward::guard
