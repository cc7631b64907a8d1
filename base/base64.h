// Base64 (RFC 4648, with padding), by libcrypto. Any number of threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace glyphward {

// Throws std::length_error above a gigabyte, which libcrypto's int cannot count.
std::string base64_encode(std::string_view bytes);
// Only what base64_encode() writes: no line breaks, no missing padding.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace glyphward
