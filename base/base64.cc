#include "base/base64.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace glyphward {
namespace {

constexpr std::size_t kBytesMax = std::size_t{1} << 30;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  if (bytes.size() > kBytesMax) throw std::length_error("too long for base64");
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // a NUL is written, too
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() / 4 * 3 > kBytesMax) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text),
                                     static_cast<int>(text.size()));
  // libcrypto reads padding as zeros, wherever it is, and passes over spaces at both ends.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (length < 0 || static_cast<std::size_t>(length) != bytes.size()) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  if (base64_encode(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace glyphward
