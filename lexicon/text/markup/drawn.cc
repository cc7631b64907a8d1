#include "lexicon/text/markup/drawn.h"

#include <charconv>
#include <string>

#include "base/utf8.h"
#include "lexicon/text/extraction/scene.h"

namespace glyphward::lexicon::extraction {
namespace {

constexpr std::size_t kTagMax = 60;  // "<font color=red>"

bool is_letter_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// What stands in the place of some bytes.
struct Change {
  std::size_t size = 0;  // bytes; 0: nothing is changed
  std::string text;
};

// \n, \r\n, \t, \u0075, \x75
Change escape(std::string_view rest) {
  if (rest.size() < 2) return {};
  const char c = rest[1];
  if (c == 'n' || c == 'r') return {2, "\n"};
  if (c == 't') return {2, " "};
  const std::size_t digits = c == 'u' ? 4 : c == 'x' ? 2 : 0;
  if (digits == 0 || rest.size() < 2 + digits) return {};
  std::uint32_t unit = 0;
  const char* end = rest.data() + 2 + digits;
  const bool scalar = std::from_chars(rest.data() + 2, end, unit, 16).ptr == end && unit > 0 &&
                      (unit < 0xD800 || unit > 0xDFFF);
  if (!scalar) return {};
  Change change{2 + digits, {}};
  append_utf8(change.text, unit);
  return change;
}

// <br> is a line break, other tags are nothing.
Change tag(std::string_view rest) {
  const std::size_t size = rest.substr(0, kTagMax).find('>');
  if (size == std::string_view::npos || size < 2) return {};
  const std::string_view name = rest.substr(rest[1] == '/' ? 2 : 1);
  if (!((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z'))) return {};
  const bool breaks = name.starts_with("br") || name.starts_with("BR") || name.starts_with("p>");
  return {size + 1, breaks ? "\n" : ""};
}

// " / " and /n between letters.
Change slash(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  if (at == 0 || rest.size() < 2) return {};
  if (text[at - 1] == ' ' && rest[1] == ' ') return {2, "\n"};
  const bool newline =
      rest.size() > 2 && rest[1] == 'n' && is_letter_byte(text[at - 1]) && is_letter_byte(rest[2]);
  return newline ? Change{2, "\n"} : Change{};
}

// ( and :1.2) of a weight.
Change weight(std::string_view text, std::size_t at) {
  if (text[at] == '(' || text[at] == '[') return {1, ""};
  std::size_t end = at + (text[at] == ':' ? 1 : 0);
  while (end < text.size() && (text[end] == '.' || (text[end] >= '0' && text[end] <= '9'))) ++end;
  if (end < text.size() && (text[end] == ')' || text[end] == ']')) return {end + 1 - at, ""};
  // [sh:it:0.5]: one, then the other.
  return text[at] == ':' ? Change{1, ""} : Change{};
}

Change change_at(std::string_view text, std::size_t at, bool weights) {
  switch (text[at]) {
    case '\\':
      return escape(text.substr(at));
    case '<':
      return tag(text.substr(at));
    case '/':
      return slash(text, at);
    case '(':
    case '[':
    case ':':
    case ')':
    case ']':
      return weights ? weight(text, at) : Change{};
    default:
      return {};
  }
}

// ":1.2)", ":0.5]"
bool has_weight(std::string_view text) {
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && end < at + 8 &&
           (text[end] == '.' || (text[end] >= '0' && text[end] <= '9')))
      ++end;
    if (end > at + 1 && end < text.size() && (text[end] == ')' || text[end] == ']')) return true;
  }
  return false;
}

bool has_letters_apart(std::string_view bytes) {
  std::size_t letters = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool alone = is_letter_byte(bytes[i]) && (i == 0 || !is_letter_byte(bytes[i - 1])) &&
                       (i + 1 == bytes.size() || !is_letter_byte(bytes[i + 1]));
    letters += alone ? 1 : 0;
  }
  return letters >= 3;
}

// The letters of a text that is nothing but letters put apart, with words between them.
std::optional<Source> letters_of(const Source& text) {
  if (!has_letters_apart(text.text())) return std::nullopt;
  const Scene scene(text.text(), {});
  if (scene.chains().size() != 1) return std::nullopt;
  Source::Builder builder(text);
  bool words = false;
  for (std::size_t i = 0; i < scene.size(); i = scene.behind(i)) {
    const Token& token = scene[i];
    if (token.letter || token.kind != TokenKind::Word) {
      builder.keep(token.spaced && i > 0 ? scene[i - 1].end : token.start, token.end);
      continue;
    }
    if (!scene.is(i, kJoin | kNoun)) return std::nullopt;
    words = true;
  }
  if (!words) return std::nullopt;
  return std::move(builder).build();
}

}  // namespace

std::optional<Source> as_drawn(const Source& text) {
  const std::string& bytes = text.text();
  if (bytes.find_first_of("\\</:") == std::string::npos) return letters_of(text);
  const bool weights = has_weight(bytes);
  Source::Builder builder(text);
  std::size_t from = 0;
  bool changed = false;
  for (std::size_t at = 0; at < bytes.size();) {
    const Change change = change_at(bytes, at, weights);
    if (change.size == 0) {
      ++at;
      continue;
    }
    builder.keep(from, at);
    builder.replace(at, at + change.size, change.text);
    at = from = at + change.size;
    changed = true;
  }
  if (!changed) return letters_of(text);
  builder.keep(from, bytes.size());
  return std::move(builder).build();
}

}  // namespace glyphward::lexicon::extraction
