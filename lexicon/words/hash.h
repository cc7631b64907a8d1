// Hashes of words such that those of a word's parts, and of the word with a letter left out or
// hidden, follow from the hashes of its beginnings in one step.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace glyphward::lexicon {

using WordHash = std::uint64_t;

inline constexpr WordHash kHashBase = 0x9E3779B97F4A7C15ull;
// No word with an entry has more letters.
inline constexpr std::size_t kWordLettersMax = 24;

inline constexpr auto kHashPowers = [] {
  std::array<WordHash, kWordLettersMax * 2> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * kHashBase;
  return powers;
}();

constexpr WordHash hash_append(WordHash hash, char32_t letter) {
  return hash * kHashBase + static_cast<WordHash>(letter) + 1;
}
// Of two words written together; the second has `letters` letters.
constexpr WordHash hash_join(WordHash first, WordHash second, std::size_t letters) {
  return first * kHashPowers[letters] + second;
}
constexpr WordHash hash_of(std::u32string_view letters) {
  WordHash hash = 0;
  for (const char32_t c : letters) hash = hash_append(hash, c);
  return hash;
}

// What is asked of a word: each question has a space of keys of its own.
enum class Key : std::uint64_t {
  Word,
  LetterAfter,  // a letter behind up to three others
  Backoff,      // up to three letters: what it costs to know fewer of them
  Less,         // a word with one letter left out
  Hidden,       // with letters replaced by kHiddenLetter
  Sound,        // sound_skeleton()
  Bones,        // the first letter and the consonants
  Suffix,
  Prefix,
  InLanguage,  // a word and the number of a language, as a letter behind it
  SuffixIn,    // the same with an ending
  Name         // a surname, given name, place ...
};
inline constexpr char32_t kHiddenLetter = U'*';

constexpr std::uint64_t key_of(Key key, WordHash hash) {
  std::uint64_t x = hash + static_cast<std::uint64_t>(key) * 0xD1B54A32D192ED03ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

}  // namespace glyphward::lexicon
