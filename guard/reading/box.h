// Where something lies in a picture.
#pragma once

#include <vector>

namespace glyphward::guard {

struct Box {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;  // pixels of the image given: [x0, x1) x [y0, y1)
};

inline int width(const Box& box) { return box.x1 - box.x0; }
inline int height(const Box& box) { return box.y1 - box.y0; }

bool overlap(const Box& a, const Box& b);
// Is `inner` within `outer`? A box is within itself.
bool contains(const Box& outer, const Box& inner);
// The smallest box that holds both.
Box united(const Box& a, const Box& b);
// The part of it that lies in a picture of this size.
Box clipped(const Box& box, int picture_width, int picture_height);
// Overlapping boxes become one, until none overlap.
std::vector<Box> merged(std::vector<Box> boxes);

}  // namespace glyphward::guard
