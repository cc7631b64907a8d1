#include "lexicon/text/markup/json_values.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "lexicon/text/extraction/tokens.h"

namespace glyphward::lexicon::extraction {
namespace {

constexpr int kDepthMax = 32;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// What a key says of its value: text_content and topText hold text, text_color and fontName do not.
enum class Key { Text, Part, Other };

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  for (const std::string_view other : words) {
    if (word == other) return true;
  }
  return false;
}

// The words of a key: top_text, topText, "top text", text2.
std::string parted(std::string_view key) {
  std::string words;
  char before = ' ';
  for (const char c : key) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool digit = c >= '0' && c <= '9';
    const bool lower_before = before >= 'a' && before <= 'z';
    if ((upper || digit) && lower_before) words.push_back(' ');
    words.push_back(c == '_' || c == '-' || c == '.' ? ' ' : c);
    before = c;
  }
  return words;
}

Key kind_of(std::string_view key) {
  Tokens tokens = tokenize(parted(key));
  find_phrases(tokens);
  std::vector<Token>& list = tokens.list;
  while (!list.empty() && list.back().digit) list.pop_back();
  if (list.empty()) return Key::Other;
  for (const Token& token : list) {
    if (one_of(tokens.key(token), {"font", "color", "colour", "style", "size", "position", "type"}))
      return Key::Other;
  }
  const std::string_view last = tokens.key(list.back());
  const std::string_view first = tokens.key(list.front());
  // "caption" describes the picture, "name" and "label" an object, "line" a line.
  const bool whole = list.size() == 1;
  if (whole && one_of(last, {"caption", "name", "label", "line", "letter", "sign", "header"}))
    return Key::Other;
  if (list.back().is(kNoun) || one_of(last, {"texts", "captions", "titles", "slogans"}))
    return Key::Text;
  const bool part = one_of(last, {"content", "contents", "string", "value", "render", "display",
                                  "overlay", "body", "draw", "lines", "copy"});
  if (part && !whole && list.front().is(kNoun)) return Key::Text;
  if (part) return Key::Part;
  return one_of(first, {"saying", "says", "reads"}) ? Key::Text : Key::Other;
}

// Reads one value from a place on. Fails at the first byte that is no JSON.
class Parser {
 public:
  Parser(const Source& source, std::size_t at) : source_(source), text_(source.text()), at_(at) {}

  bool read() { return value(Key::Other, 0) && strings_ > 0; }
  std::size_t at() const { return at_; }
  std::vector<JsonValue> values() && { return std::move(values_); }

 private:
  bool more() const { return at_ < text_.size(); }
  void skip_spaces() {
    while (more() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool value(Key key, int depth) {
    skip_spaces();
    if (!more() || depth > kDepthMax) return false;
    const char c = text_[at_];
    if (c == '{') return object(key, depth);
    if (c == '[') return array(key, depth);
    if (c == '"' || c == '\'') {
      std::optional<Source> content = string();
      if (!content) return false;
      ++strings_;
      if (!content->text().empty()) values_.push_back({std::move(*content), key == Key::Text});
      return true;
    }
    return literal();
  }

  // A number, true, false, null.
  bool literal() {
    const std::size_t start = at_;
    while (more() && (is_word(text_[at_]) || text_[at_] == '.' || text_[at_] == '-' ||
                      text_[at_] == '+' || text_[at_] == '#'))
      ++at_;
    return at_ > start;
  }

  bool object(Key outer, int depth) {
    ++at_;
    if (take('}')) return true;
    do {
      skip_spaces();
      if (more() && text_[at_] == '}') break;
      std::optional<std::string> name = key();
      if (!name || !take(':')) return false;
      Key kind = kind_of(*name);
      // {"text": {"content": "HELLO", "font": "serif"}}
      if (kind == Key::Part) kind = outer == Key::Text ? Key::Text : Key::Other;
      if (!value(kind, depth + 1)) return false;
    } while (take(','));
    return take('}');
  }

  bool array(Key key, int depth) {
    ++at_;
    if (take(']')) return true;
    do {
      skip_spaces();
      if (more() && text_[at_] == ']') break;
      if (!value(key, depth + 1)) return false;
    } while (take(','));
    return take(']');
  }

  std::optional<std::string> key() {
    skip_spaces();
    if (!more()) return std::nullopt;
    if (text_[at_] == '"' || text_[at_] == '\'') {
      const std::optional<Source> name = string();
      if (!name) return std::nullopt;
      return name->text();
    }
    const std::size_t start = at_;
    while (more() && is_word(text_[at_])) ++at_;
    if (at_ == start) return std::nullopt;
    return std::string(text_, start, at_ - start);
  }

  // The string that opens here, its escapes resolved.
  std::optional<Source> string() {
    const char mark = text_[at_++];
    Source::Builder builder(source_);
    std::size_t from = at_;
    while (more() && text_[at_] != mark) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size()) {
        ++at_;
        continue;
      }
      builder.keep(from, at_);
      const std::size_t start = at_;
      const std::string meant = escape();
      builder.replace(start, at_, meant);
      from = at_;
    }
    if (!more()) return std::nullopt;
    builder.keep(from, at_);
    ++at_;
    return std::move(builder).build();
  }

  // What the escape at the backslash stands for; goes on behind it.
  std::string escape() {
    const char c = text_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'n':
        return "\n";
      case 't':
        return "\t";
      case 'r':
      case 'b':
      case 'f':
        return " ";
      case 'u':
        return code_unit();
      default:
        return std::string(1, c);
    }
  }

  // After \u: four digits, and the second half of a pair.
  std::string code_unit() {
    std::string out;
    std::uint32_t unit = hex4(at_);
    if (unit >= 0xD800 && unit < 0xDC00 && text_.compare(at_ + 4, 2, "\\u") == 0) {
      const std::uint32_t low = hex4(at_ + 6);
      if (low >= 0xDC00 && low < 0xE000) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        at_ += 6;
      }
    }
    if (unit == 0) return out;
    at_ += 4;
    append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? kReplacementCharacter : unit);
    return out;
  }

  // 0 if there are no four digits.
  std::uint32_t hex4(std::size_t at) const {
    if (at + 4 > text_.size()) return 0;
    std::uint32_t unit = 0;
    const char* end = text_.data() + at + 4;
    return std::from_chars(text_.data() + at, end, unit, 16).ptr == end ? unit : 0;
  }

  const Source& source_;
  const std::string& text_;
  std::size_t at_;
  int strings_ = 0;
  std::vector<JsonValue> values_;
};

// An object or a list that may be JSON: {" {' {key: [{ ["
bool may_begin(std::string_view text, std::size_t at) {
  if (text[at] != '{' && (text[at] != '[' || at > 0)) return false;
  std::size_t next = at + 1;
  while (next < text.size() && is_space(text[next])) ++next;
  if (next == text.size()) return false;
  const char c = text[next];
  if (c == '"' || c == '\'' || c == '{' || (c == '[' && text[at] == '[')) return true;
  if (text[at] == '[') return false;
  while (next < text.size() && is_word(text[next])) ++next;
  return next < text.size() && text[next] == ':';
}

}  // namespace

std::vector<JsonBlock> find_json(const Source& source) {
  std::vector<JsonBlock> blocks;
  const std::string& text = source.text();
  for (std::size_t at = text.find_first_of("{["); at != std::string::npos;
       at = text.find_first_of("{[", at)) {
    if (!may_begin(text, at)) {
      ++at;
      continue;
    }
    Parser parser(source, at);
    const bool whole = parser.read();
    // What failed is not tried again before the place where it failed.
    const std::size_t end = std::max(parser.at(), at + 1);
    if (whole) blocks.push_back({at, end, std::move(parser).values()});
    at = end;
  }
  return blocks;
}

}  // namespace glyphward::lexicon::extraction
