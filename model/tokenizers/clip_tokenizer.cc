#include "model/tokenizers/clip_tokenizer.h"

#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/config_error.h"
#include "model/tokenizers/byte_pair_encoding.h"
#include "model/tokenizers/tokenizer_parts.h"

namespace glyphward::model {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr int kWindowMax = 1 << 16;
constexpr std::string_view kStartOfText = "<|startoftext|>";
constexpr std::string_view kEndOfText = "<|endoftext|>";

// ---- Text --------------------------------------------------------------------------------------

// A word of the tokenizer's regular expression, lower-case UTF-8, or the pad token typed as text;
// `end` as above.
struct Piece {
  std::string text;
  std::size_t end = 0;
  bool is_pad = false;
};

enum class Kind { Space, Letter, Number, Other };

Kind kind_of(UChar32 c) {
  if (u_isUWhiteSpace(c)) return Kind::Space;
  const std::uint32_t category = U_GET_GC_MASK(c);
  if (category & U_GC_L_MASK) return Kind::Letter;
  if (category & U_GC_N_MASK) return Kind::Number;
  return Kind::Other;
}

bool starts_with(const Characters& characters, std::size_t at, std::string_view ascii) {
  if (ascii.size() > characters.size() - at) return false;
  return std::equal(
      ascii.begin(), ascii.end(), characters.begin() + static_cast<std::ptrdiff_t>(at),
      [](char a, const Character& b) { return static_cast<UChar32>(a) == b.code_point; });
}

// Length in characters of the word at `at`, by the tokenizer's expression, alternatives in its
// order:
//   's|'t|'re|'ve|'m|'ll|'d | \p{L}+ | \p{N} | [^\s\p{L}\p{N}]+
std::size_t word_length(const Characters& characters, std::size_t at) {
  for (std::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (starts_with(characters, at, contraction)) return contraction.size();
  }
  const Kind kind = kind_of(characters[at].code_point);
  if (kind == Kind::Number) return 1;
  std::size_t end = at + 1;
  while (end < characters.size() && kind_of(characters[end].code_point) == kind) ++end;
  return end - at;
}

Piece make_piece(const Characters& characters, std::size_t begin, std::size_t length) {
  return {.text = to_utf8(characters, begin, length), .end = characters[begin + length - 1].end};
}

// The expression's first alternatives are the special tokens' own texts: typed by a user they are
// one match, which the byte-level step then splits again ("<|", "endoftext", "|>"). It shows where
// something else follows: "|>!!".
std::vector<std::size_t> match_lengths(const Characters& characters, std::size_t at) {
  for (std::string_view special : {kStartOfText, kEndOfText}) {
    if (starts_with(characters, at, special)) return {2, special.size() - 4, 2};
  }
  return {word_length(characters, at)};
}

void split(std::string_view text, std::size_t begin, std::vector<Piece>& pieces) {
  const Characters characters = lower(normalize(decode(text, begin), nfc()));
  for (std::size_t at = 0; at < characters.size();) {
    if (kind_of(characters[at].code_point) == Kind::Space) {
      ++at;
      continue;
    }
    for (std::size_t length : match_lengths(characters, at)) {
      pieces.push_back(make_piece(characters, at, length));
      at += length;
    }
  }
}

// ---- The checkpoint's files --------------------------------------------------------------------

std::pair<std::string, std::string> split_merge(std::string_view merge, const fs::path& file,
                                                int line, const std::string& field) {
  const std::size_t space = merge.find(' ');
  if (space == std::string_view::npos || space == 0 || space + 1 == merge.size() ||
      merge.find(' ', space + 1) != std::string_view::npos) {
    throw ConfigError(file, line, field, "expected two symbols with one space between");
  }
  return {std::string(merge.substr(0, space)), std::string(merge.substr(space + 1))};
}

std::vector<std::pair<std::string, std::string>> read_merges_txt(const fs::path& file) {
  std::vector<std::pair<std::string, std::string>> merges;
  const std::string text = read_tokenizer_text(file);
  int line_number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    merges.push_back(split_merge(line, file, line_number, ""));
  }
  return merges;
}

// Older files write a merge "a b", newer ones ["a", "b"].
std::vector<std::pair<std::string, std::string>> read_merges_json(const json::array& array,
                                                                  const fs::path& file) {
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(array.size());
  for (const json::value& value : array) {
    const std::string field = fmt::format("model.merges[{}]", merges.size());
    const json::array* pair = value.if_array();
    if (value.is_string()) {
      merges.push_back(split_merge(value.as_string(), file, 0, field));
    } else if (pair != nullptr && pair->size() == 2 && (*pair)[0].is_string() &&
               (*pair)[1].is_string()) {
      merges.emplace_back(std::string((*pair)[0].as_string()), std::string((*pair)[1].as_string()));
    } else {
      throw ConfigError(file, 0, field, "expected two symbols, found " + json::serialize(value));
    }
  }
  return merges;
}

BytePairEncoding read_tokenizer_json(const fs::path& file) {
  const json::object root = read_tokenizer_object(file);
  const json::value& model_value = require_member(root, file, "model", "model");
  if (!model_value.is_object()) throw ConfigError(file, 0, "model", "expected an object");
  const json::object& model = model_value.as_object();
  expect_value(model, file, "model.", "type", "BPE", nullptr);
  expect_value(model, file, "model.", "end_of_word_suffix", json::string(kEndOfWord), nullptr);
  expect_value(model, file, "model.", "byte_fallback", false, false);
  expect_value(model, file, "model.", "ignore_merges", false, false);
  const json::value& vocab = require_member(model, file, "vocab", "model.vocab");
  const json::value& merges = require_member(model, file, "merges", "model.merges");
  if (!vocab.is_object()) throw ConfigError(file, 0, "model.vocab", "expected an object");
  if (!merges.is_array()) throw ConfigError(file, 0, "model.merges", "expected a list");
  auto vocabulary = read_vocabulary(vocab.as_object(), file);
  add_added_tokens(vocabulary, root, file);
  return BytePairEncoding(std::move(vocabulary), read_merges_json(merges.as_array(), file), file,
                          file);
}

// transformers prefers tokenizer.json where both forms are there; so does this.
BytePairEncoding read_encoding(const fs::path& folder) {
  const fs::path whole = folder / "tokenizer.json";
  if (fs::exists(whole)) return read_tokenizer_json(whole);
  const fs::path vocab = folder / "vocab.json";
  const fs::path merges = folder / "merges.txt";
  if (!fs::exists(vocab)) {
    throw ConfigError(folder, 0, "",
                      "expected tokenizer.json, or vocab.json and merges.txt, found neither");
  }
  return BytePairEncoding(read_vocabulary(read_tokenizer_object(vocab), vocab),
                          read_merges_txt(merges), vocab, merges);
}

int read_window(const json::object& config, const fs::path& file) {
  const json::value& value = require_member(config, file, "model_max_length", "model_max_length");
  boost::system::error_code error;
  // Written 1e30 by a tokenizer that was never given a window.
  const double window = value.to_number<double>(error);
  if (error || window < 3 || window > kWindowMax) {
    throw ConfigError(file, 0, "model_max_length",
                      fmt::format("expected an integer from 3 to {}, found {}", kWindowMax,
                                  json::serialize(value)));
  }
  return static_cast<int>(window);
}

class ClipTokenizerImpl final : public ClipTokenizer {
 public:
  explicit ClipTokenizerImpl(const fs::path& folder) : encoding_(read_encoding(folder)) {
    const fs::path file = folder / "tokenizer_config.json";
    const json::object config = read_tokenizer_config(folder);
    window_ = read_window(config, file);
    bos_ = special(config, file, "bos_token", kStartOfText);
    eos_ = special(config, file, "eos_token", kEndOfText);
    pad_ = special(config, file, "pad_token", kEndOfText);
    if (pad_ != eos_ && pad_ != bos_) pad_text_ = *token_text(config, file, "pad_token");
  }

  std::vector<std::int64_t> encode(std::string_view text) const override {
    std::vector<std::int64_t> ids = {bos_};
    for (const Piece& piece : pieces(text)) {
      if (static_cast<int>(ids.size()) >= window_ - 1) break;
      encode_piece(piece, ids);
    }
    ids.resize(std::min<std::size_t>(ids.size(), window_ - 1));
    ids.push_back(eos_);
    ids.resize(window_, pad_);
    return ids;
  }

  PromptFit fit(std::string_view text) const override {
    PromptFit fit{.tokens = 0, .tokens_max = window_, .bytes_kept = 0};
    std::vector<std::int64_t> ids = {bos_};
    for (const Piece& piece : pieces(text)) {
      encode_piece(piece, ids);
      const bool fits = static_cast<int>(ids.size()) <= window_ - 1;
      if (fits && piece.end != kInside) fit.bytes_kept = piece.end;
    }
    fit.tokens = static_cast<int>(ids.size()) + 1;
    if (fit.tokens <= window_) fit.bytes_kept = text.size();
    return fit;
  }

  int model_max_length() const override { return window_; }

 private:
  std::int64_t special(const json::object& config, const fs::path& file, const char* key,
                       std::string_view otherwise) const {
    const std::string token = token_text(config, file, key).value_or(std::string(otherwise));
    const std::optional<std::int64_t> id = encoding_.find(token);
    if (!id)
      throw ConfigError(file, 0, key, "expected a token of the vocabulary, found '" + token + "'");
    return *id;
  }

  // A pad token of its own ("!" in Stable Diffusion 2) stands for itself wherever it is typed, as
  // in transformers: it is cut out of the text as it came. It moves no end, so it needs no
  // neutralizing.
  std::vector<Piece> pieces(std::string_view text) const {
    std::vector<Piece> pieces;
    std::size_t begin = 0;
    while (!pad_text_.empty()) {
      const std::size_t pad = text.find(pad_text_, begin);
      if (pad == std::string_view::npos) break;
      split(text.substr(begin, pad - begin), begin, pieces);
      begin = pad + pad_text_.size();
      pieces.push_back({.text = pad_text_, .end = begin, .is_pad = true});
    }
    split(text.substr(begin), begin, pieces);
    return pieces;
  }

  void encode_piece(const Piece& piece, std::vector<std::int64_t>& ids) const {
    if (piece.is_pad) {
      ids.push_back(pad_);
    } else {
      encoding_.encode(piece.text, ids);
    }
  }

  BytePairEncoding encoding_;
  int window_ = 0;
  std::int64_t bos_ = 0;
  std::int64_t eos_ = 0;
  std::int64_t pad_ = 0;
  std::string pad_text_;  // empty unless the pad token is neither end
};

}  // namespace

std::unique_ptr<const ClipTokenizer> ClipTokenizer::load(const fs::path& folder) {
  return std::make_unique<ClipTokenizerImpl>(folder);
}

}  // namespace glyphward::model
