#include "lexicon/text/decoders.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

using Kind = Decoded::Kind;

int hex_value(char c) {
  if (is_ascii_digit(c)) return c - '0';
  const char l = ascii_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// Text under construction, with where each byte comes from.
class Builder {
 public:
  explicit Builder(Kind kind) { result_.kind = kind; }
  void add(std::string_view bytes, std::size_t first, std::size_t second) {
    result_.text += bytes;
    result_.from.insert(result_.from.end(), bytes.size(), {first, second});
  }
  void add(char c, std::size_t first, std::size_t second) { add({&c, 1}, first, second); }
  void add_character(char32_t c, std::size_t first, std::size_t second) {
    const bool fits = c != 0 && c < 0x110000 && !(c >= 0xD800 && c < 0xE000);
    const char32_t shown = fits ? c : U'\uFFFD';
    add(encode(std::u32string_view(&shown, 1)), first, second);
  }
  bool empty() const { return result_.text.empty(); }
  const std::string& text() const { return result_.text; }
  Decoded take() { return std::move(result_); }

 private:
  Decoded result_;
};

// ----- markup -----

// The length of a tag at the text's beginning: "<b>", "</font>", "[i]", "[url=x]"; 0 for none.
std::size_t tag_length(std::string_view text) {
  constexpr std::size_t kTagMax = 60;
  const char close = text[0] == '<' ? '>' : ']';
  std::size_t at = 1;
  if (at < text.size() && text[at] == '/') ++at;
  if (at >= text.size() || !is_ascii_letter(text[at])) return 0;
  std::size_t letters = 0;
  for (; at < text.size() && at < kTagMax; ++at, ++letters) {
    if (text[at] == close) return close == '>' || letters <= 6 ? at + 1 : 0;
    if (!is_ascii_letter(text[at])) break;
  }
  if (at >= text.size() || (text[at] != ' ' && text[at] != '=' && text[at] != '/')) return 0;
  for (; at < text.size() && at < kTagMax; ++at) {
    if (text[at] == close) return at + 1;
    if (text[at] == '<' || text[at] == '[') return 0;
  }
  return 0;
}

// The length of a number in brackets at the text's beginning: "[1]", "(12)"; 0 for none.
std::size_t footnote_length(std::string_view text) {
  constexpr std::string_view kOpen = "[({<";
  const std::size_t bracket = kOpen.find(text[0]);
  if (bracket == kOpen.npos) return 0;
  std::size_t at = 1;
  while (at < text.size() && at <= 3 && is_ascii_digit(text[at])) ++at;
  return at > 1 && at < text.size() && text[at] == "])}>"[bracket] ? at + 1 : 0;
}

bool is_word_byte(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  return is_ascii_letter(text[at]) || is_ascii_digit(text[at]) ||
         static_cast<unsigned char>(text[at]) >= 0x80;
}

std::optional<Decoded> without_markup(std::string_view text) {
  Builder out(Kind::Markup);
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    std::size_t length = c == '<' || c == '[' ? tag_length(text.substr(at)) : 0;
    if (length == 0 && at > 0 && is_word_byte(text, at - 1))
      length = footnote_length(text.substr(at));
    if (length > 0) {
      at += length;
      any = true;
      continue;
    }
    const bool pair =
        (c == '*' || c == '_' || c == '~') && at + 1 < text.size() && text[at + 1] == c;
    const bool single = (c == '*' || c == '_' || c == '`') && at > 0 &&
                        is_word_byte(text, at - 1) && is_word_byte(text, at + 1);
    const bool escape = c == '\\' && at + 1 < text.size() && !is_word_byte(text, at + 1) &&
                        text[at + 1] != ' ' && text[at + 1] != '\n';
    if (pair || single || escape) {
      at += pair ? 2 : 1;
      any = true;
      continue;
    }
    out.add(c, at, at + 1);
    ++at;
  }
  if (!any || out.empty()) return {};
  return out.take();
}

// ----- letters with something between -----

// Whether the letters of the word stand one by one between digits, or between the same rare letter:
// "h1e2c3k", "hxexcxk", but not "banana".
bool is_interleaved(std::string_view word) {
  constexpr std::size_t kLettersMin = 3;
  if (word.size() < 2 * kLettersMin - 1) return false;
  const char between = ascii_lower(word[1]);
  if (!is_ascii_digit(between) &&
      std::string_view("jkqvwxz").find(between) == std::string_view::npos)
    return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool is_between = is_ascii_digit(word[i]) || ascii_lower(word[i]) == between;
    if (i % 2 == 1 ? !is_between : !is_ascii_letter(word[i])) return false;
    if (i % 2 == 1 && is_ascii_digit(word[i]) != is_ascii_digit(between)) return false;
  }
  return true;
}

std::optional<Decoded> without_interleaved(std::string_view text) {
  Builder out(Kind::Code);
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word_byte(text, end)) ++end;
    const bool interleaved = is_interleaved(text.substr(at, end - at));
    any = any || interleaved;
    for (end = std::max(end, at + 1); at < end; at += interleaved ? 2 : 1)
      out.add(text[at], at, at + 1);
    at = end;
  }
  if (!any) return {};
  return out.take();
}

// ----- entities and escapes -----

struct Entity {
  std::string_view name;
  char32_t character;
};
constexpr std::array<Entity, 46> kEntities = {
    {{"amp", U'&'},    {"lt", U'<'},     {"gt", U'>'},     {"quot", U'"'},   {"apos", U'\''},
     {"nbsp", U' '},   {"shy", 0xAD},    {"zwj", 0x200D},  {"zwnj", 0x200C}, {"copy", U'©'},
     {"reg", U'®'},    {"cent", U'¢'},   {"pound", U'£'},  {"yen", U'¥'},    {"euro", U'€'},
     {"sect", U'§'},   {"excl", U'!'},   {"dollar", U'$'}, {"commat", U'@'}, {"ast", U'*'},
     {"hyphen", U'-'}, {"period", U'.'}, {"lowbar", U'_'}, {"sol", U'/'},    {"auml", U'ä'},
     {"ouml", U'ö'},   {"uuml", U'ü'},   {"szlig", U'ß'},  {"aacute", U'á'}, {"eacute", U'é'},
     {"iacute", U'í'}, {"oacute", U'ó'}, {"uacute", U'ú'}, {"agrave", U'à'}, {"egrave", U'è'},
     {"igrave", U'ì'}, {"ograve", U'ò'}, {"ugrave", U'ù'}, {"acirc", U'â'},  {"ecirc", U'ê'},
     {"icirc", U'î'},  {"ocirc", U'ô'},  {"ucirc", U'û'},  {"ntilde", U'ñ'}, {"ccedil", U'ç'},
     {"aring", U'å'}}};

// A number of `base` at the text's beginning, of at most `digits_max` digits; how many it has.
std::size_t read_number(std::string_view text, int base, std::size_t digits_max, char32_t& value) {
  std::size_t at = 0;
  value = 0;
  for (; at < text.size() && at < digits_max; ++at) {
    const int digit = hex_value(text[at]);
    if (digit < 0 || digit >= base) break;
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
  }
  return at;
}

// The length of what stands for one character at the text's beginning; 0 for none.
std::size_t read_entity(std::string_view text, char32_t& c) {
  if (text.size() < 4) return 0;
  if (text[1] == '#') {
    const bool hex = ascii_lower(text[2]) == 'x';
    const std::size_t from = hex ? 3 : 2;
    const std::size_t digits = read_number(text.substr(from), hex ? 16 : 10, 7, c);
    if (digits == 0) return 0;
    const std::size_t end = from + digits;
    return end < text.size() && text[end] == ';' ? end + 1 : end;
  }
  const std::size_t end = text.substr(0, 12).find(';');
  if (end == text.npos) return 0;
  for (const Entity& entity : kEntities) {
    std::string_view name = text.substr(1, end - 1);
    if (name == entity.name) {
      c = entity.character;
      return end + 1;
    }
  }
  return 0;
}

std::size_t read_escape(std::string_view text, char32_t& c) {
  if (text.size() < 4) return 0;
  if (text[0] == '\\') {
    const bool braces = text[1] == 'u' && text[2] == '{';
    const std::size_t from = braces ? 3 : 2;
    const std::size_t want = text[1] == 'u'   ? (braces ? 6 : 4)
                             : text[1] == 'U' ? 8
                             : text[1] == 'x' ? 2
                                              : 0;
    if (want == 0) return 0;
    const std::size_t digits = read_number(text.substr(from), 16, want, c);
    if (braces)
      return digits > 0 && from + digits < text.size() && text[from + digits] == '}'
                 ? from + digits + 1
                 : 0;
    return digits == want ? from + digits : 0;
  }
  if (text.substr(0, 2) == "U+" || text.substr(0, 2) == "u+") {
    const std::size_t digits = read_number(text.substr(2), 16, 6, c);
    if (digits < 4) return 0;
    const std::size_t end = 2 + digits;
    return end < text.size() && text[end] == ' ' ? end + 1 : end;
  }
  if (text.substr(0, 2) == "0x") {
    std::size_t end = 2 + read_number(text.substr(2), 16, 2, c);
    if (end != 4) return 0;
    while (end < text.size() && (text[end] == ' ' || text[end] == ',')) ++end;
    return end;
  }
  return 0;
}

std::optional<Decoded> without_escapes(std::string_view text) {
  Builder out(Kind::Code);
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = 0;
    std::size_t length = 0;
    const char first = text[at];
    if (first == '&') length = read_entity(text.substr(at), c);
    if (first == '\\' || first == 'U' || first == 'u' || first == '0')
      length = read_escape(text.substr(at), c);
    if (length > 0) {
      out.add_character(c, at, at + length);
      at += length;
      any = true;
    } else if (first == '%' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 &&
               hex_value(text[at + 2]) >= 0) {
      out.add(static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2])), at,
              at + 3);
      at += 3;
      any = true;
    } else {
      out.add(first, at, at + 1);
      ++at;
    }
  }
  if (!any) return {};
  return out.take();
}

}  // namespace

std::vector<Decoded> decode_all(std::string_view text) {
  std::vector<Decoded> result;
  const auto offer = [&](std::optional<Decoded> decoded) {
    if (decoded && decoded->text != text) result.push_back(std::move(*decoded));
  };
  bool markup = false;
  bool escapes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    markup = markup || c == '<' || c == '[' || c == '(' || c == '{' || c == '*' || c == '_' ||
             c == '`' || c == '~' || c == '\\';
    escapes = escapes || c == '&' || c == '%' || c == '\\' ||
              (c == '+' && i > 0 && ascii_lower(text[i - 1]) == 'u') ||
              (c == 'x' && i > 0 && text[i - 1] == '0');
  }
  if (markup) offer(without_markup(text));
  if (escapes) offer(without_escapes(text));
  offer(without_interleaved(text));
  return result;
}

std::vector<Decoded> decode_word(std::string_view word) {
  std::vector<Decoded> result;
  Builder moved(Kind::LettersMoved);
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = ascii_lower(word[i]);
    if (static_cast<unsigned char>(c) >= 0x80) return result;
    moved.add(is_ascii_letter(c) ? static_cast<char>((c - 'a' + 13) % 26 + 'a') : c, i, i + 1);
  }
  result.push_back(moved.take());
  // "uckfay", "itchbay"
  std::size_t size = word.size();
  while (size > 0 && !is_ascii_letter(word[size - 1])) --size;
  if (size < 5 || ascii_lower(word[size - 1]) != 'y' || ascii_lower(word[size - 2]) != 'a')
    return result;
  size -= 2;
  for (std::size_t moved_letters = 1; moved_letters <= 3 && moved_letters + 2 <= size;
       ++moved_letters) {
    const std::size_t from = size - moved_letters;
    if (std::string_view("aeiou").find(ascii_lower(word[from])) != std::string_view::npos) break;
    Builder back(Kind::LettersMoved);
    for (std::size_t i = from; i < size; ++i) back.add(word[i], i, i + 1);
    for (std::size_t i = 0; i < from; ++i) {
      if (word[i] != '-') back.add(word[i], i, i + 1);
    }
    result.push_back(back.take());
  }
  return result;
}

}  // namespace glyphward::lexicon
