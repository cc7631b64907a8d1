// Audit logs in folders of their own, and what may be done to them.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/config_error.h"
#include "guard/audit/audit_log.h"

namespace glyphward::guard {

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

inline Record sample(int number) {
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

// What an intruder does who can write the database but does not have the key.
inline void tamper(const fs::path& dir, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((dir / "audit.db").c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_free(error);
  sqlite3_close(database);
}

inline std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void overwrite(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::vector<Record> fill(const fs::path& dir, int rows) {
  const auto log = AuditLog::open(dir);
  std::vector<Record> records;
  for (int i = 1; i <= rows; ++i) records.push_back(log->append(sample(i)));
  return records;
}

inline ChainCheck verified(const fs::path& dir) { return AuditLog::open_read_only(dir)->verify(); }

inline std::string thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return std::string("ConfigError: ") + error.what();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace glyphward::guard
