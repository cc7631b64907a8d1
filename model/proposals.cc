#include "model/proposals.h"

#include <cstddef>

namespace glyphward::model {
namespace {

struct Published {
  std::string_view family;
  std::size_t attention_layers;  // how many the model has
  std::size_t first;             // of the paper's, counted in forward order
  std::size_t count;
  std::string_view tensor;  // under each of them, of this shape
  std::vector<std::int64_t> shape;
};

const std::vector<Published>& published() {
  static const std::vector<Published> table = {
      {"stable-diffusion-xl", 70, 55, 3, "to_k.weight", {1280, 2048}},
  };
  return table;
}

}  // namespace

std::vector<std::string> propose_layers(std::string_view family,
                                        const std::vector<std::string>& attention_layers,
                                        const TensorShape& shape) {
  for (const Published& model : published()) {
    if (model.family != family || model.attention_layers != attention_layers.size()) continue;
    const auto begin = attention_layers.begin() + static_cast<std::ptrdiff_t>(model.first);
    const std::vector<std::string> layers(begin, begin + static_cast<std::ptrdiff_t>(model.count));
    bool fits = true;
    for (const std::string& layer : layers) {
      fits = fits && shape(layer + "." + std::string(model.tensor)) == model.shape;
    }
    if (fits) return layers;
  }
  return {};
}

}  // namespace glyphward::model
