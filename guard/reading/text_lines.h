// Finds the lines of text in a picture, and cuts them out as Tesseract reads them best. Leptonica's
// work; pure functions that throw std::runtime_error where it fails. Any number of threads.
#pragma once

#include <leptonica/allheaders.h>

#include <memory>
#include <vector>

#include "guard/reading/box.h"
#include "model/image.h"

namespace glyphward::guard {

struct LeptonicaDeleter {
  void operator()(PIX* pix) const { ::pixDestroy(&pix); }
  void operator()(BOX* box) const { ::boxDestroy(&box); }
  void operator()(BOXA* boxes) const { ::boxaDestroy(&boxes); }
  void operator()(NUMA* numbers) const { ::numaDestroy(&numbers); }
};
template <typename Handle>
using Leptonica = std::unique_ptr<Handle, LeptonicaDeleter>;
using Pixels = Leptonica<PIX>;

// Takes over what Leptonica made; null means that it failed.
Pixels checked(PIX* pix);

// One value per pixel.
struct GrayPictures {
  Pixels luminance;
  // The colour channel with the greatest contrast, which shows letters that differ from their
  // ground in hue alone. Empty if luminance has nearly its contrast.
  Pixels channel;
};
GrayPictures gray_pictures(const model::Image& image);

// Do no two pixels differ by what anybody could see? Tesseract would read its own noise.
bool is_plain(const model::Image& image);

// Black (1) is the darker side of Otsu's threshold over the whole picture, whatever its size.
Pixels binarized(PIX* gray);

// Where lines of black letters seem to be, in no order.
std::vector<Box> find_lines(PIX* binary);

// A part of a picture as Tesseract gets it.
struct Crop {
  Pixels pix;
  double scale = 1;
  int x0 = 0, y0 = 0;  // of the part, in the picture
  int border = 0;      // pixels of pix
};

// The line with a margin, scaled, within a border of its own ground.
Crop cropped(PIX* gray, const Box& line, double scale);

}  // namespace glyphward::guard
