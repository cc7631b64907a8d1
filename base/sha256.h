// SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104), by libcrypto, and their hexadecimal form. All
// throw std::runtime_error where libcrypto cannot compute. Any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward {

inline constexpr std::size_t kHashBytes = 32;
using Hash = std::array<unsigned char, kHashBytes>;

// A hash that is fed piece by piece. For one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  Hash finish();  // once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Hash sha256(std::string_view bytes);
// Each chunk's length goes in before it, so that no two sequences of chunks look the same.
Hash sha256_of_chunks(const std::vector<std::string_view>& chunks);
Hash hmac_sha256(const Hash& key, std::string_view bytes);

// 64 lower-case hexadecimal digits.
std::string to_hex(const Hash& hash);
// Only what to_hex() writes.
std::optional<Hash> from_hex(std::string_view hex);

// The first eight bytes as a number, big-endian.
std::uint64_t leading_number(const Hash& hash);

}  // namespace glyphward
