#include "lexicon/language.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "lexicon/reading/names.h"
#include "lexicon/text/normalization.h"
#include "lexicon/text/unicode.h"
#include "lexicon/words/word_table.h"

namespace glyphward::lexicon {
namespace {

constexpr std::uint32_t kUnspacedWordMax = 6;
constexpr std::uint32_t kNameLettersMax = 16;
constexpr std::uint32_t kWordLettersMin = 3;  // languages share shorter ones: "no"
constexpr std::uint32_t kWordLettersMax = 48;

// The words of a text, one after the other.
class Words {
 public:
  explicit Words(std::string_view text) : text_(normalize(text)) {}

  bool done() const { return at_ == size(); }

  // The language of the word at hand, 0 where it tells none or there is none; goes on behind it.
  LanguageNumber next() {
    const Cell& cell = text_.cells[at_];
    if (is_letter(at_)) return unspaced(at_) ? next_unspaced() : next_spaced();
    behind_name_ = behind_name_ && (cell.kind == CellKind::Space || cell.source == U'.');
    ++at_;
    return 0;
  }

 private:
  // As long as the letters go on, over one apostrophe between them: "don't". Where that is no
  // listed word ("l'eau"), what is before the apostrophe is asked now, what is behind it next.
  LanguageNumber next_spaced() {
    const std::uint32_t begin = at_;
    const std::uint32_t part = at_ = end_of_letters(begin);
    if (is_of_a_name(begin, part)) return 0;
    if (part < size() && is_apostrophe(text_.cells[part].source)) {
      const std::uint32_t end = end_of_letters(part + 1);
      const LanguageNumber whole = end > part + 1 ? language(begin, end) : LanguageNumber{0};
      if (whole != 0) at_ = end;
      if (whole != 0) return whole;
    }
    return language(begin, part);
  }

  // The longest listed word that begins there.
  LanguageNumber next_unspaced() {
    const WordTable& table = WordTable::shipped();
    const std::uint32_t begin = at_++;
    LanguageNumber longest = 0;
    WordHash hash = 0;
    for (std::uint32_t i = begin; i < size() && i - begin < kUnspacedWordMax; ++i) {
      if (!is_letter(i) || !unspaced(i)) break;
      for (const char32_t c : letters(i)) hash = hash_append(hash, c);
      const WordTable::Word word = table.word(hash);
      if (word.cost >= WordTable::kFrequentMax) continue;
      longest = word.language;
      at_ = i + 1;
    }
    return longest;
  }

  // A title or a first name, and what follows it with a capital: "Dr. Anna Müller".
  bool is_of_a_name(std::uint32_t begin, std::uint32_t end) {
    if (!text_.cells[begin].upper) return behind_name_ = false;
    if (end - begin <= kNameLettersMax && is_before_names(encode(letters(begin, end))))
      return behind_name_ = true;
    return std::exchange(behind_name_, false);
  }

  LanguageNumber language(std::uint32_t begin, std::uint32_t end) const {
    if (end - begin < kWordLettersMin || end - begin > kWordLettersMax) return 0;
    const WordTable& table = WordTable::shipped();
    const WordHash hash = hash_of(letters(begin, end));
    const WordTable::Word word = table.word(hash);
    return table.tells(word, hash) ? word.language : LanguageNumber{0};
  }

  bool is_letter(std::uint32_t i) const { return text_.cells[i].kind == CellKind::Letter; }
  bool unspaced(std::uint32_t i) const { return is_unspaced(text_.cells[i].source); }
  // Of a script with spaces.
  std::uint32_t end_of_letters(std::uint32_t i) const {
    while (i < size() && is_letter(i) && !unspaced(i)) ++i;
    return i;
  }
  // As the table has them: ß is two, and a letter has the vowels that are marks on it.
  std::u32string letters(std::uint32_t i) const {
    const Cell& cell = text_.cells[i];
    if (is_apostrophe(cell.source)) return U"'";
    const CellReading* plain = cell.count > 0 ? text_.begin(cell) : nullptr;
    const bool several = plain != nullptr && plain->size > 1 && plain->steps == 0;
    if (several) return {plain->letters.begin(), plain->letters.begin() + plain->size};
    return {fold_script(cell.plain != 0 ? cell.plain : cell.source)};
  }
  std::u32string letters(std::uint32_t begin, std::uint32_t end) const {
    std::u32string all;
    for (std::uint32_t i = begin; i < end; ++i) all += letters(i);
    return all;
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(text_.cells.size()); }

  NormalizedText text_;
  std::uint32_t at_ = 0;
  bool behind_name_ = false;
};

}  // namespace

std::string_view language_of(std::string_view text) {
  std::array<std::uint32_t, std::numeric_limits<LanguageNumber>::max() + 1> votes{};
  for (Words words(text); !words.done();) ++votes[words.next()];
  votes[0] = 0;
  const auto most = std::max_element(votes.begin(), votes.end());  // the first of those that tie
  const auto language = static_cast<LanguageNumber>(most - votes.begin());
  return WordTable::shipped().language(*most > 0 ? language : LanguageNumber{0});
}

}  // namespace glyphward::lexicon
