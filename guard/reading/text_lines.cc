#include "guard/reading/text_lines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>

// From a picture to its lines of text:
//
//   picture -> gray_pictures: luminance, and a colour channel where hue alone makes the letters
//           -> binarized: ink and ground, by one threshold for the whole picture. find_lines() is
//              asked of this and of its inverse, since either may be the ink
//           -> components: the connected black shapes
//           -> letter_boxes: those that are shaped like letters
//           -> lines_of: those beside each other
//           -> cropped: each line by itself, at the height that Tesseract reads best
//
// It finds letters on a ground of about one tone, which is what signs have. It misses letters that
// touch the picture's edge or are on a busy ground: the passes over the whole picture (ocr.cc) are
// for them.

namespace glyphward::guard {
namespace {

constexpr int kVisible = 8;           // of 255: a difference that one can see
constexpr int kComponentsMax = 4000;  // beyond: texture, not text
constexpr int kLettersHeightMin = 5;  // pixels of the picture
constexpr int kBorder = 20;           // pixels around a crop: Tesseract wants air around letters

std::vector<Box> components(PIX* binary) {
  const Leptonica<BOXA> found(::pixConnCompBB(binary, 8));
  if (!found) throw std::runtime_error("ocr: Leptonica cannot find components");
  std::vector<Box> boxes;
  const int count = ::boxaGetCount(found.get());
  for (int i = 0; i < count; ++i) {
    l_int32 x, y, w, h;
    if (::boxaGetBoxGeometry(found.get(), i, &x, &y, &w, &h) == 0)
      boxes.push_back({x, y, x + w, y + h});
  }
  return boxes;
}

// Components of one polarity that may be letters: not joined to the picture's edge, which ground
// and frame are, not enclosing others, which a plate's outline does, and neither specks nor bars.
std::vector<Box> letter_boxes(PIX* binary) {
  const Pixels inner = checked(::pixRemoveBorderConnComps(binary, 8));
  std::vector<Box> boxes = components(inner.get());
  if (boxes.size() > kComponentsMax) return {};
  const int picture_height = ::pixGetHeight(binary);
  std::erase_if(boxes, [&](const Box& box) {
    return height(box) < kLettersHeightMin || height(box) > 9 * picture_height / 10 ||
           width(box) > 6 * height(box) || height(box) > 14 * width(box);
  });
  std::vector<Box> letters;
  for (const Box& box : boxes) {
    const auto enclosed = std::count_if(boxes.begin(), boxes.end(), [&](const Box& other) {
      return contains(box, other) && (width(other) < width(box) || height(other) < height(box));
    });
    if (enclosed < 2) letters.push_back(box);
  }
  return letters;
}

// Letters join into lines greedily, from left to right: a letter belongs to the first line whose
// last letter is beside it (they share half of the smaller one's height) and of like size (at most
// three times as tall or as small), and whose end is at most two heights away. Only the last letter
// is compared, so that a line may slope or curve. A line of one letter counts if it is as wide as
// it is tall: a word whose letters touch is one component.
std::vector<Box> lines_of(std::vector<Box> letters) {
  std::sort(letters.begin(), letters.end(), [](const Box& a, const Box& b) { return a.x0 < b.x0; });
  struct Line {
    Box box;
    Box last;
    int letters = 0;
  };
  std::vector<Line> lines;
  for (const Box& letter : letters) {
    Line* home = nullptr;
    for (Line& line : lines) {
      const int shared = std::min(letter.y1, line.last.y1) - std::max(letter.y0, line.last.y0);
      const int taller = std::max(height(letter), height(line.last));
      const int shorter = std::min(height(letter), height(line.last));
      if (2 * shared >= shorter && 3 * shorter >= taller && letter.x0 - line.box.x1 <= 2 * taller) {
        home = &line;
        break;
      }
    }
    if (home == nullptr) {
      lines.push_back({letter, letter, 1});
    } else {
      home->box = united(home->box, letter);
      home->last = letter;
      ++home->letters;
    }
  }
  std::vector<Box> boxes;
  for (const Line& line : lines)
    if (line.letters >= 2 || width(line.box) >= height(line.box)) boxes.push_back(line.box);
  return boxes;
}

}  // namespace

Pixels checked(PIX* pix) {
  if (pix == nullptr) throw std::runtime_error("ocr: Leptonica cannot process the picture");
  return Pixels(pix);
}

GrayPictures gray_pictures(const model::Image& image) {
  const std::size_t pixels =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.width <= 0 || image.height <= 0 || image.rgb.size() != 3 * pixels)
    throw std::runtime_error("ocr: the picture's size and its bytes do not agree");
  // Channels 0 to 2 are red, green and blue, 3 is luminance (BT.601).
  double sum[4] = {}, squares[4] = {};
  const auto value = [&](std::size_t pixel, int channel) -> double {
    const std::uint8_t* rgb = image.rgb.data() + 3 * pixel;
    return channel < 3 ? rgb[channel] : 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  };
  for (std::size_t pixel = 0; pixel < pixels; ++pixel)
    for (int channel = 0; channel < 4; ++channel) {
      const double v = value(pixel, channel);
      sum[channel] += v;
      squares[channel] += v * v;
    }
  double deviation[4];
  for (int channel = 0; channel < 4; ++channel) {
    const double mean = sum[channel] / static_cast<double>(pixels);
    deviation[channel] =
        std::sqrt(std::max(0.0, squares[channel] / static_cast<double>(pixels) - mean * mean));
  }
  const auto plane = [&](int channel) {
    Pixels pix = checked(::pixCreate(image.width, image.height, 8));
    l_uint32* data = ::pixGetData(pix.get());
    const int words_per_line = ::pixGetWpl(pix.get());
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) {
        const auto pixel = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                           static_cast<std::size_t>(x);
        SET_DATA_BYTE(data + static_cast<std::ptrdiff_t>(y) * words_per_line, x,
                      static_cast<int>(std::lround(value(pixel, channel))));
      }
    return pix;
  };
  // A channel earns its own passes only where it shows clearly more than luminance does.
  const int strongest = static_cast<int>(std::max_element(deviation, deviation + 3) - deviation);
  GrayPictures pictures;
  pictures.luminance = plane(3);
  if (deviation[strongest] > 1.5 * deviation[3] + 4) pictures.channel = plane(strongest);
  return pictures;
}

bool is_plain(const model::Image& image) {
  std::array<std::uint8_t, 3> least{255, 255, 255}, most{0, 0, 0};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    least[i % 3] = std::min(least[i % 3], image.rgb[i]);
    most[i % 3] = std::max(most[i % 3], image.rgb[i]);
  }
  for (std::size_t channel = 0; channel < 3; ++channel)
    if (most[channel] - least[channel] > kVisible) return false;
  return true;
}

Pixels binarized(PIX* gray) {
  const Leptonica<NUMA> histogram(::pixGetGrayHistogram(gray, 1));
  l_int32 threshold = 128;
  if (!histogram || ::numaSplitDistribution(histogram.get(), 0.1F, &threshold, nullptr, nullptr,
                                            nullptr, nullptr, nullptr) != 0)
    throw std::runtime_error("ocr: Leptonica cannot binarize the picture");
  return checked(::pixThresholdToBinary(gray, threshold));
}

std::vector<Box> find_lines(PIX* binary) { return lines_of(letter_boxes(binary)); }

Crop cropped(PIX* gray, const Box& line, double scale) {
  const int margin = std::max(2, height(line) / 6);
  const Box part = clipped({line.x0 - margin, line.y0 - margin, line.x1 + margin, line.y1 + margin},
                           ::pixGetWidth(gray), ::pixGetHeight(gray));
  const Leptonica<BOX> box(::boxCreate(part.x0, part.y0, width(part), height(part)));
  const Pixels clip = checked(::pixClipRectangle(gray, box.get(), nullptr));
  const Pixels scaled =
      checked(::pixScale(clip.get(), static_cast<float>(scale), static_cast<float>(scale)));
  // The ground is what most pixels are: their median.
  l_float32 ground = 255;
  ::pixGetRankValueMasked(scaled.get(), nullptr, 0, 0, 2, 0.5F, &ground, nullptr);
  Crop crop;
  crop.pix = checked(::pixAddBorderGeneral(scaled.get(), kBorder, kBorder, kBorder, kBorder,
                                           static_cast<l_uint32>(std::lround(ground))));
  crop.scale = scale;
  crop.x0 = part.x0;
  crop.y0 = part.y0;
  crop.border = kBorder;
  return crop;
}

}  // namespace glyphward::guard
