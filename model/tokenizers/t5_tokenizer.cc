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
#include "base/utf8.h"
#include "model/checkpoint/safetensors.h"
#include "model/tokenizers/sentencepiece_file.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = 32U << 20;

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
