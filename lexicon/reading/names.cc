#include "lexicon/reading/names.h"

#include <string>

#include "base/table.h"
#include "lexicon/tables.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

const NameTable& table() {
  static const NameTable table("lexicon/reading/names.tsv", tables::lexicon_reading_names_tsv);
  return table;
}

}  // namespace

NameTable::NameTable(const std::filesystem::path& file, std::string_view content) {
  TableReader reader(file, content);
  reader.expect_header({"kind", "words"});
  while (reader.next()) {
    const std::string& kind = reader.fields()[0];
    std::unordered_set<std::string>* words = kind == "before"     ? &before
                                             : kind == "after"    ? &after
                                             : kind == "spelling" ? &spelling
                                                                  : nullptr;
    if (words == nullptr)
      reader.fail("kind", "expected before, after or spelling, found '" + kind + "'");
    for (const std::string& word : split(reader.fields()[1], ' ')) {
      if (word.empty()) reader.fail("words", "expected words parted by single spaces");
      if (!words->insert(word).second) reader.fail("words", "'" + word + "' appears twice");
    }
  }
}

bool is_before_names(const std::string& word) { return table().before.contains(word); }

bool is_spelling_word(const std::string& word) { return table().spelling.contains(word); }

bool is_name(const NormalizedText& text, const Hit& hit) {
  if (hit.steps & ~static_cast<Steps>(kInflection | kSpelling)) return false;
  const auto word = [&](std::uint32_t begin, std::uint32_t end) {
    std::u32string letters;
    for (std::uint32_t i = begin; i < end; ++i) letters.push_back(text.cells[i].plain);
    return encode(letters);
  };
  const auto is_letter_cell = [&](std::uint32_t i) {
    return text.cells[i].kind == CellKind::Letter;
  };
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  if (hit.end + 1 < size &&
      (text.cells[hit.end].source == U'\'' || text.cells[hit.end].source == U'’') &&
      text.cells[hit.end + 1].plain == U's') {
    return true;  // whose: "Dick's Drive-In"
  }
  if (!text.cells[hit.begin].upper) return false;
  std::uint32_t end = hit.begin;
  while (end > 0 && !is_letter_cell(end - 1) && hit.begin - end < 3) --end;
  std::uint32_t begin = end;
  while (begin > 0 && is_letter_cell(begin - 1)) --begin;
  if (begin < end && end < hit.begin && table().before.contains(word(begin, end))) return true;
  std::uint32_t next = hit.end;
  while (next < size && is_letter_cell(next)) ++next;  // the ending
  const std::uint32_t gap = next;
  while (next < size && !is_letter_cell(next) && next - gap < 3) ++next;
  std::uint32_t stop = next;
  while (stop < size && is_letter_cell(stop)) ++stop;
  return stop > next && next > gap && table().after.contains(word(next, stop));
}

}  // namespace glyphward::lexicon
