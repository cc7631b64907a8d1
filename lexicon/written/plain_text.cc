#include "lexicon/written/plain_text.h"

#include <unicode/uchar.h>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

// Half-width and full-width, circled, mathematical letters, ligatures: what compatibility folding
// makes plain. Nearly all text has none, and is spared the folding.
bool may_be_compatible(char32_t c) {
  return (c >= 0xFF00 && c <= 0xFFEF) || (c >= 0x1D400 && c <= 0x1D7FF) ||
         (c >= 0x2460 && c <= 0x24FF) || (c >= 0x2100 && c <= 0x214F) ||
         (c >= 0xFB00 && c <= 0xFB06) || (c >= 0x2070 && c <= 0x209F) ||
         (c >= 0x1F130 && c <= 0x1F189);
}

char32_t plain_sign(char32_t c) {
  if (c < 0x80) return c == U'`' ? U'\'' : c;
  if (is_apostrophe(c) || c == 0x2018 || c == 0x2032) return U'\'';
  if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE63) return U'-';
  return c;
}

bool is_line_break(char32_t c) { return c == U'\n' || c == U'\r' || c == 0x2028 || c == 0x2029; }

}  // namespace

PlainText::PlainText(std::string_view text) {
  letters.reserve(text.size());
  starts.reserve(text.size() + 1);
  const auto put = [&](char32_t c, std::size_t start) {
    letters.push_back(c);
    starts.push_back(static_cast<std::uint32_t>(start));
  };
  for (std::size_t offset = 0; offset < text.size();) {
    const std::size_t start = offset;
    const char32_t c = decode(text, offset);
    if (is_invisible(c)) continue;
    if (is_space(c) && !is_line_break(c)) {
      if (letters.empty() || letters.back() != U' ') put(U' ', start);
    } else if (is_mark(c) && !letters.empty()) {
      const std::u32string composed = nfc(std::u32string{letters.back(), c});
      if (composed.size() == 1) {
        letters.back() = composed[0];
      } else {
        put(c, start);
      }
    } else if (may_be_compatible(c)) {
      for (const char32_t plain : nfkc_casefold(std::u32string(1, c))) put(plain, start);
    } else {
      put(plain_sign(c), start);
    }
  }
  starts.push_back(static_cast<std::uint32_t>(text.size()));
  utf8.reserve(text.size());
  places.reserve(text.size() + 1);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    utf8 += encode(std::u32string_view(letters).substr(i, 1));
    places.resize(utf8.size(), static_cast<std::uint32_t>(i));
  }
  places.push_back(static_cast<std::uint32_t>(letters.size()));
}

char32_t fold_case(char32_t c) {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 32 : c;
  return static_cast<char32_t>(u_foldCase(static_cast<UChar32>(c), U_FOLD_CASE_DEFAULT));
}

}  // namespace glyphward::lexicon
