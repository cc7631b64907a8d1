// The hash chain over the rows of the audit log, its key and its seal. audit_log.h says what they
// prove, chain.cc how. Pure, but for what reads and writes the state folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/sha256.h"
#include "guard/audit/record.h"
#include "guard/audit/sqlite.h"
#include "guard/audit/state_dir.h"

namespace glyphward::guard {

inline constexpr const char* kKey = "audit.key";
inline constexpr const char* kHead = "audit.head";

// previous_hash of the first row: zeros.
const std::string& first_previous_hash();

// Of the record's previous_hash and of all its columns, as 64 hexadecimal digits.
std::string chain_hash(const Record& record);
std::string row_mac(const Hash& key, const std::string& hash);

// The file audit.key: 32 random bytes as hexadecimal digits. Throw std::runtime_error.
Hash make_key(const StateDir& dir);
Hash read_key(const StateDir& dir);

// The sealed head: the last row that was acknowledged. Its mac is over other bytes than a row's, so
// that a cut log cannot be sealed anew with the mac of its last row.
struct Head {
  std::int64_t sequence = 0;
  std::string hash = first_previous_hash();
};

std::string encode_head(const Hash& key, const Head& head);

// Throws std::runtime_error if the file cannot be read, or was not written with this key.
Head read_head(const StateDir& dir, const Hash& key);

// Why `record` does not follow the row whose hash is `previous`; empty if it does.
std::string chain_fault(const Record& record, const std::string& previous, const Hash& key);

std::string row_text(std::int64_t sequence);  // "row 7"
// A chain that is sound for so many rows, and then not.
ChainCheck broken(std::int64_t rows, std::int64_t sequence, const std::string& message);

// Reads the rows that a snapshot of the database holds, and checks each.
class ChainWalk {
 public:
  ChainWalk(Database& database, const Hash& key) : database_(database), key_(key) {}

  // `sealed` was read before the snapshot was taken, so that its row must be there. Nothing if all
  // rows are sound.
  std::optional<ChainCheck> run(const Head& sealed);

  // The last sound row.
  const Head& last() const { return last_; }
  std::int64_t rows() const { return rows_; }

 private:
  std::optional<ChainCheck> check(const Record& record, const Head& sealed);

  Database& database_;
  const Hash& key_;
  Head last_;
  std::int64_t rows_ = 0;
};

}  // namespace glyphward::guard
