// What OCR takes for what: letters folded to what a reading can tell apart, and readings compared
// by the misreadings that happen (0/O, 1/l/I, rn/m, vv/w, cl/d). Plain edit distance would not do:
// it has "duck" one letter away from a slur. The facts are a table, guard/reading/confusions.tsv.
// Pure functions; any number of threads. Each throws ConfigError if the program's own table is not
// sound.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::guard {

// Lower-case ASCII letters of a text, accents off, digits and signs as the letters they are
// confused with, all else left out: "Sh1T!" is "shiti", "5HÍT" is "shit".
std::string folded_letters(std::string_view text);

// How much of `word` appears somewhere in `text` (both folded), in order: 1 is all of it, up to
// OCR's confusions; each wrong, missing, added or exchanged letter takes 1/length, and one of a
// near shape half of that. 1 if the word is empty.
double similarity_within(std::string_view word, std::string_view text);

// Other words that OCR may have read as this one, by its usual confusions; not the word itself. At
// most 64.
std::vector<std::string> confusion_variants(std::string_view word);

// Is it a word of everyday language, in any case, whose variants must not be looked at?
bool means_itself(std::string_view word);

// The table, read.
class Confusions {
 public:
  // As guard/reading/confusions.tsv says. Throws ConfigError with `file` and the line at fault.
  static Confusions parse(std::string_view table, const std::filesystem::path& file);

  struct Variant {
    std::string read;   // what OCR gave
    std::string drawn;  // what may have been drawn
  };

  // The letter that a sign or letter folds to; '\0' if it counts as nothing.
  char letter(char32_t character) const;
  // 0 for letters of one shape, 0.5 for near shapes, else 1. Of a to z.
  double cost(char a, char b) const;
  // Is `one` read as these two?
  bool splits(char one, char first, char second) const;
  const std::vector<Variant>& variants() const { return variants_; }
  const std::set<std::string, std::less<>>& words() const { return words_; }

 private:
  static constexpr std::size_t kLetters = 26;

  Confusions();

  std::map<char32_t, char> letters_;
  std::array<std::array<double, kLetters>, kLetters> costs_;
  std::set<std::string, std::less<>> splits_;  // "mrn": an m that is read as rn
  std::vector<Variant> variants_;
  std::set<std::string, std::less<>> words_;
};

}  // namespace glyphward::guard
