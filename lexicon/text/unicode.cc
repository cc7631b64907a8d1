#include "lexicon/text/unicode.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/ulocdata.h>
#include <unicode/uniset.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/text/icu.h"

namespace glyphward::lexicon {
namespace {

icu::UnicodeString normalized(const icu::Normalizer2* normalizer, UErrorCode opened,
                              std::u32string_view text) {
  check(opened, "normalizer");
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString result = normalizer->normalize(to_icu(text), status);
  check(status, "normalize");
  return result;
}

icu::UnicodeString composed(std::u32string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFCInstance(status);
  return normalized(normalizer, status, text);
}

}  // namespace

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) {
    throw std::runtime_error(std::string("ICU: ") + what + ": " + u_errorName(status));
  }
}

icu::UnicodeString to_icu(std::u32string_view text) {
  if (text.size() == 1) return icu::UnicodeString(static_cast<UChar32>(text[0]));
  icu::UnicodeString result;
  for (const char32_t c : text) result.append(static_cast<UChar32>(c));
  return result;
}

std::u32string to_u32(const icu::UnicodeString& text) {
  std::u32string result;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    result.push_back(static_cast<char32_t>(text.char32At(i)));
  }
  return result;
}

std::string encode(std::u32string_view letters) {
  std::string result;
  for (const char32_t c : letters) append_utf8(result, c);
  return result;
}

std::u32string nfc(std::u32string_view text) { return to_u32(composed(text)); }

std::u32string nfd(std::u32string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFDInstance(status);
  return to_u32(normalized(normalizer, status, text));
}

std::u32string nfkc_casefold(std::u32string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  return to_u32(normalized(normalizer, status, text));
}

std::u32string nfc_casefold(std::u32string_view text) { return to_u32(composed(text).foldCase()); }

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  return u_isalpha(static_cast<UChar32>(c));
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == U' ' || (c >= 0x09 && c <= 0x0D);
  return u_isUWhiteSpace(static_cast<UChar32>(c));
}

bool is_invisible(char32_t c) {
  if (c < 0x80) return (c < 0x20 && !is_space(c)) || c == 0x7F;
  return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
         u_charType(static_cast<UChar32>(c)) == U_FORMAT_CHAR ||
         u_charType(static_cast<UChar32>(c)) == U_CONTROL_CHAR || c == 0x2800;  // braille blank
}

bool is_mark(char32_t c) {
  if (c < 0x300) return false;
  const auto type = u_charType(static_cast<UChar32>(c));
  return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK ||
         type == U_COMBINING_SPACING_MARK || c == 0xFF9E ||
         c == 0xFF9F;  // half-width voiced sound marks
}

bool marks_are_ornament(char32_t base) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(static_cast<UChar32>(base), &status);
  return script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC ||
         script == USCRIPT_ARABIC || script == USCRIPT_HEBREW || script == USCRIPT_COMMON;
}

bool is_common_mark(char32_t c) {
  return (c >= 0x300 && c <= 0x36F) || (c >= 0x1AB0 && c <= 0x1AFF) ||
         (c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) ||
         (c >= 0xFE20 && c <= 0xFE2F);
}

char32_t named_base(char32_t c) {
  constexpr std::string_view kWith = " WITH ";
  char name[128];
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t length = u_charName(static_cast<UChar32>(c), U_UNICODE_CHAR_NAME, name,
                                         static_cast<std::int32_t>(sizeof name), &status);
  if (U_FAILURE(status) || length <= 0) return 0;
  std::string base(name, static_cast<std::size_t>(length));
  const std::size_t with = base.find(kWith);
  if (with != base.npos) base.resize(with);
  // A letter of the alphabet however it is turned, sized or shaped: the last word tells which.
  const std::size_t last = base.rfind(' ');
  const bool latin = base.starts_with("LATIN ") || base.starts_with("MODIFIER LETTER ");
  if (latin && last != base.npos && base.size() == last + 2 && base.back() >= 'A' &&
      base.back() <= 'Z')
    return static_cast<char32_t>(base.back() - 'A' + 'a');
  if (with == std::string::npos || base.find(" LETTER ") == base.npos) return 0;
  status = U_ZERO_ERROR;
  const UChar32 found = u_charFromName(U_UNICODE_CHAR_NAME, base.c_str(), &status);
  return U_FAILURE(status) ? 0 : static_cast<char32_t>(u_tolower(found));
}

bool is_unspaced_script(char32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(c), &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return c == U'ー';
  }
}

bool has_vowel(std::u32string_view word) { return std::any_of(word.begin(), word.end(), is_vowel); }

bool all_digits(std::u32string_view word) {
  return std::all_of(word.begin(), word.end(), [](char32_t c) { return c >= U'0' && c <= U'9'; });
}

bool kana_begins(char32_t before, char32_t first) {
  if (is_katakana(first)) return !is_katakana(before);
  return !is_hiragana(before) ||
         std::u32string_view(U"のはがをにとなもで、").find(before) != std::u32string_view::npos;
}

bool is_currency_sign(char32_t c) {
  return u_charType(static_cast<UChar32>(c)) == U_CURRENCY_SYMBOL;
}

bool are_of_one_cyrillic_alphabet(std::u32string_view letters) {
  static const std::vector<icu::UnicodeSet> alphabets = [] {
    std::vector<icu::UnicodeSet> result;
    for (const char* locale : {"ru", "uk", "be", "bg", "mk", "sr_Cyrl", "kk", "ky", "mn", "tg",
                               "tt", "uz_Cyrl", "az_Cyrl", "ce", "os", "sah", "cv"}) {
      UErrorCode status = U_ZERO_ERROR;
      const icu::LocalULocaleDataPointer data(ulocdata_open(locale, &status));
      icu::UnicodeSet letters;
      ulocdata_getExemplarSet(data.getAlias(), letters.toUSet(), 0, ULOCDATA_ES_STANDARD, &status);
      check(status, "the letters of a language");
      letters.add(u'а', u'я');  // of names and loan words
      result.push_back(letters);
    }
    return result;
  }();
  return std::any_of(alphabets.begin(), alphabets.end(), [&](const icu::UnicodeSet& alphabet) {
    return std::all_of(letters.begin(), letters.end(), [&](char32_t c) {
      return alphabet.contains(u_tolower(static_cast<UChar32>(c)));
    });
  });
}

}  // namespace glyphward::lexicon
