#include "base/table.h"

#include <algorithm>
#include <utility>

#include "base/config_error.h"

namespace glyphward {
namespace {

// Takes the next line that is a row off `rest`, and counts all lines in `lines`. The row's number;
// 0 if there is none.
int next_line(std::string_view& rest, int& lines, std::vector<std::string>& fields) {
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++lines;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    fields = split(line, '\t');
    return lines;
  }
  return 0;
}

}  // namespace

TableReader::TableReader(std::filesystem::path file, std::string_view content)
    : file_(std::move(file)), rest_(content) {
  line_ = next_line(rest_, lines_, header_);
}

void TableReader::expect_header(const std::vector<std::string>& fields) const {
  if (header_ == fields) return;
  std::string expected;
  for (const std::string& field : fields) expected += (expected.empty() ? "" : " ") + field;
  fail("header", "expected the fields '" + expected + "', parted by tabs");
}

bool TableReader::next() {
  line_ = next_line(rest_, lines_, fields_);
  if (line_ == 0) return false;
  if (fields_.size() > header_.size()) {
    fail("", "expected at most " + std::to_string(header_.size()) + " fields, found " +
                 std::to_string(fields_.size()));
  }
  fields_.resize(header_.size());
  return true;
}

void TableReader::fail(const std::string& field, const std::string& message) const {
  throw ConfigError(file_, line_, field, message);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    std::string_view part = text.substr(start, end - start);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    start = end + 1;
  }
  return parts;
}

std::string trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::vector<TableRow> table_rows(std::string_view table, const std::filesystem::path& file,
                                 std::size_t fields) {
  std::vector<TableRow> rows;
  int lines = 0;
  TableRow row;
  while ((row.line = next_line(table, lines, row.fields)) != 0) {
    if (row.fields.size() != fields)
      throw ConfigError(file, row.line, "",
                        "expected " + std::to_string(fields) + " fields separated by tabs, found " +
                            std::to_string(row.fields.size()));
    if (std::find(row.fields.begin(), row.fields.end(), "") != row.fields.end())
      throw ConfigError(file, row.line, "", "expected no empty field, found one");
    rows.push_back(row);
  }
  return rows;
}

}  // namespace glyphward
