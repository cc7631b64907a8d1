// Fuzz target: the safetensors header, from any bytes.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/config_error.h"
#include "model/checkpoint/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  try {
    std::uint8_t sum = 0;
    for (const auto& [name, entry] :
         glyphward::model::parse_safetensors(std::as_bytes(bytes), "fuzz.safetensors")) {
      if (!entry.bytes.empty()) {  // the range must be readable from end to end
        sum ^= std::to_integer<std::uint8_t>(entry.bytes.front()) ^
               std::to_integer<std::uint8_t>(entry.bytes.back());
      }
    }
    volatile std::uint8_t keep = sum;
    (void)keep;
  } catch (const glyphward::ConfigError&) {
    // The only way to say no.
  }
  return 0;
}
