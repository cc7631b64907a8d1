// SQLite's handles, closed where they were opened; its errors as exceptions.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace glyphward::guard {

inline constexpr int kBusyTimeoutMs = 2000;

struct SqliteError : std::runtime_error {
  SqliteError(const std::string& message, int code_in)
      : std::runtime_error(message), code(code_in) {}
  int code;
};

class Statement;

class Database {
 public:
  Database(const std::filesystem::path& file, int flags) : file_(file) {
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

}  // namespace glyphward::guard
