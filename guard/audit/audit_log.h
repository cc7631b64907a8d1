// The audit log: SQLite in WAL mode (audit.db, table `decisions`), one row for every accepted
// request whatever became of it, committed and sealed before the response leaves.
//
// Rows form a hash chain, and each row has a MAC whose key is in audit.key (0600) beside it, so
// that nobody without the key can forge or rewrite a suffix (guard/audit/chain.cc, docs/AUDIT.md).
// After each row the head (sequence, hash, and a mac of its own) is sealed in audit.head, so that a
// cut tail is found too.
//
// A crash can fall between a row's commit and its seal: exactly one row after the seal is taken as
// sound, if its hash and mac are; its answer never left. What the chain cannot show: what somebody
// with the key wrote, and a copy of the whole folder put back later. Copy audit.head elsewhere for
// both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guard/audit/record.h"

namespace glyphward::guard {

// One thread owns the writing connection. Readers open their own (open_read_only), also while it
// writes.
class AuditLog {
 public:
  // Makes the folder and its files on first use. Throws ConfigError: unwritable, not a database,
  // another schema, a part missing, another process writing, or a tail of the chain that does not
  // agree with the seal.
  static std::unique_ptr<AuditLog> open(const std::filesystem::path& state_dir);
  // For list(), find() and verify(); append() throws. Needs no right to write.
  static std::unique_ptr<AuditLog> open_read_only(const std::filesystem::path& state_dir);
  virtual ~AuditLog() = default;

  // Gives sequence, hashes and, where it is 0, the time; commits (synchronous=FULL) and seals.
  // Throws std::runtime_error if it cannot (disk full, database locked, moved or removed): no image
  // may leave then.
  virtual Record append(Record record) = 0;
  // Newest first.
  virtual std::vector<Record> list(const RecordFilter& filter) = 0;
  virtual std::optional<Record> find(const std::string& request_id) = 0;
  virtual std::optional<Record> find(std::int64_t sequence) = 0;
  // Walks the whole chain. A broken chain is an answer, not an error; also one that cannot be
  // checked (no key).
  virtual ChainCheck verify() = 0;
};

}  // namespace glyphward::guard
