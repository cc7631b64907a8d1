#include "guard/audit/chain.h"

#include <openssl/crypto.h>
#include <sys/random.h>

#include <sstream>
#include <stdexcept>
#include <type_traits>
#include <variant>

#include "guard/audit/columns.h"
#include "guard/audit/rows.h"

// The chain, from the bytes up:
//
//   canonical row   the columns as bytes, each with its type and length
//   hash            SHA-256(the row before's hash, canonical row): a row's hash vouches for all
//                   rows up to it. Before row 1 there are zeros
//   mac             HMAC-SHA256(audit.key, "row " hash)
//   seal            audit.head: sequence and hash of the last row, and
//                   HMAC-SHA256(audit.key, "head " sequence " " hash)
//
// What each is there to find, given somebody who can write to the folder but does not have the key:
//
//   hash    A row that was edited no longer has its hash. One that was deleted, put in or moved
//           breaks the link of the row after it.
//   mac     Whoever edits a row can compute its hash anew, and those of all rows after it. Their
//           macs take the key.
//   seal    A log that was cut off after some row is a sound chain. The seal names a later row.
//
// The two MACs are over different words ("row", "head"): otherwise the mac of row n, which is in
// the database, would seal a log that was cut off after row n.
//
// The hash depends on the rows alone and not on the key, so that a key can be lost, or a hash
// published, without harm to the other.

namespace glyphward::guard {
namespace {

// Of a secret with a guess: how long it takes says nothing of how much of it is right.
bool equal_in_constant_time(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Eight bytes, big-endian, two's complement.
void append_number(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
}

// The bytes that are hashed: a line that names this encoding (another list of columns has another
// number), then each of kColumns in order:
//
//   't'  length of the text in bytes (8 bytes)  the text, byte for byte
//   'i'  the number, or 0 or 1 (8 bytes)
//
// It can be read back in one way only, so no two different rows share an encoding: text cannot be
// moved from one column to the next, nor be taken for a number. Not in it are previous_hash, which
// the hash begins with, and hash and mac, which come out of it.
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

std::string head_mac(const Hash& key, const Head& head) {
  return to_hex(hmac_sha256(key, "head " + std::to_string(head.sequence) + " " + head.hash));
}

}  // namespace

const std::string& first_previous_hash() {
  static const std::string zeros(2 * kHashBytes, '0');
  return zeros;
}

std::string chain_hash(const Record& record) {
  return to_hex(sha256(record.previous_hash + canonical(record)));
}

std::string row_mac(const Hash& key, const std::string& hash) {
  return to_hex(hmac_sha256(key, "row " + hash));
}

// ---- The key ------------------------------------------------------------------------------------

Hash make_key(const StateDir& dir) {
  Hash key;
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    throw std::runtime_error("audit: no random bytes from the system: " + errno_text(errno));
  dir.stage(kKey, to_hex(key) + "\n");
  dir.publish(kKey);
  return key;
}

Hash read_key(const StateDir& dir) {
  std::string text = dir.read(kKey);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (std::optional<Hash> key = from_hex(text)) return *key;
  throw std::runtime_error(dir.file(kKey).string() + ": expected 64 hexadecimal digits, found " +
                           std::to_string(text.size()) + " other bytes");
}

// ---- The seal -----------------------------------------------------------------------------------

// "sequence 7\nhash <64 hex digits>\nmac <64 hex digits>\n".
std::string encode_head(const Hash& key, const Head& head) {
  return "sequence " + std::to_string(head.sequence) + "\nhash " + head.hash + "\nmac " +
         head_mac(key, head) + "\n";
}

Head read_head(const StateDir& dir, const Hash& key) {
  const std::string text = dir.read(kHead);
  std::istringstream in(text);
  std::string sequence_word, hash_word, mac_word, mac;
  Head head;
  in >> sequence_word >> head.sequence >> hash_word >> head.hash >> mac_word >> mac;
  // Written anew from what was read: whatever else is in the file makes the two differ.
  if (!in || !equal_in_constant_time(text, encode_head(key, head)))
    throw std::runtime_error(dir.file(kHead).string() +
                             ": the seal was not written with this audit.key");
  return head;
}

// ---- Checking -----------------------------------------------------------------------------------

// In this order, so that the fault named is the nearest to what was done: a row that was put in or
// follows a deleted one does not follow; one that was edited follows, and its hash is wrong; one
// that was forged with care is wrong in its mac alone.
std::string chain_fault(const Record& record, const std::string& previous, const Hash& key) {
  if (record.previous_hash != previous) return "does not follow the row before it";
  if (record.hash != chain_hash(record)) return "was changed: its hash does not agree";
  if (!equal_in_constant_time(record.mac, row_mac(key, record.hash)))
    return "was not written with this audit.key";
  return "";
}

std::string row_text(std::int64_t sequence) { return "row " + std::to_string(sequence); }

ChainCheck broken(std::int64_t rows, std::int64_t sequence, const std::string& message) {
  ChainCheck check;
  check.rows = rows;
  check.first_bad_sequence = sequence;
  check.message = message;
  return check;
}

// A row that cannot be read (a damaged page, a value of another type) is a fault of the chain at
// that row.
std::optional<ChainCheck> ChainWalk::run(const Head& sealed) {
  Statement statement(database_, "SELECT " + column_list() + " FROM decisions ORDER BY sequence");
  while (true) {
    Record record;
    try {
      if (!statement.step()) break;
      record = read_record(statement);
    } catch (const std::exception& error) {
      return broken(rows_, last_.sequence + 1, row_text(last_.sequence + 1) + ": " + error.what());
    }
    if (std::optional<ChainCheck> fault = check(record, sealed)) return fault;
  }
  if (last_.sequence < sealed.sequence)
    return broken(rows_, last_.sequence + 1,
                  row_text(last_.sequence + 1) + " is missing: the seal stands at " +
                      row_text(sealed.sequence));
  return std::nullopt;
}

// Rows come in order of their sequence, which the table's primary key keeps unique: a gap is a row
// that is missing, and a number that is not above the last can only be one below 1.
std::optional<ChainCheck> ChainWalk::check(const Record& record, const Head& sealed) {
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

}  // namespace glyphward::guard
