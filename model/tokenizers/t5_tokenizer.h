// T5's tokenizer (transformers' T5Tokenizer): sentencepiece unigrams from spiece.model. The facts:
// docs/METHOD.md, section 9.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "model/pipeline.h"

namespace glyphward::model {

struct T5Tokens {
  std::vector<std::int64_t> ids;  // padded to the length asked for
  std::size_t count = 0;          // of them before the padding, </s> included
};

// Immutable once loaded: any number of threads.
class T5Tokenizer {
 public:
  // `folder` is a checkpoint's tokenizer folder with spiece.model. Throws ConfigError naming file
  // and key, also where only tokenizer.json is.
  static std::unique_ptr<const T5Tokenizer> load(const std::filesystem::path& folder);
  virtual ~T5Tokenizer() = default;

  // Ids as transformers gives them with padding="max_length", truncation=True: `length` of them. A
  // special token typed by the user ("</s>", "<extra_id_0>") is plain text here, unlike in
  // transformers. Invalid UTF-8 reads as U+FFFD. length is at least 1.
  virtual T5Tokens encode(std::string_view text, std::size_t length) const = 0;
  // A word is what stands between white space.
  virtual PromptFit fit(std::string_view text, std::size_t length) const = 0;
  virtual int vocab_size() const = 0;  // ids are below it
};

}  // namespace glyphward::model
