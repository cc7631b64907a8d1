// Covers text in a picture.
#pragma once

#include <vector>

#include "guard/reading/box.h"
#include "model/image.h"

namespace glyphward::guard {

// The picture with each box, and a margin around it for what OCR cut off, filled with the colour
// that surrounds it.
model::Image redacted(const model::Image& image, const std::vector<Box>& boxes);

}  // namespace glyphward::guard
