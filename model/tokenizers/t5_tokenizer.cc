#include "model/tokenizers/t5_tokenizer.h"

#include <sentencepiece_processor.h>
#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/config_error.h"
#include "model/checkpoint/safetensors.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = 32U << 20;

// ---- The file's character map ------------------------------------------------------------------

// One field of a protocol buffer's message.
struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of a whole number
  std::string_view bytes;   // of a field with a length
};

// Reads the next field; false at the end, and where the bytes are no message.
bool next_field(std::string_view& message, Field& field) {
  const auto varint = [&message](std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !message.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message[0]);
      message.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  };
  std::uint64_t tag = 0;
  std::uint64_t size = 0;
  if (!varint(tag)) return false;
  field = {tag >> 3U, 0, {}};
  switch (tag & 7U) {
    case 0:
      return varint(field.value);
    case 1:
      size = 8;
      break;
    case 2:
      if (!varint(size)) return false;
      break;
    case 5:
      size = 4;
      break;
    default:
      return false;
  }
  if (size > message.size()) return false;
  if ((tag & 7U) == 2) field.bytes = message.substr(0, size);
  message.remove_prefix(size);
  return true;
}

// A field of a message within a message; of several, the last one counts.
Field find_field(std::string_view model, std::uint64_t outer, std::uint64_t inner,
                 Field otherwise) {
  Field found = otherwise;
  Field field;
  while (next_field(model, field)) {
    if (field.number != outer) continue;
    Field within;
    std::string_view message = field.bytes;
    while (next_field(message, within)) {
      if (within.number == inner) found = within;
    }
  }
  return found;
}

// Whether the message is whole, and holds what sentencepiece writes behind the pieces: a file that
// was cut between two pieces is a message, too.
bool is_whole(std::string_view model) {
  bool trainer_spec = false;
  bool normalizer_spec = false;
  Field field;
  while (!model.empty()) {
    if (!next_field(model, field)) return false;
    trainer_spec = trainer_spec || field.number == 2;
    normalizer_spec = normalizer_spec || field.number == 3;
  }
  return trainer_spec && normalizer_spec;
}

// normalizer_spec.precompiled_charsmap
std::string_view find_charsmap(std::string_view model) { return find_field(model, 3, 2, {}).bytes; }

// trainer_spec.model_type
bool is_unigram(std::string_view model) {
  constexpr std::uint64_t kUnigram = 1;
  return find_field(model, 2, 3, {3, kUnigram, {}}).value == kUnigram;
}

// A double-array trie from characters to what they are replaced by (NFKC and some more), as
// sentencepiece stores it: the trie's size in bytes, its units, and the replacements, each ended by
// a zero. sentencepiece looks nothing up with bounds, so that a damaged map would make it read
// anywhere; and tokenizers, which transformers reads with, looks up by grapheme. So it is done
// here.
class CharacterMap {
 public:
  // Throws ConfigError on a trie that leaves the map.
  CharacterMap(std::string_view charsmap, const fs::path& file) {
    if (charsmap.empty()) return;
    const std::uint32_t size = charsmap.size() < 4 ? 0 : unit_at(charsmap, 0);
    if (size == 0 || size % 4 != 0 || size > charsmap.size() - 4) {
      throw ConfigError(file, 0, "normalizer_spec.precompiled_charsmap",
                        "expected a trie's size, found another number");
    }
    for (std::uint32_t i = 0; i < size; i += 4) units_.push_back(unit_at(charsmap, 4 + i));
    replacements_ = charsmap.substr(4 + size);
  }

  // What replaces the shortest beginning of `text` that the map has; none if it has none.
  std::optional<std::string_view> find(std::string_view text) const {
    if (units_.empty()) return std::nullopt;
    std::size_t node = offset(units_[0]);
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      node ^= byte;
      // A zero ends texts in the trie.
      if (byte == 0 || node >= units_.size() || (units_[node] & 0x800000FFU) != byte) break;
      const bool has_leaf = (units_[node] >> 8U & 1U) != 0;
      node ^= offset(units_[node]);
      if (!has_leaf) continue;
      if (node >= units_.size()) break;
      const std::size_t begin = units_[node] & 0x7FFFFFFFU;
      if (begin >= replacements_.size()) break;
      const std::string_view rest = std::string_view(replacements_).substr(begin);
      return rest.substr(0, rest.find('\0'));
    }
    return std::nullopt;
  }

 private:
  static std::uint32_t unit_at(std::string_view bytes, std::size_t at) {
    std::uint32_t unit = 0;
    for (int i = 3; i >= 0; --i) unit = unit << 8U | static_cast<unsigned char>(bytes[at + i]);
    return unit;
  }
  static std::size_t offset(std::uint32_t unit) { return unit >> 10U << ((unit & 0x200U) >> 6U); }

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

// ---- Words -------------------------------------------------------------------------------------

struct Word {
  std::string text;     // normalized
  std::size_t end = 0;  // in the bytes of the prompt
};

// A grapheme of up to five bytes is looked up whole first, else character by character.
std::string normalize_grapheme(const CharacterMap& map, std::string_view grapheme) {
  if (grapheme.size() < 6) {
    if (const auto whole = map.find(grapheme)) return std::string(*whole);
  }
  std::string normalized;
  const auto length = static_cast<std::int32_t>(grapheme.size());
  for (std::int32_t i = 0; i < length;) {
    const std::int32_t at = i;
    U8_FWD_1(grapheme.data(), i, length);
    const std::string_view character = grapheme.substr(at, i - at);
    normalized += map.find(character).value_or(character);
  }
  return normalized;
}

bool is_white_space(std::string_view text) {
  UChar32 c = 0;
  std::int32_t i = 0;
  U8_NEXT_OR_FFFD(text.data(), i, static_cast<std::int32_t>(text.size()), c);
  return u_isUWhiteSpace(c) != 0;
}

// What stands between white space once the characters are mapped. `prompt` is valid UTF-8.
std::vector<Word> split_words(const CharacterMap& map, const std::string& prompt) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> graphemes(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  UText text = UTEXT_INITIALIZER;
  utext_openUTF8(&text, prompt.data(), static_cast<std::int64_t>(prompt.size()), &status);
  if (U_SUCCESS(status)) graphemes->setText(&text, status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU has no grapheme breaks");
  std::vector<Word> words;
  bool open = false;
  std::int32_t begin = 0;
  for (std::int32_t end = graphemes->next(); end != icu::BreakIterator::DONE;
       begin = end, end = graphemes->next()) {
    const std::string normalized =
        normalize_grapheme(map, std::string_view(prompt).substr(begin, end - begin));
    const auto length = static_cast<std::int32_t>(normalized.size());
    for (std::int32_t i = 0; i < length;) {
      const std::int32_t at = i;
      U8_FWD_1(normalized.data(), i, length);
      const std::string_view character = std::string_view(normalized).substr(at, i - at);
      const bool space = is_white_space(character);
      if (!space && !open) words.emplace_back();
      open = !space;
      if (!space) {
        words.back().text += character;
        words.back().end = static_cast<std::size_t>(end);
      }
    }
  }
  utext_close(&text);
  return words;
}

// Invalid bytes become U+FFFD.
std::string valid_utf8(std::string_view text) {
  std::string valid;
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), i, length, c);
    icu::UnicodeString(c).toUTF8String(valid);
  }
  return valid;
}

// ---- Pieces ------------------------------------------------------------------------------------

// The table's unigrams, and the best way to cut a word into them. sentencepiece adds scores in
// float32, tokenizers in double, and runs of one letter are full of ties ("!!" "!" or "!" "!!"):
// for transformers' ids this adds as tokenizers does.
class Unigrams {
 public:
  explicit Unigrams(const sentencepiece::SentencePieceProcessor& table) : unknown_(table.unk_id()) {
    double least = 0;
    for (int id = 0; id < table.GetPieceSize(); ++id) {
      const std::string& piece = table.IdToPiece(id);
      const double score = table.GetScore(id);
      least = std::min(least, score);
      // What is no text cannot be typed.
      if (table.IsControl(id) || table.IsUnknown(id) || table.IsUnused(id) || table.IsByte(id) ||
          piece.empty()) {
        continue;
      }
      pieces_.emplace(piece, Piece{id, score});
      longest_ = std::max(longest_, piece.size());
    }
    unknown_score_ = least - 10;  // sentencepiece's penalty
  }

  // `word` is valid UTF-8. Unknown characters in a row are one id.
  void append(std::string_view word, std::vector<std::int64_t>& ids) const {
    struct Node {
      double score = 0;
      std::size_t begin = 0;
      int id = 0;
      bool reached = false;
    };
    std::vector<Node> ends(word.size() + 1);
    const auto offer = [&ends](std::size_t end, double score, std::size_t begin, int id) {
      if (!ends[end].reached || score > ends[end].score) ends[end] = {score, begin, id, true};
    };
    for (std::size_t begin = 0; begin < word.size();) {
      const std::size_t next = next_character(word, begin);
      const double so_far = ends[begin].score;
      bool has_single = false;
      for (std::size_t end = next; end - begin <= longest_; end = next_character(word, end)) {
        const auto found = pieces_.find(word.substr(begin, end - begin));
        if (found != pieces_.end()) {
          offer(end, found->second.score + so_far, begin, found->second.id);
          has_single = has_single || end == next;
        }
        if (end == word.size()) break;
      }
      if (!has_single) offer(next, unknown_score_ + so_far, begin, unknown_);
      begin = next;
    }
    std::vector<std::int64_t> backward;
    for (std::size_t end = word.size(); end > 0; end = ends[end].begin) {
      const int id = ends[end].id;
      if (id != unknown_ || backward.empty() || backward.back() != id) backward.push_back(id);
    }
    ids.insert(ids.end(), backward.rbegin(), backward.rend());
  }

 private:
  struct Piece {
    int id;
    double score;
  };

  static std::size_t next_character(std::string_view text, std::size_t at) {
    auto i = static_cast<std::int32_t>(at);
    U8_FWD_1(text.data(), i, static_cast<std::int32_t>(text.size()));
    return static_cast<std::size_t>(i);
  }

  std::map<std::string, Piece, std::less<>> pieces_;
  std::size_t longest_ = 0;
  int unknown_;
  double unknown_score_ = 0;
};

// ---- The tokenizer -----------------------------------------------------------------------------

// Appended to a model, this NormalizerSpec overrides its map with an empty one: sentencepiece would
// look into it without bounds.
constexpr std::string_view kNoMap("\x1A\x02\x12\x00", 4);

class SentencePieceT5 final : public T5Tokenizer {
 public:
  SentencePieceT5(std::string model, const fs::path& file) : map_(find_charsmap(model), file) {
    if (!is_whole(model)) {
      throw ConfigError(file, 0, "", "expected a whole sentencepiece model, found one cut short");
    }
    model += kNoMap;
    load(model, file);
    if (!is_unigram(model)) {
      throw ConfigError(file, 0, "trainer_spec.model_type",
                        "expected unigrams (others are not implemented), found another type");
    }
    if (processor_.pad_id() < 0 || processor_.eos_id() < 0) {
      throw ConfigError(file, 0, "trainer_spec", "expected pieces for <pad> and </s>, found none");
    }
    for (int id = 0; id < processor_.GetPieceSize(); ++id) {
      if (processor_.IdToPiece(id).find("<extra_id_") != std::string::npos) {
        throw ConfigError(file, 0, "pieces",
                          "expected no sentinels in the table (such a table is not implemented: "
                          "typed text could name them), found " +
                              processor_.IdToPiece(id));
      }
    }
    unigrams_.emplace(processor_);
  }

  T5Tokens encode(std::string_view text, std::size_t length) const override {
    T5Tokens tokens;
    for (const Word& word : split_words(map_, valid_utf8(text))) {
      if (tokens.ids.size() >= length) break;
      append(word, tokens.ids);
    }
    tokens.ids.resize(std::min(tokens.ids.size(), length - 1));
    tokens.ids.push_back(processor_.eos_id());
    tokens.count = tokens.ids.size();
    tokens.ids.resize(length, processor_.pad_id());
    return tokens;
  }

  PromptFit fit(std::string_view text, std::size_t length) const override {
    PromptFit fit{1, static_cast<int>(length), 0};  // </s>
    // The ends of words are counted in valid_utf8's bytes: no more than the prompt has where all of
    // it is valid, as the interfaces ask; else an end is cut to the prompt's.
    std::vector<std::int64_t> ids;
    for (const Word& word : split_words(map_, valid_utf8(text))) {
      append(word, ids);
      if (ids.size() < length) fit.bytes_kept = std::min(word.end, text.size());
    }
    fit.tokens = static_cast<int>(ids.size()) + 1;
    if (ids.size() < length) fit.bytes_kept = text.size();
    return fit;
  }

  int vocab_size() const override { return processor_.GetPieceSize(); }

 private:
  // The library answers with a status, but its trie throws (a piece that begins with a zero).
  void load(const std::string& model, const fs::path& file) {
    std::string fault;
    try {
      const auto status = processor_.LoadFromSerializedProto(model);
      if (status.ok()) return;
      fault = status.error_message();
    } catch (const std::exception& error) {
      fault = error.what();
    }
    throw ConfigError(file, 0, "", "expected a sentencepiece model, found: " + fault);
  }

  // Pieces never reach over white space, so that words can be taken one by one, each with U+2581
  // for the space before it.
  void append(const Word& word, std::vector<std::int64_t>& ids) const {
    unigrams_->append("\u2581" + word.text, ids);
  }

  CharacterMap map_;
  sentencepiece::SentencePieceProcessor processor_;
  std::optional<Unigrams> unigrams_;
};

}  // namespace

std::unique_ptr<const T5Tokenizer> T5Tokenizer::load(const fs::path& folder) {
  const fs::path file = folder / "spiece.model";
  if (!fs::exists(file)) {
    throw ConfigError(
        file, 0, "",
        fs::exists(folder / "tokenizer.json")
            ? "expected T5's sentencepiece model, found tokenizer.json alone: copy spiece.model of "
              "the checkpoint that it was made from into this folder"
            : "expected T5's sentencepiece model, found no such file");
  }
  const std::shared_ptr<const MappedFile> mapped = MappedFile::open(file);
  const std::span<const std::byte> bytes = mapped->bytes();
  if (bytes.size() > kFileBytesMax) {
    throw ConfigError(file, 0, "",
                      "expected at most 32 MiB, found " + std::to_string(bytes.size()) + " bytes");
  }
  return std::make_unique<SentencePieceT5>(
      std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), file);
}

}  // namespace glyphward::model
