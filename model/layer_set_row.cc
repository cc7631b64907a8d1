#include "model/layer_set_row.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

namespace glyphward::model {
namespace {

constexpr int kMargin = 4;  // pixels around a box: letters bleed past what OCR boxes

// Which pixels belong to the text of either picture. Both count: where the plain picture has the
// old word and the new one another, a difference is what was asked for.
std::vector<bool> text_mask(const Image& image, const PairScore& a, const PairScore& b) {
  std::vector<bool> mask(static_cast<std::size_t>(image.width) *
                         static_cast<std::size_t>(image.height));
  for (const PairScore* score : {&a, &b}) {
    for (const auto& [x0, y0, x1, y1] : score->boxes) {
      for (int y = std::max(0, y0 - kMargin); y < std::min(image.height, y1 + kMargin); ++y) {
        for (int x = std::max(0, x0 - kMargin); x < std::min(image.width, x1 + kMargin); ++x) {
          mask[static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
               static_cast<std::size_t>(x)] = true;
        }
      }
    }
  }
  return mask;
}

struct Difference {
  std::optional<double> outside_mse;  // 0..1 units; none if the boxes cover the picture
  double psnr = 0;
};

// PSNR as docs/METHOD.md, section 4: 10 log10(255^2 / (MSE + 1e-10)), 148.13 dB for equal pictures.
Difference compare(const Image& plain, const Image& image, const std::vector<bool>& mask) {
  if (plain.width != image.width || plain.height != image.height) {
    throw std::logic_error("two pictures of one pair differ in size");
  }
  double outside = 0;
  double whole = 0;
  std::size_t outside_values = 0;
  for (std::size_t pixel = 0; pixel < mask.size(); ++pixel) {
    double squares = 0;
    for (std::size_t i = 3 * pixel; i < 3 * pixel + 3; ++i) {
      const double difference = double(plain.rgb[i]) - double(image.rgb[i]);
      squares += difference * difference;
    }
    whole += squares;
    if (mask[pixel]) continue;
    outside += squares;
    outside_values += 3;
  }
  Difference difference;
  const auto values = static_cast<double>(std::max<std::size_t>(1, 3 * mask.size()));
  difference.psnr = 10 * std::log10(255.0 * 255.0 / (whole / values + 1e-10));
  if (outside_values > 0) {
    difference.outside_mse = outside / static_cast<double>(outside_values) / (255.0 * 255.0);
  }
  return difference;
}

}  // namespace

void LayerSetRow::Mean::add(double value) {
  sum_ += value;
  ++count_;
}

LayerSetRow::LayerSetRow(std::vector<std::string> layers, int from_step) {
  row_.layers = std::move(layers);
  row_.from_step = from_step;
}

void LayerSetRow::add(const Image& plain, const PairScore& plain_score, const Image& image,
                      const PairScore& score, const std::string& form) {
  const Difference difference = compare(plain, image, text_mask(image, plain_score, score));
  target_letters_.add(score.target_letters);
  source_exact_.add(score.source_exact ? 1 : 0);
  source_letters_.add(score.source_letters);
  psnr_.add(difference.psnr);
  row_.pairs_without_box += score.boxes.empty() || plain_score.boxes.empty() ? 1 : 0;
  const auto add_to = [&](Form& to) {
    to.target_exact.add(score.target_exact ? 1 : 0);
    if (difference.outside_mse) to.outside_mse.add(*difference.outside_mse);
  };
  add_to(all_);
  if (!form.empty()) add_to(forms_[form]);
}

LayerSetResult LayerSetRow::mean() const {
  LayerSetResult row = row_;
  row.target_exact = all_.target_exact.value();
  row.target_letters = target_letters_.value();
  row.source_exact = source_exact_.value();
  row.source_letters = source_letters_.value();
  row.outside_mse = all_.outside_mse.value();
  row.psnr = psnr_.value();
  for (const auto& [name, form] : forms_) {
    row.forms[name] = {form.target_exact.count(), form.target_exact.value(),
                       form.outside_mse.value()};
  }
  return row;
}

}  // namespace glyphward::model
