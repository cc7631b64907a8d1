// A Record as a row of SQLite's table `decisions`. The columns, their order and their types are
// part of what is hashed (audit_chain.h): another schema has another version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "guard/audit/record.h"
#include "guard/audit/sqlite.h"

namespace glyphward::guard {

inline constexpr int kSchemaVersion = 1;

// The columns, in the order in which they are stored and hashed. previous_hash, hash and mac follow
// them.
struct Column {
  const char* name;
  std::variant<std::int64_t Record::*, std::string Record::*, bool Record::*> member;
};
inline constexpr Column kColumns[] = {
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
inline constexpr Column kChainColumns[] = {
    {"previous_hash", &Record::previous_hash},
    {"hash", &Record::hash},
    {"mac", &Record::mac},
};

template <typename Visitor>
void for_each_column(const Visitor& visit) {
  for (const Column& column : kColumns) visit(column);
  for (const Column& column : kChainColumns) visit(column);
}

std::string column_list();  // "sequence, time_ms, ..."
std::string create_table_sql();
inline constexpr const char* kCreateIndex =
    "CREATE INDEX decisions_request_id ON decisions (request_id)";
std::string insert_sql();

Record read_record(const Statement& statement);
void bind_record(Statement& statement, const Record& record);
std::optional<Record> read_row(Database& database, std::int64_t sequence);

std::int64_t user_version(Database& database);

// What the table looks like must be what it was made as: a column more, a view or a trigger would
// show other rows than those that were hashed. Empty if so.
std::string schema_fault(Database& database);

}  // namespace glyphward::guard
