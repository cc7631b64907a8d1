#include "lexicon/matching/allow_list.h"

#include <utility>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

// What may follow a phrase: nothing, an ending, a word.
enum Kind : std::uint32_t { kWhole, kEnding, kWord };

}  // namespace

AllowList::AllowList(const std::vector<std::string>& phrases) {
  std::vector<Trie::Key> keys;
  for (const std::string& phrase : phrases) {
    const bool word = phrase.ends_with(" *");
    const bool open = phrase.ends_with('*');
    // Marks stay: the allow list sees the text before anything is stripped. Both writings of an
    // accent are listed by NFC.
    std::u32string letters = fold_term(open ? phrase.substr(0, phrase.size() - 1) : phrase);
    if (letters.empty()) continue;
    if (word) letters.push_back(U' ');
    keys.push_back({std::move(letters), word ? kWord : open ? kEnding : kWhole});
  }
  trie_.build(std::move(keys));
}

std::vector<AllowList::Range> AllowList::find(const NormalizedText& text,
                                              const std::vector<std::uint32_t>& seams) const {
  std::vector<Range> ranges;
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  std::vector<bool> at_seam(size);
  for (const std::uint32_t seam : seams) {
    if (seam < size) at_seam[seam] = true;
  }
  const auto plain = [&](std::uint32_t i) { return fold_script(text.cells[i].plain); };
  for (std::uint32_t start = 0; start < size; ++start) {
    const bool unspaced = is_unspaced(text.cells[start].plain);
    if (!is_word(text.cells[start])) continue;
    if (start > 0 && is_word(text.cells[start - 1]) && !unspaced && !at_seam[start]) continue;
    std::uint32_t node = Trie::kRoot;
    for (std::uint32_t i = start; i < size && node != Trie::kNone;) {
      if (is_word(text.cells[i])) {
        node = trie_.child(node, plain(i));
        ++i;
      } else {
        const std::uint32_t gap = i;
        while (i < size && !is_word(text.cells[i]) && i - gap < 4) ++i;
        if (i - gap > 3) break;
        node = trie_.child(node, U' ');
      }
      if (node == Trie::kNone) break;
      for (const std::uint32_t* v = trie_.values_begin(node); v != trie_.values_end(node); ++v) {
        std::uint32_t end = i;
        while (*v != kWhole && end < size && is_word(text.cells[end]) && !at_seam[end]) ++end;
        const bool boundary = end >= size || !is_word(text.cells[end]) || unspaced || at_seam[end];
        if (boundary && (*v != kWord || end > i)) ranges.push_back({start, end, *v == kWord});
      }
    }
  }
  return ranges;
}

}  // namespace glyphward::lexicon
