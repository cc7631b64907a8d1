// Fuzz target: T5's spiece.model, from any bytes, and a text through what it makes of them.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "base/config_error.h"
#include "model/tokenizers/t5_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("glyphward-fuzz-t5." + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "spiece.model", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    const auto tokenizer = glyphward::model::T5Tokenizer::load(folder);
    for (const char* text : {"", "a Sign says \"hello\" </s> <extra_id_0>",
                             "cafe\xCC\x81 \xEF\xAC\x81re\xE2\x80\x83\xFF"}) {
      const auto tokens = tokenizer->encode(text, 16);
      if (tokens.ids.size() != 16 || tokens.count == 0 || tokens.count > 16) std::abort();
      for (const std::int64_t id : tokens.ids) {
        if (id < 0 || id >= tokenizer->vocab_size()) std::abort();  // the embedding's rows
      }
      if (tokenizer->fit(text, 16).bytes_kept > std::string(text).size()) std::abort();
    }
  } catch (const glyphward::ConfigError&) {
  } catch (const std::runtime_error&) {  // a text that the model cannot encode
  }
  return 0;
}
