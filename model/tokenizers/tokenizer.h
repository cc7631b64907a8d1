// From a prompt to the ids that a text encoder reads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/pipeline.h"

namespace glyphward::model {

// Immutable once loaded: any number of threads. A special token typed by the user
// ("<|endoftext|>", "[SEP]") is plain text here, unlike in transformers: it cannot move the end.
// Invalid UTF-8 reads as U+FFFD.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Ids as transformers gives them with padding="max_length", truncation=True: model_max_length of
  // them.
  virtual std::vector<std::int64_t> encode(std::string_view text) const = 0;
  virtual PromptFit fit(std::string_view text) const = 0;
  virtual int model_max_length() const = 0;
};

}  // namespace glyphward::model
