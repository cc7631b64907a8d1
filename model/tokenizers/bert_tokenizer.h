// BERT's word piece tokenizer (transformers' BertTokenizer): control characters dropped, Chinese
// characters words of their own, accents stripped and lower case where the model is uncased.
// The facts: docs/METHOD.md, section 9.
#pragma once

#include <filesystem>
#include <memory>

#include "model/tokenizers/tokenizer.h"

namespace glyphward::model {

// A word, for fit(), is a run of characters without white space, or one punctuation mark.
class BertTokenizer : public Tokenizer {
 public:
  // `folder` is a checkpoint's tokenizer/: vocab.txt, or tokenizer.json alone, and
  // tokenizer_config.json. `window` is the text encoder's: the published tokenizer has none of its
  // own. Throws ConfigError naming file and key.
  static std::unique_ptr<const BertTokenizer> load(const std::filesystem::path& folder, int window);
};

}  // namespace glyphward::model
