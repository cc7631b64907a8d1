// CLIP's byte-pair tokenizer (transformers' CLIPTokenizer): NFC, white space collapsed, lower case,
// byte-level merges with </w>. METHOD.md's section 9 has the facts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "model/pipeline.h"

namespace glyphward::model {

// Immutable once loaded: any number of threads.
class ClipTokenizer {
 public:
  // `folder` is a checkpoint's tokenizer/: vocab.json and merges.txt, or tokenizer.json alone, and
  // tokenizer_config.json. Throws ConfigError naming file and key.
  static std::unique_ptr<const ClipTokenizer> load(const std::filesystem::path& folder);
  virtual ~ClipTokenizer() = default;

  // Ids as transformers gives them with padding="max_length", truncation=True: model_max_length of
  // them. A special token typed by the user ("<|endoftext|>") is plain text here, unlike in
  // transformers: it cannot move the end. Only a pad token of its own ("!" in Stable Diffusion 2)
  // stands for itself, as there. Invalid UTF-8 reads as U+FFFD.
  virtual std::vector<std::int64_t> encode(std::string_view text) const = 0;
  // A word is what the tokenizer's expression splits off: a run of letters, one digit, a run of
  // other characters.
  virtual PromptFit fit(std::string_view text) const = 0;
  virtual int model_max_length() const = 0;
};

}  // namespace glyphward::model
