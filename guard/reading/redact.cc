#include "guard/reading/redact.h"

#include <algorithm>
#include <array>

namespace glyphward::guard {
namespace {

constexpr int kMarginMin = 4;  // pixels
constexpr int kRing = 3;       // pixels around the box that give the colour

using Colour = std::array<std::uint8_t, 3>;

Box grown(const Box& box, int by, const model::Image& image) {
  return {std::clamp(box.x0 - by, 0, image.width), std::clamp(box.y0 - by, 0, image.height),
          std::clamp(box.x1 + by, 0, image.width), std::clamp(box.y1 + by, 0, image.height)};
}

std::size_t offset(const model::Image& image, int x, int y) {
  return 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
              static_cast<std::size_t>(x));
}

// The median, channel by channel, of the ring outside `inner`; of the whole picture if the box
// fills it.
Colour surrounding_colour(const model::Image& image, const Box& inner) {
  const Box outer = grown(inner, kRing, image);
  std::array<std::vector<std::uint8_t>, 3> values;
  const auto collect = [&](const Box& area, bool ring) {
    for (int y = area.y0; y < area.y1; ++y)
      for (int x = area.x0; x < area.x1; ++x) {
        if (ring && x >= inner.x0 && x < inner.x1 && y >= inner.y0 && y < inner.y1) continue;
        for (std::size_t channel = 0; channel < 3; ++channel)
          values[channel].push_back(image.rgb[offset(image, x, y) + channel]);
      }
  };
  collect(outer, true);
  if (values[0].empty()) collect({0, 0, image.width, image.height}, false);
  Colour colour{};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const auto middle =
        values[channel].begin() + static_cast<std::ptrdiff_t>(values[channel].size() / 2);
    std::nth_element(values[channel].begin(), middle, values[channel].end());
    colour[channel] = *middle;
  }
  return colour;
}

}  // namespace

model::Image redacted(const model::Image& image, const std::vector<Box>& boxes) {
  model::Image result = image;
  for (const Box& box : boxes) {
    const Box area = grown(box, std::max(kMarginMin, (box.y1 - box.y0) / 4), image);
    if (area.x0 >= area.x1 || area.y0 >= area.y1) continue;
    const Colour colour = surrounding_colour(result, area);
    for (int y = area.y0; y < area.y1; ++y)
      for (int x = area.x0; x < area.x1; ++x)
        std::copy(colour.begin(), colour.end(),
                  result.rgb.begin() + static_cast<std::ptrdiff_t>(offset(result, x, y)));
  }
  return result;
}

}  // namespace glyphward::guard
