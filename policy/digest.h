// SHA-256 over a sequence of chunks. Each chunk's length goes in before it, so that no two
// sequences look the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::policy {

std::string digest_hex(const std::vector<std::string_view>& chunks);
// The first eight bytes as a number, big-endian.
std::uint64_t digest_number(const std::vector<std::string_view>& chunks);

}  // namespace glyphward::policy
