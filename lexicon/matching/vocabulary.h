// What is an ordinary word where a lexicon is in force: the word table (words/word_table.h) less
// the lexicon's own terms and what is made of them. Immutable; any number of threads.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lexicon/matching/entry.h"
#include "lexicon/matching/trie.h"
#include "lexicon/words/word_table.h"

namespace glyphward::lexicon {

// A set of languages, one bit for each LanguageNumber.
using LanguageSet = std::bitset<128>;
// In place of a text's languages: only words that are ordinary whatever its language.
inline constexpr LanguageSet kNoLanguage{1};
inline LanguageSet language_bit(LanguageNumber number) {
  return number == 0 ? LanguageSet{} : LanguageSet{1} << number;
}

// The terms' spellings, as they are searched for.
struct Terms {
  std::vector<Pattern> patterns;
  Trie words;
  Trie stems;  // those that are found inside longer words too
};

class Vocabulary {
 public:
  // Keeps the terms.
  explicit Vocabulary(const Terms& terms) : terms_(terms) {}

  // While the lexicon is built: a term's spelling is no ordinary word, but where the text is in
  // another language that has it often, or that `harmless_in` names.
  void exclude(std::u32string_view spelling, const Pattern& pattern, LanguageSet harmless_in);
  // Once all are known.
  void finish();
  // A word that somebody wrote down as harmless.
  void allow(std::u32string_view word);

  const WordTable& table() const { return table_; }
  // kNever if it is in no list, or a term's spelling.
  WordTable::Word listed(WordHash hash, LanguageSet languages) const;
  // Whether a term of one language is an ordinary word of another, or may be.
  bool is_foreign(WordHash hash) const { return marks_[hash % kMarks] && foreign_.contains(hash); }
  // What a name costs; kNever if it is none, or a grave term.
  float name(WordHash hash) const;
  // Whether the word is a term as it stands, or with an ending: no slip of another word.
  bool is_term(std::u32string_view word) const;
  bool is_inflected_term(std::u32string_view word) const {
    return is_inflected(word, WordTable::Word{});
  }
  // Whether the word, which is listed, is a term with an ending, or holds a stem.
  bool holds_term(std::u32string_view word, const WordTable::Word& listed) const;

 private:
  bool is_inflected(std::u32string_view word, const WordTable::Word& listed) const;
  bool holds_stem(std::u32string_view word) const;

  struct Foreign {
    LanguageNumber language = 0;
    float cost = 0;   // where the text tells that it is the language
    float guess = 0;  // elsewhere
  };
  // Most words are in none of the tables below, and a bit tells.
  static constexpr std::size_t kMarks = 1 << 16;
  void mark(WordHash hash) { marks_[hash % kMarks] = true; }

  const Terms& terms_;
  std::bitset<kMarks> marks_;  // of what excluded_, foreign_ and allowed_ hold
  const WordTable& table_ = WordTable::shipped();
  std::unordered_set<WordHash> excluded_;
  std::unordered_set<WordHash> grave_;     // terms that no language clears
  std::unordered_set<WordHash> no_names_;  // terms and spellings that no name clears
  std::vector<std::pair<WordHash, LanguageSet>> spellings_;  // until finish()
  std::unordered_map<WordHash, LanguageSet> own_;            // in which one of foreign_ is a term
  std::unordered_map<WordHash, std::vector<Foreign>> foreign_;
  std::unordered_map<WordHash, float> allowed_;
};

}  // namespace glyphward::lexicon
