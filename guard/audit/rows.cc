#include "guard/audit/rows.h"

#include <fmt/format.h>

#include <stdexcept>
#include <type_traits>
#include <variant>

#include "guard/audit/columns.h"

namespace glyphward::guard {
namespace {

bool is_text(const Column& column) {
  return std::holds_alternative<std::string Record::*>(column.member);
}

}  // namespace

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

std::string insert_sql() {
  std::string marks;
  for_each_column([&](const Column&) { marks += marks.empty() ? "?" : ", ?"; });
  return "INSERT INTO decisions (" + column_list() + ") VALUES (" + marks + ")";
}

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

}  // namespace glyphward::guard
