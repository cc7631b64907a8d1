// Ordinary words and what they cost: -ln of how often one is written, in nats, over all languages
// (words.txt). Beside them what is counted from them: which letters follow which, which endings and
// beginnings words have, and the frequent words as slips, masks and spellings by ear leave them.
// And names, by how often a word on a sign is this one (names.txt). compile_words.cc makes one
// image of it all, which is compiled in.
//
// An image holds fingerprints, not words: about one question in a million is answered for another
// word. Immutable; any number of threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/words/hash.h"

namespace glyphward::lexicon {

// A language of words.txt by its number there; 0 for none.
using LanguageNumber = std::uint8_t;

inline constexpr float kNever = 1e9f;

class WordTable {
 public:
  // Keeps the image. Throws ConfigError if it is none.
  explicit WordTable(std::string_view image);
  // The one that is compiled in.
  static const WordTable& shipped();

  struct Word {
    float cost = kNever;
    LanguageNumber language = 0;  // in which it is written most
  };
  Word word(WordHash hash) const;
  Word word(std::u32string_view letters) const { return word(hash_of(letters)); }

  // What a frequent word of the language costs in a text of that language alone; kNever for others,
  // and for English, whose texts word() speaks of.
  float word_in(LanguageNumber language, WordHash hash) const {
    return find(Key::InLanguage, hash_append(hash, language), kNever);
  }

  // Whether the word tells its language: it is frequent over all, or in that language.
  static constexpr float kFrequentMax = 12.5f;  // rarer words may be names
  bool tells(const Word& word, WordHash hash) const {
    return word.cost < kFrequentMax || word_in(word.language, hash) < kNever;
  }

  // What a word costs as a surname, a given name, or a word of the name of a place, language,
  // country, currency, street or company; kNever for others. -ln of how often a word on a sign is
  // this name, 16.4 at most unless it is a term itself. Nothing is counted from names: they are in
  // no other answer. A name that word() has for no more is missing, unless it holds a term of the
  // default list. A name may be a term: who asks judges that.
  float name(WordHash hash) const { return find(Key::Name, hash, kNever); }
  float name(std::u32string_view letters) const { return name(hash_of(letters)); }

  // The same word with one letter left out, or hidden (Key); kNever if no frequent word gives it.
  float near(Key key, WordHash hash) const { return find(key, hash, kNever); }
  float suffix(WordHash hash) const { return find(Key::Suffix, hash, kNever); }
  bool is_suffix_in(LanguageNumber language, WordHash hash) const {
    return find(Key::SuffixIn, hash_append(hash, language), kNever) < kNever;
  }
  float prefix(WordHash hash) const { return find(Key::Prefix, hash, kNever); }

  // A word that stands in no list, by its letters. Linear.
  float letters(std::u32string_view letters) const;
  // Some letters of a word, as they follow each other.
  float fragment(std::u32string_view letters) const;
  // The letter behind `count` others, three at most; a word begins with ^ and ends with $.
  float letter(char32_t c, const char32_t* before, std::size_t count) const;

  // How many languages there are: their numbers are 1 to this one.
  LanguageNumber languages() const { return static_cast<LanguageNumber>(codes_.size()); }
  // BCP 47, empty for 0 and beyond.
  std::string_view language(LanguageNumber number) const;
  LanguageNumber language_number(std::string_view language) const;
  std::string_view image() const { return image_; }

 private:
  float find(Key key, WordHash hash, float otherwise) const;
  float find_letter(char32_t c, const char32_t* before, std::size_t count) const;

  std::string_view image_;
  std::span<const std::uint32_t> words_;
  std::span<const std::uint8_t> languages_;  // of words_
  std::span<const std::uint32_t> keys_;
  std::vector<std::string_view> codes_;  // of the languages, in order
  // The fingerprints' last bits that are there: most questions are about nothing, and this answers
  // four of five of them from half a megabyte.
  static constexpr std::size_t kKnown = 1 << 22;
  using Known = std::vector<bool>;
  Known words_known_;
  Known keys_known_;
  // Answers of letter(), which is asked of most readings of most cells: a fingerprint and the cost,
  // 32 bits each. What was asked last stays.
  static constexpr std::size_t kAnswers = 1 << 15;
  std::unique_ptr<std::atomic<std::uint64_t>[]> answers_ =
      std::make_unique<std::atomic<std::uint64_t>[]>(kAnswers);
};

// How a word sounds, roughly: words that are written alike by ear have the same.
std::u32string sound_skeleton(std::u32string_view word);
// The first letter and the consonants behind it.
std::u32string bones(std::u32string_view word);

// ----- the image -----
//
// magic, then for each part its size in bytes and its bytes, padded to 8: the languages' codes; the
// words' slots; the languages of these; the other keys' slots. A slot is a fingerprint of 24 bits
// and a cost of 8, cost_code() + 1; 0 for an empty one. Linear probing.

inline constexpr std::string_view kWordImageMagic = "GWWORDS1";
inline constexpr float kCostStep = 0.1f;
constexpr std::uint32_t cost_code(float cost) {
  const float code = cost / kCostStep + 0.5f;
  return code < 0 ? 0u : code > 254 ? 254u : static_cast<std::uint32_t>(code);
}
constexpr std::size_t slot_of(std::uint64_t key, std::size_t slots) {
  return static_cast<std::size_t>(((key >> 32) * slots) >> 32);
}
constexpr std::uint32_t fingerprint_of(std::uint64_t key) {
  return static_cast<std::uint32_t>(key & 0xFFFFFF);
}

}  // namespace glyphward::lexicon
