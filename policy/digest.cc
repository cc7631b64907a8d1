#include "policy/digest.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace glyphward::policy {
namespace {

std::array<unsigned char, 32> digest(const std::vector<std::string_view>& chunks) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free);
  std::array<unsigned char, 32> result{};
  unsigned size = 0;
  bool ok = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const std::string_view chunk : chunks) {
    const std::string length = std::to_string(chunk.size()) + ":";
    ok = ok && EVP_DigestUpdate(context.get(), length.data(), length.size()) == 1 &&
         EVP_DigestUpdate(context.get(), chunk.data(), chunk.size()) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(context.get(), result.data(), &size) == 1 && size == result.size();
  if (!ok) throw std::runtime_error("SHA-256 failed");
  return result;
}

}  // namespace

std::string digest_hex(const std::vector<std::string_view>& chunks) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest(chunks)) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

std::uint64_t digest_number(const std::vector<std::string_view>& chunks) {
  const std::array<unsigned char, 32> bytes = digest(chunks);
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | bytes[static_cast<std::size_t>(i)];
  return number;
}

}  // namespace glyphward::policy
