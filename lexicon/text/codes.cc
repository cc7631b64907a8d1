#include "lexicon/text/codes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

constexpr std::size_t kLettersMin = 3;
constexpr std::size_t kBase64Min = 6;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_readable(std::string_view text) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  const auto letters = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_letter));
  return printable && letters >= kLettersMin;
}

// What stands between white space, commas, quotation marks and the like.
struct Token {
  std::string_view text;
  std::uint32_t start = 0;
  std::uint32_t end() const { return start + static_cast<std::uint32_t>(text.size()); }
};
std::vector<Token> tokens_of(std::string_view text, std::string_view separators) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    at = text.find_first_not_of(separators, at);
    if (at == text.npos) break;
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    tokens.push_back({text.substr(at, end - at), static_cast<std::uint32_t>(at)});
    at = end;
  }
  return tokens;
}

// ----- Base64 (RFC 4648, both alphabets) -----

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

// Letters alone, small but for the first, or all of them capitals. Of many such words one decodes
// to a term by chance.
bool looks_like_a_word(std::string_view text) {
  const auto small =
      std::count_if(text.begin() + 1, text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  const auto capitals =
      std::count_if(text.begin() + 1, text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const auto rest = static_cast<std::ptrdiff_t>(text.size()) - 1;
  return small == rest || capitals == rest;
}

std::optional<DecodedRun> from_base64(const Token& token) {
  std::string_view digits = token.text;
  while (digits.ends_with('=')) digits.remove_suffix(1);
  if (digits.size() < kBase64Min || digits.size() % 4 == 1) return {};
  if (digits.size() == token.text.size() && looks_like_a_word(digits)) return {};
  DecodedRun run;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : digits) {
    const int value = base64_value(c);
    if (value < 0) return {};
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFFF;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    run.text += static_cast<char>(bits >> count & 0xFF);
  }
  if (!is_readable(run.text)) return {};
  run.origins.assign(run.text.size(), {token.start, token.end()});
  return run;
}

// ----- one token for each letter -----

std::optional<int> number(std::string_view digits, int base) {
  int value = 0;
  for (const char c : digits) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const int digit = is_digit(lower) ? lower - '0' : lower - 'a' + 10;
    if (digit < 0 || digit >= base) return {};
    value = value * base + digit;
  }
  return value;
}

// A letter that a token stands for; 0 for none.
using Decode = char (*)(std::string_view token);

char letter_or_none(std::optional<int> code) {
  return code && *code < 0x7F && is_letter(static_cast<char>(*code)) ? static_cast<char>(*code)
                                                                     : '\0';
}
char from_binary(std::string_view token) {
  return token.size() == 7 || token.size() == 8 ? letter_or_none(number(token, 2)) : '\0';
}
char from_hexadecimal(std::string_view token) {
  if (token.starts_with("0x") || token.starts_with("\\x")) token.remove_prefix(2);
  return token.size() == 2 ? letter_or_none(number(token, 16)) : '\0';
}
char from_decimal(std::string_view token) {
  return token.size() == 2 || token.size() == 3 ? letter_or_none(number(token, 10)) : '\0';
}
char from_place(std::string_view token) {
  const std::optional<int> place = token.size() <= 2 ? number(token, 10) : std::nullopt;
  return place && *place >= 1 && *place <= 26 ? static_cast<char>('a' + *place - 1) : '\0';
}

// ITU-R M.1677-1.
constexpr std::array<std::string_view, 26> kMorse = {
    ".-",   "-...", "-.-.", "-..",  ".",   "..-.", "--.",  "....", "..",
    ".---", "-.-",  ".-..", "--",   "-.",  "---",  ".--.", "--.-", ".-.",
    "...",  "-",    "..-",  "...-", ".--", "-..-", "-.--", "--.."};
char from_morse(std::string_view token) {
  const auto* letter = std::find(kMorse.begin(), kMorse.end(), token);
  return letter == kMorse.end() ? '\0' : static_cast<char>('a' + (letter - kMorse.begin()));
}

// The longest runs of tokens that are letters. A single / parts words in Morse.
void find_runs(const std::vector<Token>& tokens, Decode decode, std::vector<DecodedRun>& runs) {
  DecodedRun run;
  const auto finish = [&] {
    if (is_readable(run.text)) runs.push_back(std::move(run));
    run = {};
  };
  for (const Token& token : tokens) {
    char letter = decode(token.text);
    if (letter == 0 && token.text == "/" && !run.text.empty()) letter = ' ';
    if (letter == 0) {
      finish();
      continue;
    }
    run.text += letter;
    run.origins.emplace_back(token.start, token.end());
  }
  finish();
}

// ----- letters that show nothing -----

// The letter that an invisible code point carries: a tag character stands for ASCII, and a
// variation selector for its number (the first 16 of them, then 240 more). 0 for none.
char hidden_letter(char32_t c) {
  if (c > 0xE0020 && c < 0xE007F) return static_cast<char>(c - 0xE0000);
  if (c < 0xE0100 || c > 0xE01EF) return '\0';
  const char32_t byte = c - 0xE0100 + 16;
  return byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '\0';
}

void find_hidden(std::string_view text, std::vector<DecodedRun>& runs) {
  DecodedRun run;
  const auto finish = [&] {
    if (is_readable(run.text)) runs.push_back(std::move(run));
    run = {};
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char letter = hidden_letter(decode(text, at));
    if (letter == 0) {
      finish();
      continue;
    }
    run.text += letter;
    run.origins.emplace_back(static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(at));
  }
  finish();
}

}  // namespace

std::vector<DecodedRun> find_codes(std::string_view text) {
  std::vector<DecodedRun> runs;
  // Most prompts end here.
  const bool digits = std::any_of(text.begin(), text.end(), is_digit);
  const std::string_view around = " \t\r\n\"'`.,;:!?()[]{}<>|";
  for (const Token& token : tokens_of(text, around)) {
    if (token.text.size() < kBase64Min) continue;
    if (std::optional<DecodedRun> run = from_base64(token)) runs.push_back(std::move(*run));
  }
  if (digits) {
    const std::vector<Token> tokens = tokens_of(text, " \t\r\n\"'`.,;:!?()[]{}<>|-_/+&");
    for (const Decode decode : {from_binary, from_hexadecimal, from_decimal, from_place})
      find_runs(tokens, decode, runs);
  }
  if (text.find("\xF3\xA0") != text.npos) find_hidden(text, runs);
  if (text.find_first_of(".-") != text.npos)
    find_runs(tokens_of(text, " \t\r\n\"'`,;:!?()[]{}<>|"), from_morse, runs);
  return runs;
}

}  // namespace glyphward::lexicon
