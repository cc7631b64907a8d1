// Fuzz target: a BERT tokenizer's files and a prompt. The input's sections are the prompt,
// tokenizer_config.json, and tokenizer.json if it begins like one, else vocab.txt.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/config_error.h"
#include "model/tokenizers/bert_tokenizer.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kWindow = 77;
  static const glyphward::fuzz::Folder folder("bert-tokenizer");
  const std::vector<std::string_view> sections = glyphward::fuzz::sections(data, size);
  if (sections.size() < 3) return 0;
  folder.write("tokenizer_config.json", sections[1]);
  for (const char* file : {"tokenizer.json", "vocab.txt"}) folder.remove(file);
  folder.write(sections[2].starts_with('{') ? "tokenizer.json" : "vocab.txt", sections[2]);
  try {
    const auto tokenizer = glyphward::model::BertTokenizer::load(folder.path(), kWindow);
    if (tokenizer->encode(sections[0]).size() != kWindow) std::abort();
    if (tokenizer->fit(sections[0]).bytes_kept > sections[0].size()) std::abort();
  } catch (const glyphward::ConfigError&) {
    // The only way to say no.
  }
  return 0;
}
