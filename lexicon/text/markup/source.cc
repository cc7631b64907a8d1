#include "lexicon/text/markup/source.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/table.h"
#include "base/utf8.h"
#include "lexicon/tables.h"

namespace glyphward::lexicon::extraction {
namespace {

constexpr std::size_t kEntityMax = 10;  // "&thetasym;"
constexpr std::size_t kTagMax = 200;    // "<lora:name:0.8>"

std::optional<char32_t> code_point(std::string_view digits, int base) {
  std::uint32_t value = 0;
  const auto [end, fault] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  const bool whole = fault == std::errc() && end == digits.data() + digits.size();
  const bool scalar = value > 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
  if (!whole || !scalar) return std::nullopt;
  return static_cast<char32_t>(value);
}

const std::unordered_map<std::string, char32_t>& entities() {
  static const auto table = [] {
    std::unordered_map<std::string, char32_t> result;
    const std::filesystem::path file = "lexicon/text/markup/entities.tsv";
    TableReader reader(file, tables::lexicon_text_markup_entities_tsv);
    reader.expect_header({"name", "code"});
    while (reader.next()) {
      const std::optional<char32_t> c = code_point(reader.fields()[1], 16);
      if (!c) reader.fail("code", "expected a code point in hexadecimal digits");
      result[reader.fields()[0]] = *c;
    }
    return result;
  }();
  return table;
}

// The character that the entity between & and ; names.
std::optional<char32_t> entity(std::string_view name) {
  if (name.starts_with("#x") || name.starts_with("#X")) return code_point(name.substr(2), 16);
  if (name.starts_with('#')) return code_point(name.substr(1), 10);
  const auto it = entities().find(std::string(name));
  if (it == entities().end()) return std::nullopt;
  return it->second;
}

Source decode_entities(const Source& source) {
  const std::string& text = source.text();
  if (text.find('&') == std::string::npos) return source;
  Source::Builder builder(source);
  std::size_t from = 0;
  for (std::size_t at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1)) {
    const std::string_view near = std::string_view(text).substr(at + 1, kEntityMax);
    const std::size_t size = near.find(';');
    if (size == std::string_view::npos) continue;
    const std::optional<char32_t> c = entity(near.substr(0, size));
    if (!c) continue;
    std::string character;
    append_utf8(character, *c);
    builder.keep(from, at);
    from = at + size + 2;
    builder.replace(at, from, character);
  }
  builder.keep(from, text.size());
  return std::move(builder).build();
}

std::optional<char32_t> percent_byte(std::string_view text, std::size_t at) {
  if (at + 3 > text.size() || text[at] != '%') return std::nullopt;
  return code_point(text.substr(at + 1, 2), 16);
}

Source decode_percent(const Source& source) {
  const std::string& text = source.text();
  if (text.find('%') == std::string::npos || text.find(' ') != std::string::npos) return source;
  Source::Builder builder(source);
  for (std::size_t at = 0; at < text.size();) {
    if (const std::optional<char32_t> byte = percent_byte(text, at)) {
      builder.replace(at, at + 3, std::string(1, static_cast<char>(*byte)));
      at += 3;
    } else {
      builder.keep(at, at + 1);
      ++at;
    }
  }
  return std::move(builder).build();
}

// ----- weights, alternatives, tags -----

// ":1.25" before a closing bracket: where the number ends; `at` if there is none.
std::size_t weight_end(std::string_view text, std::size_t at) {
  if (at >= text.size() || text[at] != ':') return at;
  std::size_t end = at + 1;
  while (end < text.size() && text[end] == ' ') ++end;
  const std::size_t digits = end;
  while (end < text.size() && (text[end] == '.' || (text[end] >= '0' && text[end] <= '9'))) ++end;
  return end == digits ? at : end;
}

bool starts_tag(std::string_view text) {
  return text.starts_with("<lora:") || text.starts_with("<lyco:") ||
         text.starts_with("<hypernet:") || text.starts_with("<embedding:");
}

// Drops the signs of the syntax, one by one: ( ) and :1.2 are weights; of [a|b] and [a:b:0.5] both
// parts are drawn at some step, so they become the parts of { | }.
class Resolver {
 public:
  Resolver(const Source& source, Syntax syntax)
      : text_(source.text()), builder_(source), square_(syntax == Syntax::A1111) {}

  Source resolve() && {
    for (std::size_t at = 0; at < text_.size();) at = step(at);
    return std::move(builder_).build();
  }

 private:
  std::size_t step(std::size_t at) {
    const char c = text_[at];
    const std::string_view rest = std::string_view(text_).substr(at);
    if (c == '\\' && rest.size() > 1 && std::string_view("()[]{}\\\"").find(rest[1]) != rest.npos) {
      builder_.replace(at, at + 2, rest.substr(1, 1));
      return at + 2;
    }
    if (c == '<' && starts_tag(rest)) {
      const std::size_t size = rest.substr(0, kTagMax).find('>');
      if (size != rest.npos) return at + size + 1;
    }
    if (c == '(' || c == ')') return at + 1;
    if (c == ':') {
      const std::size_t end = weight_end(text_, at);
      const bool closes = end < text_.size() && (text_[end] == ')' || text_[end] == ']');
      if (end > at && (closes || end == text_.size())) return end;
    }
    if (square_ && (c == '[' || c == ']')) return bracket(at);
    if (square_ && c == ':' && alternatives_ > 0) {
      builder_.replace(at, at + 1, "|");
      return at + 1;
    }
    builder_.keep(at, at + 1);
    return at + 1;
  }

  // [a] only weighs less; [a|b] and [a:b:0.5] hold alternatives.
  std::size_t bracket(std::size_t at) {
    if (text_[at] == ']') {
      if (alternatives_ > 0) builder_.replace(at, at + 1, "}");
      if (alternatives_ > 0) --alternatives_;
      return at + 1;
    }
    const std::size_t sign = text_.find_first_of("[]|:", at + 1);
    const bool holds = sign != std::string::npos && (text_[sign] == '|' || text_[sign] == ':') &&
                       weight_end(text_, sign) == sign;
    if (holds) builder_.replace(at, at + 1, "{");
    if (holds) ++alternatives_;
    return at + 1;
  }

  const std::string& text_;
  Source::Builder builder_;
  bool square_;
  int alternatives_ = 0;  // brackets open that hold alternatives
};

}  // namespace

std::size_t Source::start(std::size_t at) const {
  if (plain()) return at;
  if (at < origins_.size()) return origins_[at].first;
  return origins_.back().second;
}

std::size_t Source::end(std::size_t at) const {
  if (plain()) return at;
  return at == 0 ? origins_.front().first : origins_[at - 1].second;
}

std::vector<Origin> Source::origins(std::size_t start, std::size_t end) const {
  if (plain()) return {};
  return {origins_.begin() + static_cast<std::ptrdiff_t>(start),
          origins_.begin() + static_cast<std::ptrdiff_t>(end)};
}

Source Source::part(std::size_t start, std::size_t end) const {
  Builder builder(*this);
  builder.keep(start, end);
  return std::move(builder).build();
}

void Source::Builder::keep(std::size_t start, std::size_t end) {
  made_.text_.append(from_.text_, start, end - start);
  for (std::size_t at = start; at < end; ++at) {
    made_.origins_.emplace_back(static_cast<std::uint32_t>(from_.start(at)),
                                static_cast<std::uint32_t>(from_.end(at + 1)));
  }
}

void Source::Builder::replace(std::size_t start, std::size_t end, std::string_view text) {
  made_.text_ += text;
  const Origin origin(static_cast<std::uint32_t>(from_.start(start)),
                      static_cast<std::uint32_t>(from_.end(end)));
  made_.origins_.insert(made_.origins_.end(), text.size(), origin);
}

Source Source::Builder::build() && { return std::move(made_); }

Source decode_markup(const Source& source) { return decode_entities(decode_percent(source)); }

Source resolve_syntax(const Source& source, Syntax syntax) {
  const bool weighs = syntax == Syntax::A1111 || syntax == Syntax::ComfyUi;
  return weighs ? Resolver(source, syntax).resolve() : source;
}

}  // namespace glyphward::lexicon::extraction
