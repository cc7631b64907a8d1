#include "model/image.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace glyphward::model {
namespace {

Image noise(int width, int height) {
  Image image{.width = width, .height = height, .rgb = {}};
  std::uint32_t state = 12345;
  for (int i = 0; i < width * height * 3; ++i) {
    state = state * 1664525 + 1013904223;
    image.rgb.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return image;
}

// A chunk's checksum, as PNG has it, to spoil headers that stay well formed.
std::uint32_t crc(std::string_view bytes) {
  std::uint32_t value = 0xFFFFFFFFu;
  for (char byte : bytes) {
    value ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~value;
}

void put_big_endian(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

TEST(Png, ReturnsEveryPixel) {
  for (const auto& [width, height] : {std::pair{1, 1}, {192, 64}, {7, 300}, {512, 512}}) {
    const Image image = noise(width, height);
    EXPECT_EQ(decode_png(encode_png(image)), image);
  }
}

TEST(Png, IsTheSameBytesEachTime) {
  EXPECT_EQ(encode_png(noise(64, 64)), encode_png(noise(64, 64)));
}

TEST(Png, RefusesAnImageWhoseSizesDisagree) {
  EXPECT_THROW(encode_png({}), std::runtime_error);
  EXPECT_THROW(encode_png({.width = 2, .height = 2, .rgb = std::vector<std::uint8_t>(11)}),
               std::runtime_error);
  EXPECT_THROW(encode_png({.width = -1, .height = -1, .rgb = {1, 2, 3}}), std::runtime_error);
  EXPECT_THROW(encode_png({.width = 100000, .height = 100000, .rgb = {}}), std::runtime_error);
}

TEST(Png, RefusesWhatIsNotAPng) {
  EXPECT_THROW(decode_png(""), std::runtime_error);
  EXPECT_THROW(decode_png("not a picture"), std::runtime_error);
  EXPECT_THROW(decode_png(std::string("\xFF\xD8\xFF\xE0", 4)), std::runtime_error);
}

TEST(Png, RefusesATruncatedFileAtEveryByte) {
  const std::string png = encode_png(noise(8, 8));
  // The last 12 bytes are the end marker, which libpng does without.
  for (std::size_t length = 0; length + 12 < png.size(); ++length) {
    EXPECT_THROW(decode_png(std::string_view(png).substr(0, length)), std::runtime_error) << length;
  }
}

TEST(Png, RefusesAHugeHeaderBeforeAllocating) {
  std::string png = encode_png(noise(8, 8));
  put_big_endian(png, 16, 900000);  // IHDR: length and name at 8, width at 16, height at 20
  put_big_endian(png, 20, 900000);
  put_big_endian(png, 29, crc(std::string_view(png).substr(12, 17)));
  try {
    decode_png(png);
    FAIL() << "was read";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("900000"), std::string::npos) << error.what();
  }
}

TEST(Png, RefusesAnotherColourType) {
  std::string png = encode_png(noise(8, 8));
  png[25] = 6;  // RGBA
  put_big_endian(png, 29, crc(std::string_view(png).substr(12, 17)));
  EXPECT_THROW(decode_png(png), std::runtime_error);
}

TEST(Png, SurvivesSpoiltBytes) {
  const std::string png = encode_png(noise(16, 16));
  for (std::size_t i = 0; i < png.size(); ++i) {
    std::string spoilt = png;
    spoilt[i] = static_cast<char>(spoilt[i] ^ 0x55);
    try {
      const Image image = decode_png(spoilt);
      EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(image.width) * image.height * 3);
    } catch (const std::runtime_error&) {
    }
  }
}

}  // namespace
}  // namespace glyphward::model
