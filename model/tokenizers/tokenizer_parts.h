// What the tokenizers share: a vocabulary's files, and code points that know their place in the
// prompt. Internal to model/.
#pragma once

#include <unicode/normalizer2.h>
#include <unicode/utypes.h>

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glyphward::model {

// ---- Files: each throws ConfigError naming file and key ----------------------------------------

// At most 64 MiB.
std::string read_tokenizer_text(const std::filesystem::path& file);
boost::json::object read_tokenizer_object(const std::filesystem::path& file);
const boost::json::value& require_member(const boost::json::object& object,
                                         const std::filesystem::path& file, std::string_view key,
                                         std::string_view field);

// A special token as libraries save it: a string, or an AddedToken's object with "content"; none if
// absent or null.
std::optional<std::string> token_text(const boost::json::object& config,
                                      const std::filesystem::path& file, const char* key);

// tokenizer_config.json, under which older checkpoints lay special_tokens_map.json (Stable
// Diffusion 2 names its pad token only there). Throws unless padding and truncation are at the
// right.
boost::json::object read_tokenizer_config(const std::filesystem::path& folder);

using Vocabulary = std::unordered_map<std::string, std::int64_t>;
void add_to_vocabulary(Vocabulary& vocabulary, const std::filesystem::path& file,
                       const std::string& token, const boost::json::value& id);
// vocab.json's object, or tokenizer.json's model.vocab.
Vocabulary read_vocabulary(const boost::json::object& object, const std::filesystem::path& file);
// tokenizer.json's added_tokens.
void add_added_tokens(Vocabulary& vocabulary, const boost::json::object& root,
                      const std::filesystem::path& file);
// Throws unless `object`, which is the member `where` of the file's, has `expected` under `key`;
// where it has none it must be `absent`.
void expect_value(const boost::json::object& object, const std::filesystem::path& file,
                  const std::string& where, const char* key, const boost::json::value& expected,
                  const boost::json::value& absent);

// ---- Text --------------------------------------------------------------------------------------

// Where several code points come from the same bytes of the prompt, only the last of them has an
// end there.
constexpr std::size_t kInside = std::string_view::npos;

// A code point of the normalized prompt; `end` is the byte of the prompt as typed that follows it.
struct Character {
  UChar32 code_point = 0;
  std::size_t end = 0;
};
using Characters = std::vector<Character>;

// `text` begins at byte `begin` of the prompt. Invalid UTF-8 reads as U+FFFD.
Characters decode(std::string_view text, std::size_t begin);
// NFC or NFD, one normalization segment at a time, so that each character keeps its place.
Characters normalize(const Characters& characters, const icu::Normalizer2& form);
const icu::Normalizer2& nfc();
const icu::Normalizer2& nfd();
// Code point by code point: the tokenizers library knows no final sigma.
Characters lower(const Characters& characters);
// UTF-8 of characters [begin, begin + length).
std::string to_utf8(const Characters& characters, std::size_t begin, std::size_t length);

}  // namespace glyphward::model
