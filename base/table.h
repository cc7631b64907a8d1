// The tables that come with the code: text with one row per line, its fields separated by tabs.
// Lines that are empty or begin with # are comments. Pure functions; any number of threads.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

namespace glyphward {

struct TableRow {
  int line = 0;                          // from 1
  std::vector<std::string_view> fields;  // into the table's text
};

// In order. `file` is for the error alone: ConfigError names file and line of the first row that
// does not have `fields` fields, or has an empty one.
std::vector<TableRow> table_rows(std::string_view table, const std::filesystem::path& file,
                                 std::size_t fields);

}  // namespace glyphward
