#include "model/tokenizers/tokenizer_parts.h"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <array>
#include <boost/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/config_error.h"
#include "base/file.h"

namespace glyphward::model {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::uintmax_t kFileBytesMax = 64u << 20;
constexpr std::int64_t kIdMax = 1 << 24;

}  // namespace

// ---- Files -------------------------------------------------------------------------------------

std::string read_tokenizer_text(const fs::path& file) { return read_file(file, kFileBytesMax); }

json::object read_tokenizer_object(const fs::path& file) {
  boost::system::error_code error;
  json::value value = json::parse(read_tokenizer_text(file), error);
  if (error) throw ConfigError(file, 0, "", "expected JSON, found: " + error.message());
  if (!value.is_object()) throw ConfigError(file, 0, "", "expected a JSON object");
  return std::move(value.as_object());
}

const json::value& require_member(const json::object& object, const fs::path& file,
                                  std::string_view key, std::string_view field) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr)
    throw ConfigError(file, 0, std::string(field), "expected this key, found none");
  return *value;
}

std::optional<std::string> token_text(const json::object& config, const fs::path& file,
                                      const char* key) {
  const json::value* value = config.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (const json::object* object = value->if_object()) value = object->if_contains("content");
  if (value == nullptr || !value->is_string() || value->as_string().empty()) {
    throw ConfigError(file, 0, key, "expected a token's text, or an object with its \"content\"");
  }
  return json::value_to<std::string>(*value);
}

void add_to_vocabulary(Vocabulary& vocabulary, const fs::path& file, const std::string& token,
                       const json::value& value) {
  const std::int64_t* id = value.if_int64();
  if (id == nullptr || *id < 0 || *id > kIdMax) {
    throw ConfigError(
        file, 0, "vocab." + token,
        "expected an id from 0 to " + std::to_string(kIdMax) + ", found " + json::serialize(value));
  }
  vocabulary[token] = *id;
}

Vocabulary read_vocabulary(const json::object& object, const fs::path& file) {
  Vocabulary vocabulary;
  for (const auto& [token, id] : object)
    add_to_vocabulary(vocabulary, file, std::string(token), id);
  return vocabulary;
}

void add_added_tokens(Vocabulary& vocabulary, const json::object& root, const fs::path& file) {
  const json::value* added = root.if_contains("added_tokens");
  if (added == nullptr || !added->is_array()) return;
  for (const json::value& token : added->as_array()) {
    const json::object* object = token.if_object();
    if (object == nullptr) {
      throw ConfigError(file, 0, "added_tokens", "expected a list of objects");
    }
    const std::optional<std::string> content = token_text(*object, file, "content");
    if (!content) throw ConfigError(file, 0, "added_tokens.content", "expected a token's text");
    add_to_vocabulary(vocabulary, file, *content,
                      require_member(*object, file, "id", "added_tokens.id"));
  }
}

void expect_value(const json::object& object, const fs::path& file, const std::string& where,
                  const char* key, const json::value& expected, const json::value& absent) {
  const json::value* found = object.if_contains(key);
  if ((found == nullptr ? absent : *found) == expected) return;
  throw ConfigError(file, 0, where + key,
                    "expected " + json::serialize(expected) + ", found " +
                        (found == nullptr ? "none" : json::serialize(*found)));
}

json::object read_tokenizer_config(const fs::path& folder) {
  const fs::path file = folder / "tokenizer_config.json";
  json::object config = read_tokenizer_object(file);
  const fs::path map = folder / "special_tokens_map.json";
  if (!config.contains("added_tokens_decoder") && fs::exists(map)) {
    for (const auto& [key, value] : read_tokenizer_object(map)) config[key] = value;
  }
  for (const char* key : {"padding_side", "truncation_side"}) {
    expect_value(config, file, "", key, "right", "right");
  }
  return config;
}

// ---- Text --------------------------------------------------------------------------------------

namespace {

// The code points of `string`, which stands for bytes of the prompt that end at `end`.
void append(const icu::UnicodeString& string, std::size_t end, Characters& characters) {
  for (std::int32_t i = 0; i < string.length(); i = string.moveIndex32(i, 1)) {
    characters.push_back({string.char32At(i), kInside});
  }
  if (!string.isEmpty()) characters.back().end = end;
}

const icu::Normalizer2& require_form(const icu::Normalizer2* form, UErrorCode error) {
  if (U_FAILURE(error)) throw std::runtime_error("ICU has no normalization data");
  return *form;
}

}  // namespace

Characters decode(std::string_view text, std::size_t begin) {
  Characters characters;
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), i, length, c);
    characters.push_back({c, begin + static_cast<std::size_t>(i)});
  }
  return characters;
}

const icu::Normalizer2& nfc() {
  UErrorCode error = U_ZERO_ERROR;
  return require_form(icu::Normalizer2::getNFCInstance(error), error);
}

const icu::Normalizer2& nfd() {
  UErrorCode error = U_ZERO_ERROR;
  return require_form(icu::Normalizer2::getNFDInstance(error), error);
}

Characters normalize(const Characters& characters, const icu::Normalizer2& form) {
  Characters normalized;
  Characters segment;
  UErrorCode error = U_ZERO_ERROR;
  const auto flush = [&] {
    icu::UnicodeString typed;
    for (const Character& character : segment) typed.append(character.code_point);
    if (form.isNormalized(typed, error)) {
      normalized.insert(normalized.end(), segment.begin(), segment.end());
    } else {
      append(form.normalize(typed, error), segment.back().end, normalized);
    }
    if (U_FAILURE(error)) throw std::runtime_error("ICU could not normalize");
    segment.clear();
  };
  for (const Character& character : characters) {
    if (!segment.empty() && form.hasBoundaryBefore(character.code_point)) flush();
    segment.push_back(character);
  }
  if (!segment.empty()) flush();
  return normalized;
}

Characters lower(const Characters& characters) {
  Characters lowered;
  lowered.reserve(characters.size());
  for (const Character& character : characters) {
    if (character.code_point < 0x80) {
      lowered.push_back({u_tolower(character.code_point), character.end});
      continue;
    }
    icu::UnicodeString string(character.code_point);
    string.toLower(icu::Locale::getRoot());
    append(string, character.end, lowered);
  }
  return lowered;
}

std::string to_utf8(const Characters& characters, std::size_t begin, std::size_t length) {
  std::string text;
  for (std::size_t i = begin; i < begin + length; ++i) {
    std::array<char, U8_MAX_LENGTH> bytes{};
    std::int32_t count = 0;
    U8_APPEND_UNSAFE(bytes.data(), count, characters[i].code_point);
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace glyphward::model
