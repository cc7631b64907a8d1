#include "lexicon/text/table.h"

#include <algorithm>
#include <utility>

#include "base/config_error.h"

namespace glyphward::lexicon {

TableReader::TableReader(std::filesystem::path file, std::string_view content)
    : file_(std::move(file)), rest_(content) {
  next_line(header_);
}

void TableReader::expect_header(const std::vector<std::string>& fields) const {
  if (header_ == fields) return;
  std::string expected;
  for (const std::string& field : fields) expected += (expected.empty() ? "" : " ") + field;
  fail("header", "expected the fields '" + expected + "', parted by tabs");
}

bool TableReader::next() {
  if (!next_line(fields_)) return false;
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

bool TableReader::next_line(std::vector<std::string>& fields) {
  while (!rest_.empty()) {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++lines_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    line_ = lines_;
    fields = split(line, '\t');
    return true;
  }
  line_ = 0;
  return false;
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

}  // namespace glyphward::lexicon
