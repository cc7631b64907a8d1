#include "lexicon/language.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "lexicon/text/normalization.h"
#include "lexicon/text/unicode.h"
#include "lexicon/words/word_table.h"

namespace glyphward::lexicon {
namespace {

constexpr float kTellingMax = 12.5f;  // rarer words may be names
constexpr std::uint32_t kUnspacedWordMax = 6;

// The listed word at the cell: as long as the letters go on, or in a script without spaces the
// longest. `end` is set behind it.
LanguageNumber word_at(const NormalizedText& text, std::uint32_t at, std::uint32_t& end) {
  const WordTable& table = WordTable::shipped();
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  const bool unspaced = is_unspaced(text.cells[at].plain);
  LanguageNumber language = 0;
  WordHash hash = 0;
  end = at + 1;
  for (std::uint32_t i = at; i < size && text.cells[i].kind == CellKind::Letter; ++i) {
    if (is_unspaced(text.cells[i].plain) != unspaced) break;
    if (unspaced && i - at >= kUnspacedWordMax) break;
    hash = hash_append(hash, text.cells[i].plain);
    if (!unspaced) end = i + 1;
    const WordTable::Word word = table.word(hash);
    if (!unspaced) language = 0;
    if (word.cost >= kTellingMax) continue;
    language = word.language;
    end = i + 1;
  }
  return unspaced || end - at > 1 ? language : LanguageNumber{0};
}

}  // namespace

std::string_view language_of(std::string_view text) {
  const NormalizedText cells = normalize(text);
  std::array<std::uint32_t, 256> votes{};
  for (std::uint32_t at = 0; at < cells.cells.size();) {
    std::uint32_t end = at + 1;
    if (cells.cells[at].kind == CellKind::Letter) ++votes[word_at(cells, at, end)];
    at = end;
  }
  votes[0] = 0;
  const auto most = std::max_element(votes.begin(), votes.end());
  return WordTable::shipped().language(
      *most == 0 ? LanguageNumber{0} : static_cast<LanguageNumber>(most - votes.begin()));
}

}  // namespace glyphward::lexicon
