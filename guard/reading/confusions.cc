#include "guard/reading/confusions.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/config_error.h"
#include "base/table.h"
#include "base/utf8.h"

namespace glyphward::tables {
extern const std::string_view guard_reading_confusions_tsv;
}

namespace glyphward::guard {
namespace {

constexpr std::size_t kVariantsMax = 64;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

std::size_t index(char letter) { return static_cast<std::size_t>(letter - 'a'); }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

const Confusions& confusions() {
  static const Confusions table =
      Confusions::parse(tables::guard_reading_confusions_tsv, "guard/reading/confusions.tsv");
  return table;
}

std::string replaced_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// A field of a row that must be so many letters.
std::string_view letters_field(const TableRow& row, std::size_t field, std::size_t count,
                               const std::filesystem::path& file) {
  const std::string& text = row.fields[field];
  if (text.size() != count || !std::all_of(text.begin(), text.end(), is_letter))
    throw ConfigError(file, row.line, row.fields[0],
                      "expected " + std::to_string(count) + " of a to z, found '" + text + "'");
  return text;
}

char32_t sign_field(const TableRow& row, const std::filesystem::path& file) {
  std::size_t offset = 0;
  const std::optional<char32_t> sign = next_character(row.fields[1], offset);
  if (!sign || offset != row.fields[1].size())
    throw ConfigError(file, row.line, row.fields[0],
                      "expected one character, found '" + valid_utf8(row.fields[1]) + "'");
  return *sign;
}

}  // namespace

// ---- The table ----------------------------------------------------------------------------------

Confusions::Confusions() {
  for (std::size_t a = 0; a < kLetters; ++a)
    for (std::size_t b = 0; b < kLetters; ++b) costs_[a][b] = a == b ? 0 : 1;
}

Confusions Confusions::parse(std::string_view table, const std::filesystem::path& file) {
  Confusions confusions;
  for (const TableRow& row : table_rows(table, file, 3)) {
    const std::string& kind = row.fields[0];
    bool added = true;
    if (kind == "letter") {
      const char letter = letters_field(row, 2, 1, file)[0];
      added = confusions.letters_.emplace(sign_field(row, file), letter).second;
    } else if (kind == "same" || kind == "near") {
      const std::size_t a = index(letters_field(row, 1, 1, file)[0]);
      const std::size_t b = index(letters_field(row, 2, 1, file)[0]);
      added = confusions.costs_[a][b] == 1;
      confusions.costs_[a][b] = confusions.costs_[b][a] = kind == "same" ? 0 : 0.5;
    } else if (kind == "split") {
      added = confusions.splits_
                  .insert(std::string(letters_field(row, 1, 1, file)) +
                          std::string(letters_field(row, 2, 2, file)))
                  .second;
    } else if (kind == "variant") {
      added = row.fields[1] != row.fields[2];
      confusions.variants_.push_back({row.fields[1], row.fields[2]});
    } else if (kind == "word") {
      added = confusions.words_.emplace(letters_field(row, 1, row.fields[1].size(), file)).second;
    } else {
      throw ConfigError(
          file, row.line, "kind",
          "expected letter, same, near, split, variant or word, found '" + kind + "'");
    }
    if (!added)
      throw ConfigError(file, row.line, kind,
                        "expected what no row before says, found '" + row.fields[1] +
                            "' again, or against itself");
  }
  return confusions;
}

char Confusions::letter(char32_t character) const {
  if (character >= 'a' && character <= 'z') return static_cast<char>(character);
  if (character >= 'A' && character <= 'Z') return static_cast<char>(character - 'A' + 'a');
  const auto found = letters_.find(character);
  return found == letters_.end() ? '\0' : found->second;
}

double Confusions::cost(char a, char b) const {
  if (a == b) return 0;
  return is_letter(a) && is_letter(b) ? costs_[index(a)][index(b)] : 1;
}

bool Confusions::splits(char one, char first, char second) const {
  const char key[] = {one, first, second};
  return splits_.contains(std::string_view(key, sizeof key));
}

// ---- Folding ------------------------------------------------------------------------------------

std::string folded_letters(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkd = icu::Normalizer2::getNFKDInstance(error);
  if (U_FAILURE(error) != 0) throw std::runtime_error("reading: ICU has no NFKD data");
  const icu::UnicodeString decomposed =
      nfkd->normalize(icu::UnicodeString::fromUTF8(
                          icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()))),
                      error);
  if (U_FAILURE(error) != 0) throw std::runtime_error("reading: ICU cannot normalize a text");
  const Confusions& table = confusions();
  std::string letters;
  for (std::int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1))
    if (const char c = table.letter(static_cast<char32_t>(decomposed.char32At(i))); c != '\0')
      letters += c;
  return letters;
}

// ---- Comparing ----------------------------------------------------------------------------------

// Sellers' algorithm: the edit distance of the word to the part of the text that is nearest to it.
// Rows are letters of the word, columns letters of the text. cost[i][j] is the least cost of
// word[0, i) against a part of the text that ends at j; row 0 is all zero, since that part may
// begin anywhere, and the least of the last row counts, since it may end anywhere.
//
// To Levenshtein's three steps (a letter missing, added, wrong) come three of OCR's: a wrong letter
// costs less if the shapes are near; one letter read as two, or two as one, costs nothing; two
// letters exchanged cost one.
double similarity_within(std::string_view word, std::string_view text) {
  if (word.empty()) return 1;
  if (text.empty()) return 0;
  const Confusions& table = confusions();
  const auto same = [&](char a, char b) { return table.cost(a, b) == 0; };
  const std::size_t rows = word.size() + 1, columns = text.size() + 1;
  std::vector<double> cost(rows * columns, 0);
  const auto at = [&](std::size_t i, std::size_t j) -> double& { return cost[i * columns + j]; };
  for (std::size_t i = 1; i < rows; ++i) {
    at(i, 0) = static_cast<double>(i);
    for (std::size_t j = 1; j < columns; ++j) {
      double best = std::min(at(i - 1, j), at(i, j - 1)) + 1;
      best = std::min(best, at(i - 1, j - 1) + table.cost(word[i - 1], text[j - 1]));
      if (j >= 2 && table.splits(word[i - 1], text[j - 2], text[j - 1]))
        best = std::min(best, at(i - 1, j - 2));
      if (i >= 2 && table.splits(text[j - 1], word[i - 2], word[i - 1]))
        best = std::min(best, at(i - 2, j - 1));
      if (i >= 2 && j >= 2 && same(word[i - 1], text[j - 2]) && same(word[i - 2], text[j - 1]))
        best = std::min(best, at(i - 2, j - 2) + 1);
      at(i, j) = best;
    }
  }
  double least = std::numeric_limits<double>::max();
  for (std::size_t j = 0; j < columns; ++j) least = std::min(least, at(rows - 1, j));
  return 1 - least / static_cast<double>(word.size());
}

// ---- Variants -----------------------------------------------------------------------------------

// Each row of the table at most doubles the words: with it, everywhere in the word at once, and
// without it. So rows combine ("rnvv" may be "mw"), but in the table's order alone.
std::vector<std::string> confusion_variants(std::string_view word) {
  std::vector<std::string> variants = {std::string(word)};
  for (const Confusions::Variant& row : confusions().variants()) {
    const std::size_t count = variants.size();
    for (std::size_t i = 0; i < count && variants.size() <= kVariantsMax; ++i) {
      std::string variant = replaced_all(variants[i], row.read, row.drawn);
      if (std::find(variants.begin(), variants.end(), variant) == variants.end())
        variants.push_back(std::move(variant));
    }
  }
  variants.erase(variants.begin());
  return variants;
}

bool means_itself(std::string_view word) { return confusions().words().contains(lower_case(word)); }

}  // namespace glyphward::guard
