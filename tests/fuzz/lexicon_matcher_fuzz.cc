// The matcher against a slow, obvious one: what it finds must read as the term, and a term that
// stands there as a plain word must be found.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/lexicon/matching/slow_matcher.h"

namespace {

using namespace glyphward::lexicon;

const std::vector<Entry>& entries() {
  static const std::vector<Entry> list = [] {
    std::vector<Entry> result;
    for (const char* term : {"abba", "bab", "aab", "abc", "cacao", "lisa", "bosc", "osaka"}) {
      Entry entry;
      entry.term = {term, "insult", 5, "en"};
      entry.flags = kExact;
      result.push_back(entry);
    }
    return result;
  }();
  return list;
}

void check_hits(const std::string& text, const NormalizedText& normalized,
                const std::vector<Hit>& hits) {
  for (const Hit& hit : hits) {
    if (hit.begin >= hit.end || hit.end > normalized.cells.size()) std::abort();
    const std::size_t start = normalized.cells[hit.begin].start;
    const std::size_t end = normalized.cells[hit.end - 1].end;
    // Too slow; and what is mistyped or hidden is not spelled there.
    if (end - start > 14 || (hit.steps & (kSlip | kSound | kMask))) continue;
    std::string part = text.substr(start, end - start);
    std::erase(part, ' ');
    if (!slow(entries(), part).contains(entries()[hit.entry].term.term)) std::abort();
  }
}

void check_plain_words(const std::string& text, const NormalizedText& normalized,
                       const std::vector<Hit>& hits) {
  for (const Entry& entry : entries()) {
    const std::string& term = entry.term.term;
    for (std::size_t at = text.find(term); at != text.npos; at = text.find(term, at + 1)) {
      const std::size_t end = at + term.size();
      // Between spaces: what stands there is a word.
      if ((at > 0 && text[at - 1] != ' ') || (end < text.size() && text[end] != ' ')) continue;
      bool found = false;
      for (const Hit& hit : hits) {
        found = found || (entries()[hit.entry].term.term == term &&
                          normalized.cells[hit.begin].start <= at &&
                          normalized.cells[hit.end - 1].end >= end);
      }
      if (!found) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Matcher matcher(entries());
  static constexpr char kAlphabet[] = "abcilosk 4815$@.-*! ";
  std::string text;
  for (std::size_t i = 0; i < size && i < 200; ++i)
    text.push_back(kAlphabet[data[i] % (sizeof(kAlphabet) - 1)]);
  const NormalizedText normalized = normalize(text);
  std::vector<Hit> hits;
  matcher.find(normalized, Scope::Words, hits);
  check_hits(text, normalized, hits);
  check_plain_words(text, normalized, hits);
  return 0;
}
