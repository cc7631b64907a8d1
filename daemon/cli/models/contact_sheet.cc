#include "daemon/cli/models/contact_sheet.h"

#include <algorithm>
#include <cstddef>

#include "daemon/cli/output.h"

namespace glyphward::daemon {
namespace {

constexpr int kGap = 4;

void paste(const model::Image& image, int left, int top, model::Image& sheet) {
  for (int y = 0; y < image.height; ++y) {
    const auto* from = image.rgb.data() + static_cast<std::ptrdiff_t>(y) * image.width * 3;
    std::copy(from, from + std::ptrdiff_t{image.width} * 3,
              sheet.rgb.begin() + (static_cast<std::ptrdiff_t>(top + y) * sheet.width + left) * 3);
  }
}

}  // namespace

model::Image contact_sheet(const std::vector<model::Image>& pictures, int columns) {
  int width = 0;
  int height = 0;
  for (const model::Image& picture : pictures) {
    width = std::max(width, picture.width);
    height = std::max(height, picture.height);
  }
  const int count = static_cast<int>(pictures.size());
  const int rows = (count + columns - 1) / columns;
  model::Image sheet;
  sheet.width = columns * (width + kGap) - kGap;
  sheet.height = rows * (height + kGap) - kGap;
  sheet.rgb.assign(
      static_cast<std::size_t>(sheet.width) * static_cast<std::size_t>(sheet.height) * 3, 255);
  for (int i = 0; i < count; ++i) {
    paste(pictures[static_cast<std::size_t>(i)], i % columns * (width + kGap),
          i / columns * (height + kGap), sheet);
  }
  return sheet;
}

void write_png(const model::Image& image, const std::filesystem::path& file) {
  write_file(file, model::encode_png(image));
}

}  // namespace glyphward::daemon
