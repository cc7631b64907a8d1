#include "model/proposals.h"

#include <algorithm>
#include <cstddef>

namespace glyphward::model {
namespace {

struct Published {
  std::string_view family;
  std::size_t attention_layers = 0;  // how many the model has
  std::size_t first = 0;             // of the paper's, counted in forward order
  std::size_t count = 0;
  std::string_view tensor = {};  // under each of them, of this shape
  std::vector<std::int64_t> shape = {};
  std::string_view absent = {};  // under none of them: a later model of the same shape has it
};

const std::vector<Published>& published() {
  static const std::vector<Published> table = {
      {"latent-diffusion"},  // the paper names no layer of these two
      {"stable-diffusion"},
      {"deepfloyd-if", 22, 17, 1, "add_k_proj.weight", {2112, 2816}},
      {"stable-diffusion-3", 24, 10, 1, "add_k_proj.weight", {1536, 1536}, "norm_added_k.weight"},
      {"stable-diffusion-xl", 70, 55, 3, "to_k.weight", {1280, 2048}},
  };
  return table;
}

}  // namespace

std::vector<std::string> propose_layers(std::string_view family,
                                        const std::vector<std::string>& attention_layers,
                                        const TensorShape& shape) {
  for (const Published& model : published()) {
    if (model.count == 0 || model.family != family) continue;
    if (model.attention_layers != attention_layers.size()) continue;
    const auto begin = attention_layers.begin() + static_cast<std::ptrdiff_t>(model.first);
    std::vector<std::string> layers(begin, begin + static_cast<std::ptrdiff_t>(model.count));
    bool fits = true;
    for (const std::string& layer : layers) {
      fits = fits && shape(layer + "." + std::string(model.tensor)) == model.shape;
      if (!model.absent.empty()) {
        fits = fits && shape(layer + "." + std::string(model.absent)).empty();
      }
    }
    if (fits) return layers;
  }
  return {};
}

bool is_listed(std::string_view family) {
  return std::ranges::find(published(), family, &Published::family) != published().end();
}

}  // namespace glyphward::model
