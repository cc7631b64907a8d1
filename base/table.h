// Tables as text: one row per line, its fields separated by tabs, without the spaces around them.
// Empty lines and lines that begin with # are skipped.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward {

// Reads a table row by row:
//
//   TableReader table(file, content);
//   while (table.next()) use(table.fields());
class TableReader {
 public:
  // Reads the header; header() is empty if there is none. Keeps the view.
  TableReader(std::filesystem::path file, std::string_view content);

  const std::vector<std::string>& header() const { return header_; }
  // Throws ConfigError if the header is another.
  void expect_header(const std::vector<std::string>& fields) const;
  // Moves on to the next row; false at the end. Throws ConfigError if the row has more fields than
  // the header.
  bool next();
  // Of the row, as many as the header has: those that the line lacks are empty. Without the spaces
  // around them.
  const std::vector<std::string>& fields() const { return fields_; }
  // The row's, from 1; behind the last row, 0.
  int line() const { return line_; }
  // Throws ConfigError naming the file and the row's line.
  [[noreturn]] void fail(const std::string& field, const std::string& message) const;

 private:
  std::filesystem::path file_;
  std::string_view rest_;
  int lines_ = 0;  // read so far
  int line_ = 0;
  std::vector<std::string> header_;
  std::vector<std::string> fields_;
};

// The parts between separators, without the spaces around them; one empty part for an empty text.
std::vector<std::string> split(std::string_view text, char separator);
// Without ASCII white space at both ends.
std::string trimmed(std::string_view text);

// A table without a header, whole.
struct TableRow {
  int line = 0;  // from 1
  std::vector<std::string> fields;
};

// In order. `file` is for the error alone: ConfigError names file and line of the first row that
// does not have `fields` fields, or has an empty one.
std::vector<TableRow> table_rows(std::string_view table, const std::filesystem::path& file,
                                 std::size_t fields);

}  // namespace glyphward
