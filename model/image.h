// Pictures as bytes, and their files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::model {

// 8-bit RGB, row by row from the top left: rgb[(y * width + x) * 3 + channel].
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
  bool operator==(const Image&) const = default;
};

// A float tensor in row-major order, for files and comparisons.
struct FloatTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> data;
};

// PNG, 8-bit RGB. Throws std::runtime_error if libpng fails or the image's sizes do not agree.
std::string encode_png(const Image& image);
// Throws std::runtime_error on a file that is not such a PNG, and on one over 64 million pixels.
Image decode_png(std::string_view bytes);

}  // namespace glyphward::model
