#include "guard/reading/box.h"

#include <algorithm>
#include <cstddef>

namespace glyphward::guard {

bool overlap(const Box& a, const Box& b) {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

bool contains(const Box& outer, const Box& inner) {
  return outer.x0 <= inner.x0 && outer.y0 <= inner.y0 && outer.x1 >= inner.x1 &&
         outer.y1 >= inner.y1;
}

Box united(const Box& a, const Box& b) {
  return {std::min(a.x0, b.x0), std::min(a.y0, b.y0), std::max(a.x1, b.x1), std::max(a.y1, b.y1)};
}

Box clipped(const Box& box, int picture_width, int picture_height) {
  return {std::clamp(box.x0, 0, picture_width), std::clamp(box.y0, 0, picture_height),
          std::clamp(box.x1, 0, picture_width), std::clamp(box.y1, 0, picture_height)};
}

std::vector<Box> merged(std::vector<Box> boxes) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < boxes.size() && !changed; ++i)
      for (std::size_t j = i + 1; j < boxes.size() && !changed; ++j) {
        if (!overlap(boxes[i], boxes[j])) continue;
        boxes[i] = united(boxes[i], boxes[j]);
        boxes.erase(boxes.begin() + static_cast<std::ptrdiff_t>(j));
        changed = true;
      }
  }
  return boxes;
}

}  // namespace glyphward::guard
