#include "base/table.h"

#include <algorithm>
#include <string>

#include "base/config_error.h"

namespace glyphward {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = text.find(separator); at != std::string_view::npos;
       at = text.find(separator)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

}  // namespace

std::vector<TableRow> table_rows(std::string_view table, const std::filesystem::path& file,
                                 std::size_t fields) {
  std::vector<TableRow> rows;
  int number = 0;
  for (std::string_view line : split(table, '\n')) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    TableRow row{number, split(line, '\t')};
    if (row.fields.size() != fields)
      throw ConfigError(file, number, "",
                        "expected " + std::to_string(fields) + " fields separated by tabs, found " +
                            std::to_string(row.fields.size()));
    if (std::any_of(row.fields.begin(), row.fields.end(),
                    [](std::string_view field) { return field.empty(); }))
      throw ConfigError(file, number, "", "expected no empty field, found one");
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace glyphward
