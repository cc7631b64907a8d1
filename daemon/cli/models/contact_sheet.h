// Contact sheets: many pictures in one, since what is measured is looked at too.
#pragma once

#include <filesystem>
#include <vector>

#include "model/image.h"

namespace glyphward::daemon {

// The pictures from left to right and from the top down, `columns` (1 or more) per row, on white
// with gaps of 4 pixels. They are of one size; an empty one leaves its place white. At least one is
// not empty.
model::Image contact_sheet(const std::vector<model::Image>& pictures, int columns);

// Throws CommandError naming the file if it cannot be written.
void write_png(const model::Image& image, const std::filesystem::path& file);

}  // namespace glyphward::daemon
