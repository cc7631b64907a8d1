#include "lexicon/text/extraction/tokens.h"

#include <unicode/uchar.h>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon::extraction {
namespace {

bool is_number(char32_t c) {
  return c < 0x80 ? c >= U'0' && c <= U'9' : u_isdigit(static_cast<UChar32>(c)) != 0;
}

// What may follow in a word, once begun: letters, digits, all marks, invisible code points.
bool goes_on(char32_t c) {
  if (is_letter(c) || is_number(c)) return true;
  if (c < 0x80) return false;
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_M_MASK) != 0 || is_invisible(c);
}

bool is_upper(char32_t c) {
  return c < 0x80 ? c >= U'A' && c <= U'Z' : u_isupper(static_cast<UChar32>(c)) != 0;
}
bool is_lower(char32_t c) {
  return c < 0x80 ? c >= U'a' && c <= U'z' : u_islower(static_cast<UChar32>(c)) != 0;
}

void append_folded(std::string& key, char32_t c) {
  if (c < 0x80) {
    key.push_back(static_cast<char>(is_upper(c) ? c + 32 : c));
  } else if (is_apostrophe(c)) {
    key.push_back('\'');
  } else if (!is_invisible(c)) {
    append_utf8(key,
                static_cast<char32_t>(u_foldCase(static_cast<UChar32>(c), U_FOLD_CASE_DEFAULT)));
  }
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  Tokens run() && {
    tokens_.keys.reserve(text_.size() + text_.size() / 2);
    tokens_.list.reserve(text_.size() / 3 + 4);
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t start = at;
      const char32_t c = decode(text_, at);
      if (c == U'\n' || c == U'\r' || c == 0x2028 || c == 0x2029) {
        open(start, c, TokenKind::Line);
        close(at);
      } else if (is_space(c)) {
        spaced_ = true;
      } else if (is_letter(c) || is_number(c)) {
        at = word(start);
      } else {
        open(start, c, TokenKind::Sign);
        append_folded(tokens_.keys, c);
        close(at);
      }
    }
    return std::move(tokens_);
  }

 private:
  // A word from `start` on; of a script without spaces one character and its marks.
  std::size_t word(std::size_t start) {
    std::size_t at = start;
    const char32_t first = decode(text_, at);
    Token& token = open(start, first, TokenKind::Word);
    token.unspaced = is_unspaced(first);
    std::size_t letters = 0;
    std::size_t count = 0;
    bool digits = true;
    at = start;
    for (std::size_t next = start; next < text_.size();) {
      const char32_t c = decode(text_, next);
      if (!goes_on(c)) break;
      const bool counts = is_letter(c) || is_number(c);
      if (count > 0 && counts && (token.unspaced || is_unspaced(c))) break;
      letters += is_letter(c) ? 1 : 0;
      count += counts ? 1 : 0;
      digits = digits && is_number(c);
      token.small = token.small || is_lower(c);
      append_folded(tokens_.keys, c);
      at = next;
    }
    token.digit = digits;
    token.title = is_upper(first);
    token.letter = letters == 1 && count == 1 && !token.unspaced;
    token.capitals = count > 1 && letters > 0 && !token.small && !token.unspaced &&
                     (token.title || is_number(first)) && has_capital(start, at);
    close(at);
    return at;
  }

  bool has_capital(std::size_t start, std::size_t end) const {
    while (start < end) {
      if (is_upper(decode(text_, start))) return true;
    }
    return false;
  }

  Token& open(std::size_t start, char32_t first, TokenKind kind) {
    Token& token = tokens_.list.emplace_back();
    token.start = static_cast<std::uint32_t>(start);
    token.first = first;
    token.kind = kind;
    token.spaced = spaced_;
    token.key = static_cast<std::uint32_t>(tokens_.keys.size());
    spaced_ = false;
    return token;
  }
  void close(std::size_t end) {
    Token& token = tokens_.list.back();
    token.end = static_cast<std::uint32_t>(end);
    token.key_size = static_cast<std::uint32_t>(tokens_.keys.size()) - token.key;
  }

  std::string_view text_;
  Tokens tokens_;
  bool spaced_ = false;
};

}  // namespace

Tokens tokenize(std::string_view text) {
  Tokens tokens = Tokenizer(text).run();
  std::vector<Token>& list = tokens.list;
  for (std::size_t i = 1; i + 1 < list.size(); ++i) {
    const Token& before = list[i - 1];
    const Token& after = list[i + 1];
    list[i].apostrophe = list[i].kind == TokenKind::Sign && !list[i].spaced && !after.spaced &&
                         before.kind == TokenKind::Word && !before.unspaced &&
                         after.kind == TokenKind::Word && !after.unspaced;
  }
  return tokens;
}

}  // namespace glyphward::lexicon::extraction
