// CLIP's byte-pair tokenizer (transformers' CLIPTokenizer): NFC, white space collapsed, lower case,
// byte-level merges with </w>. The facts: docs/METHOD.md, section 9.
#pragma once

#include <filesystem>
#include <memory>

#include "model/tokenizers/tokenizer.h"

namespace glyphward::model {

// Only a pad token of its own ("!" in Stable Diffusion 2 and for SDXL's bigG) stands for itself
// where it is typed, as in transformers. A word, for fit(), is what the tokenizer's expression
// splits off: a run of letters, one digit, a run of other characters.
class ClipTokenizer : public Tokenizer {
 public:
  // `folder` is a checkpoint's tokenizer/: vocab.json and merges.txt, or tokenizer.json alone, and
  // tokenizer_config.json. Throws ConfigError naming file and key.
  static std::unique_ptr<const ClipTokenizer> load(const std::filesystem::path& folder);
};

}  // namespace glyphward::model
