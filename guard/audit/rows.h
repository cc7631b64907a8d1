// A Record as a row of SQLite's table `decisions`: the statements, made from the one list of
// columns (guard/audit/columns.h). Throw SqliteError, or std::runtime_error where a stored value is
// not of its column's type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "guard/audit/record.h"
#include "guard/audit/sqlite.h"

namespace glyphward::guard {

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
