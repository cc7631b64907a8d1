#include "model/tokenizers/bert_tokenizer.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "base/config_error.h"
#include "model/tokenizers/tokenizer_parts.h"

namespace glyphward::model {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

// tokenizer.json's default; vocab.txt has no other.
constexpr std::size_t kWordCharactersMax = 100;
constexpr std::string_view kPrefix = "##";

struct Options {
  bool lowercase = true;
  bool strip_accents = true;
  bool split_chinese = true;
};

// ---- Text --------------------------------------------------------------------------------------

bool is_space(UChar32 c) { return u_isUWhiteSpace(c) != 0; }

// The general category as the tokenizers library knows it, which is Unicode 8's (seen, code point
// by code point): what came later has none, and these six have changed since.
std::uint32_t category_mask(UChar32 c) {
  switch (c) {
    case 0x166D:
    case 0x111C9:
      return U_GC_PO_MASK;
    case 0x1734:
      return U_GC_MN_MASK;
    case 0x1885:
    case 0x1886:
      return U_GC_LO_MASK;
    case 0xA9BD:
      return U_GC_MC_MASK;
    default:
      break;
  }
  UVersionInfo age;
  u_charAge(c, age);
  return age[0] <= 8 ? U_GET_GC_MASK(c) : 0;
}

// "Other", less what is not assigned. Only tab and line ends count as white space: a form feed or
// U+0085 parts no words, it vanishes.
bool is_control(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0xFFFD || (category_mask(c) & U_GC_C_MASK & ~U_GC_CN_MASK) != 0;
}

bool is_punctuation(UChar32 c) {
  const bool is_ascii_symbol = c < 0x80 && u_isgraph(c) && !u_isalnum(c);
  return is_ascii_symbol || (category_mask(c) & U_GC_P_MASK) != 0;
}

bool is_accent(UChar32 c) { return (category_mask(c) & U_GC_MN_MASK) != 0; }

// The library's own list of CJK blocks, its gap from U+2B820 to U+2B91F included.
bool is_chinese(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// Without those that `drop` names; the character before one then stands for its bytes too.
template <typename Predicate>
Characters without(const Characters& characters, Predicate drop) {
  Characters kept;
  for (const Character& character : characters) {
    if (!drop(character.code_point)) {
      kept.push_back(character);
    } else if (!kept.empty() && character.end != kInside) {
      kept.back().end = character.end;
    }
  }
  return kept;
}

Characters space_out_chinese(const Characters& characters) {
  Characters spaced;
  for (const Character& character : characters) {
    if (!is_chinese(character.code_point)) {
      spaced.push_back(character);
      continue;
    }
    spaced.push_back({' ', kInside});
    spaced.push_back(character);
    spaced.push_back({' ', kInside});
  }
  return spaced;
}

Characters prepare(std::string_view text, const Options& options) {
  Characters characters = without(decode(text, 0), is_control);
  if (options.split_chinese) characters = space_out_chinese(characters);
  if (options.strip_accents) characters = without(normalize(characters, nfd()), is_accent);
  return options.lowercase ? lower(characters) : characters;
}

// ---- Word pieces -------------------------------------------------------------------------------

class WordPieces {
 public:
  WordPieces(Vocabulary vocabulary, std::int64_t unknown)
      : vocabulary_(std::move(vocabulary)), unknown_(unknown) {
    for (const auto& [token, id] : vocabulary_) longest_ = std::max(longest_, token.size());
  }

  // The longest piece that the vocabulary has, then the longest of the rest, and so on; a word of
  // which some rest has none is unknown as a whole.
  void encode(const Characters& characters, std::size_t begin, std::size_t length,
              std::vector<std::int64_t>& ids) const {
    if (length > kWordCharactersMax) return ids.push_back(unknown_);
    const std::size_t first = ids.size();
    for (std::size_t at = 0; at < length;) {
      const std::string prefix(at > 0 ? kPrefix : "");
      std::size_t taken = length - at;
      const std::int64_t* id = nullptr;
      for (; taken > 0; --taken) {
        const std::string piece = prefix + to_utf8(characters, begin + at, taken);
        if (piece.size() > longest_) continue;
        const auto found = vocabulary_.find(piece);
        if (found == vocabulary_.end()) continue;
        id = &found->second;
        break;
      }
      if (id == nullptr) {
        ids.resize(first);
        return ids.push_back(unknown_);
      }
      ids.push_back(*id);
      at += taken;
    }
  }

 private:
  Vocabulary vocabulary_;
  std::int64_t unknown_;
  std::size_t longest_ = 0;
};

// ---- The checkpoint's files --------------------------------------------------------------------

// One token a line, its id the line's number from 0.
Vocabulary read_vocab_txt(const fs::path& file) {
  Vocabulary vocabulary;
  const std::string text = read_tokenizer_text(file);
  std::int64_t id = 0;
  for (std::size_t at = 0; at < text.size(); ++id) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    vocabulary[std::string(line)] = id;
  }
  return vocabulary;
}

const json::object& require_object(const json::object& root, const fs::path& file,
                                   const char* key) {
  const json::object* object = require_member(root, file, key, key).if_object();
  if (object == nullptr) throw ConfigError(file, 0, key, "expected an object");
  return *object;
}

Vocabulary read_tokenizer_json(const fs::path& file, const Options& options) {
  const json::object root = read_tokenizer_object(file);
  const json::object& model = require_object(root, file, "model");
  expect_value(model, file, "model.", "type", "WordPiece", "WordPiece");
  expect_value(model, file, "model.", "continuing_subword_prefix", json::string(kPrefix), nullptr);
  expect_value(model, file, "model.", "max_input_chars_per_word", kWordCharactersMax,
               kWordCharactersMax);
  const json::object& normalizer = require_object(root, file, "normalizer");
  expect_value(normalizer, file, "normalizer.", "type", "BertNormalizer", nullptr);
  expect_value(normalizer, file, "normalizer.", "clean_text", true, true);
  expect_value(normalizer, file, "normalizer.", "handle_chinese_chars", options.split_chinese,
               true);
  expect_value(normalizer, file, "normalizer.", "lowercase", options.lowercase, true);
  const json::value* strip = normalizer.if_contains("strip_accents");
  if (strip != nullptr && !strip->is_null()) {
    expect_value(normalizer, file, "normalizer.", "strip_accents", options.strip_accents, nullptr);
  }
  expect_value(require_object(root, file, "pre_tokenizer"), file, "pre_tokenizer.", "type",
               "BertPreTokenizer", nullptr);
  const json::value& vocab = require_member(model, file, "vocab", "model.vocab");
  if (!vocab.is_object()) throw ConfigError(file, 0, "model.vocab", "expected an object");
  Vocabulary vocabulary = read_vocabulary(vocab.as_object(), file);
  add_added_tokens(vocabulary, root, file);
  return vocabulary;
}

bool flag(const json::object& config, const fs::path& file, const char* key, bool otherwise) {
  const json::value* value = config.if_contains(key);
  if (value == nullptr || value->is_null()) return otherwise;
  if (!value->is_bool()) {
    throw ConfigError(file, 0, key, "expected true or false, found " + json::serialize(*value));
  }
  return value->as_bool();
}

Options read_options(const json::object& config, const fs::path& file) {
  Options options;
  options.lowercase = flag(config, file, "do_lower_case", true);
  options.strip_accents = flag(config, file, "strip_accents", options.lowercase);
  options.split_chinese = flag(config, file, "tokenize_chinese_chars", true);
  expect_value(config, file, "", "do_basic_tokenize", true, true);
  expect_value(config, file, "", "never_split", nullptr, nullptr);
  return options;
}

class BertTokenizerImpl final : public BertTokenizer {
 public:
  BertTokenizerImpl(const fs::path& folder, int window)
      : window_(window), file_(folder / "tokenizer_config.json") {
    const json::object config = read_tokenizer_config(folder);
    options_ = read_options(config, file_);
    const fs::path whole = folder / "tokenizer.json";
    const fs::path list = folder / "vocab.txt";
    if (!fs::exists(whole) && !fs::exists(list)) {
      throw ConfigError(folder, 0, "", "expected tokenizer.json or vocab.txt, found neither");
    }
    Vocabulary vocabulary =
        fs::exists(whole) ? read_tokenizer_json(whole, options_) : read_vocab_txt(list);
    cls_ = special(vocabulary, config, "cls_token", "[CLS]");
    sep_ = special(vocabulary, config, "sep_token", "[SEP]");
    pad_ = special(vocabulary, config, "pad_token", "[PAD]");
    const std::int64_t unknown = special(vocabulary, config, "unk_token", "[UNK]");
    pieces_.emplace(std::move(vocabulary), unknown);
  }

  std::vector<std::int64_t> encode(std::string_view text) const override {
    std::vector<std::int64_t> ids = {cls_};
    const auto room = static_cast<std::size_t>(window_ - 1);
    for_each_word(text, [&](const Characters& characters, std::size_t begin, std::size_t length) {
      pieces_->encode(characters, begin, length, ids);
      return ids.size() < room;
    });
    ids.resize(std::min(ids.size(), room));
    ids.push_back(sep_);
    ids.resize(static_cast<std::size_t>(window_), pad_);
    return ids;
  }

  PromptFit fit(std::string_view text) const override {
    PromptFit fit{.tokens = 0, .tokens_max = window_, .bytes_kept = 0};
    std::vector<std::int64_t> ids = {cls_};
    for_each_word(text, [&](const Characters& characters, std::size_t begin, std::size_t length) {
      pieces_->encode(characters, begin, length, ids);
      const std::size_t end = characters[begin + length - 1].end;
      if (static_cast<int>(ids.size()) <= window_ - 1 && end != kInside) fit.bytes_kept = end;
      return true;
    });
    fit.tokens = static_cast<int>(ids.size()) + 1;
    if (fit.tokens <= window_) fit.bytes_kept = text.size();
    return fit;
  }

  int model_max_length() const override { return window_; }

 private:
  std::int64_t special(const Vocabulary& vocabulary, const json::object& config, const char* key,
                       const char* otherwise) const {
    const std::string token = token_text(config, file_, key).value_or(otherwise);
    const auto found = vocabulary.find(token);
    if (found != vocabulary.end()) return found->second;
    throw ConfigError(file_, 0, key, "expected a token of the vocabulary, found '" + token + "'");
  }

  // Until `visit` says false.
  template <typename Visit>
  void for_each_word(std::string_view text, Visit visit) const {
    const Characters characters = prepare(text, options_);
    for (std::size_t at = 0; at < characters.size();) {
      std::size_t end = at + 1;
      if (is_space(characters[at].code_point)) {
        at = end;
        continue;
      }
      const auto in_word = [](UChar32 c) { return !is_space(c) && !is_punctuation(c); };
      if (in_word(characters[at].code_point)) {
        while (end < characters.size() && in_word(characters[end].code_point)) ++end;
      }
      if (!visit(characters, at, end - at)) return;
      at = end;
    }
  }

  int window_;
  fs::path file_;
  Options options_;
  std::optional<WordPieces> pieces_;
  std::int64_t cls_ = 0;
  std::int64_t sep_ = 0;
  std::int64_t pad_ = 0;
};

}  // namespace

std::unique_ptr<const BertTokenizer> BertTokenizer::load(const fs::path& folder, int window) {
  return std::make_unique<BertTokenizerImpl>(folder, window);
}

}  // namespace glyphward::model
