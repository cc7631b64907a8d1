// The audit log: SQLite in WAL mode (audit.db, table `decisions`), one row for every accepted
// request whatever became of it, committed and sealed before the response leaves.
//
// Rows form a hash chain: hash = SHA-256(previous hash, canonical row); mac = HMAC-SHA256(key,
// hash), with the key in audit.key (0600) beside it, so that nobody without the key can forge or
// rewrite a suffix. After each row the head (sequence, hash, and a mac of its own) is sealed in
// audit.head, so that a cut tail is found too.
//
// A crash can fall between a row's commit and its seal: exactly one row after the seal is taken as
// sound, if its hash and mac are; its answer never left. What the chain cannot show: a copy of the
// whole folder put back later. Copy audit.head elsewhere for that.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace glyphward::guard {

// One decision. Times in Unix milliseconds, durations in milliseconds. JSON members hold JSON text.
struct Record {
  std::int64_t sequence = 0;  // 1, 2, ...; given by append()
  std::int64_t time_ms = 0;
  std::string request_id;
  std::string client;    // peer credentials: "uid=1000 gid=1000 pid=4242"
  std::string endpoint;  // "/v1/images/generations", "/v1/moderations", "local"
  std::string prompt;
  std::string negative_prompt;
  std::string rendered_json;  // the extracted texts
  std::string findings_json;
  std::string policy_revision;
  std::string rule;
  std::string action;  // "allow", "substitute", "review", "block"
  std::string sanitized_prompt;
  std::string model;
  std::string weights_sha256;
  std::string
      parameters_json;  // num_inference_steps, guidance_scale, height, width, seeds, scheduler
  std::string route;    // "plain", "localized", "more_layers", "prompt_swap", "redacted", "none"
  std::string ocr_reading;
  std::string escalations_json;  // each step: route, reading, why it was not enough
  std::string outcome;           // "answered", "refused", "cancelled", "failed"
  std::string reason;            // why, where outcome is not "answered"
  std::string image_sha256;      // of the PNG bytes that left, joined by ','
  bool open_for_review = false;
  std::string timings_json;
  // Given by append():
  std::string previous_hash;
  std::string hash;
  std::string mac;
};

struct Verification {
  bool intact = false;
  std::int64_t rows = 0;
  std::int64_t first_bad_sequence = 0;  // 0 if intact
  std::string message;                  // what is wrong, where; or what was checked
};

struct RecordFilter {
  std::string action;  // empty: any
  std::string outcome;
  bool open_for_review_only = false;
  std::int64_t before_sequence = 0;  // 0: from the newest
  int limit = 50;
  std::string endpoint;         // empty: any
  std::string route;            // empty: any
  std::string prompt_contains;  // in prompt or sanitized prompt, byte for byte; empty: any
  std::int64_t since_ms = 0;    // time_ms >= since_ms
  std::int64_t until_ms = 0;    // time_ms < until_ms; 0: no end
};

// For the command line, the admin socket and exports: every member under its own name, those that
// hold JSON text as JSON, without "_json" in their name.
boost::json::object to_json(const Record& record);

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
  virtual Verification verify() = 0;
};

}  // namespace glyphward::guard
