#include "lexicon/matching/matcher.h"

#include <algorithm>
#include <utility>

#include "lexicon/matching/walk.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

// Latin letters without a vowel ("fck", "btch"): no word but the one that it is meant for.
bool is_coined(std::u32string_view word) {
  return word.size() >= 3 && !has_vowel(word) &&
         std::all_of(word.begin(), word.end(), [](char32_t c) { return c >= U'a' && c <= U'z'; });
}

bool is_number(std::u32string_view word) {
  return std::all_of(word.begin(), word.end(),
                     [](char32_t c) { return c == U' ' || (c >= U'0' && c <= U'9'); });
}

}  // namespace

// ----- building -----

// The keys of the tries, gathered before these are built.
struct Matcher::Keys {
  std::vector<Trie::Key> words;
  std::vector<Trie::Key> stems;
  std::vector<Trie::Key> turned;
};

Matcher::Matcher(const std::vector<Entry>& entries) {
  Keys keys;
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    if (!(entries[i].flags & kWritten)) add_entry(i, entries[i], keys);
  }
  words_.build(std::move(keys.words));
  stems_.build(std::move(keys.stems));
  turned_.build(std::move(keys.turned));
}

// The spellings of an entry: its term and its forms, each as it is written, without its marks and
// with what English does to its last letter.
void Matcher::add_entry(std::uint32_t number, const Entry& entry, Keys& keys) {
  const auto add_form = [&](std::string_view form, Steps steps) {
    const std::u32string folded = fold_term(form);
    std::vector<std::u32string> spellings = {folded};
    const std::u32string stripped = strip_marks(folded);
    if (stripped != folded && !(entry.flags & kAccent)) spellings.push_back(stripped);
    if (stripped != folded && (entry.flags & kAccent))
      add_spelling(stripped, number, entry, steps, true, keys);
    for (const std::u32string& letters : spellings) {
      add_spelling(letters, number, entry, steps, false, keys);
      // English drops or changes the last vowel before an ending, which no list of endings can
      // say.
      if (entry.term.language != "en" || (entry.flags & kExact) || letters.size() < 4) continue;
      const std::u32string stem = letters.substr(0, letters.size() - 1);
      if (letters.back() == U'y')
        add_spelling(stem + U"ies", number, entry, steps | kInflection, false, keys);
      if (letters.back() == U'e' && !(entry.flags & kPlural))
        add_spelling(stem + U"ing", number, entry, steps | kInflection, false, keys);
    }
  };
  add_form(entry.term.term, 0);
  for (const std::string& form : entry.forms) add_form(form, kSpelling);
}

// One spelling, in every index in which it may be found.
void Matcher::add_spelling(std::u32string letters, std::uint32_t number, const Entry& entry,
                           Steps steps, bool disguised, Keys& keys) {
  if (letters.empty()) return;
  const auto id = static_cast<std::uint32_t>(patterns_.size());
  const auto spaces = static_cast<std::size_t>(std::count(letters.begin(), letters.end(), U' '));
  const auto count = static_cast<std::uint32_t>(letters.size() - spaces);
  const bool spaced = spaces > 0;
  const bool coined = is_coined(letters);
  patterns_.push_back({number, count, steps, entry.flags, letters.front(), letters.back(),
                       static_cast<std::uint8_t>(entry.term.severity), entry.term.language == "en",
                       entry.term.language == "ru", spaced, disguised, coined, is_number(letters)});
  keys.words.push_back({letters, id, (entry.flags & kStem) || is_unspaced(letters.front())});
  if (!is_short(patterns_.back())) keys.turned.push_back({letters, id});
  const bool stem = entry.flags & (kStem | kHead);
  const bool compounds = stem || (count >= 4 && !(entry.flags & (kExact | kPlural)) && !spaced);
  if (compounds && !(steps & kInflection) && (!(steps & kSpelling) || coined))
    keys.stems.push_back({letters, id});
  if (count >= 4 && entry.term.severity >= 2 && !spaced) masks_.add(id, std::move(letters));
}

// ----- searching -----

void Matcher::find(const NormalizedText& text, Scope scope, std::vector<Hit>& hits,
                   const std::vector<std::uint32_t>& seams) const {
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  const bool turned = scope == Scope::Whole || scope == Scope::Turned;
  const Terrain terrain(text, turned);
  if (terrain.empty()) return;
  Waiting waiting;
  Walk whole{text, turned ? turned_ : words_, patterns_, terrain, seams, scope, false, waiting,
             hits};
  // Joined text is read from its seams.
  if (scope == Scope::Joined) {
    for (std::size_t i = 0; i + 1 < seams.size(); ++i) {
      if (const std::uint32_t start = terrain.spots[seams[i]].next_word; start < seams[i + 1])
        walk_from(whole, start);
    }
    return;
  }
  // Other text from where words begin, and, for stems and compounds, from inside them.
  Walk inside{text, stems_, patterns_, terrain, seams, scope, true, waiting, hits};
  for (std::uint32_t i = 0; i < size; ++i) {
    const Cell& cell = text.cells[i];
    if (terrain.spots[i].letters == 0) continue;
    const bool after_word = i > 0 && is_word(text.cells[i - 1]);
    const bool unspaced =
        is_unspaced(cell.plain) || (after_word && is_unspaced(text.cells[i - 1].plain));
    if (!after_word || unspaced) {
      walk_from(whole, i);
    } else if (scope == Scope::Words && terrain.may_begin(stems_, i)) {
      walk_from(inside, i);
    }
  }
  // No mask stands between two pieces.
  if (scope == Scope::Words && seams.empty()) masks_.find(text, patterns_, hits);
}

}  // namespace glyphward::lexicon
