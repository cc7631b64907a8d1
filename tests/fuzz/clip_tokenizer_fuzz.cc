// Fuzz target: a CLIP tokenizer's files and a prompt. The input's sections are the prompt,
// tokenizer_config.json, and either tokenizer.json, or vocab.json and merges.txt.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/config_error.h"
#include "model/tokenizers/clip_tokenizer.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const glyphward::fuzz::Folder folder("clip-tokenizer");
  const std::vector<std::string_view> sections = glyphward::fuzz::sections(data, size);
  if (sections.size() < 3) return 0;
  folder.write("tokenizer_config.json", sections[1]);
  const bool whole = sections.size() == 3;
  for (const char* file : {"tokenizer.json", "vocab.json", "merges.txt"}) folder.remove(file);
  folder.write(whole ? "tokenizer.json" : "vocab.json", sections[2]);
  if (!whole) folder.write("merges.txt", sections[3]);
  try {
    const auto tokenizer = glyphward::model::ClipTokenizer::load(folder.path());
    const auto window = static_cast<std::size_t>(tokenizer->model_max_length());
    if (tokenizer->encode(sections[0]).size() != window) std::abort();
    if (tokenizer->fit(sections[0]).bytes_kept > sections[0].size()) std::abort();
  } catch (const glyphward::ConfigError&) {
    // The only way to say no.
  }
  return 0;
}
