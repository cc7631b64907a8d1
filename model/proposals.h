// The layers that the paper localized in published models (docs/METHOD.md, section 2), as
// proposals: they belong to those models' weights, and another model of the same shape may write
// elsewhere. `glyphward localize --check` confirms one on the weights at hand.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::model {

// A denoiser's tensors by name; empty for one that it has not.
using TensorShape = std::function<std::vector<std::int64_t>(const std::string& name)>;

// Those of the published model whose family, number of attention layers and shape these are, in
// forward order; empty if the paper has none. `family` is ModelInfo's.
std::vector<std::string> propose_layers(std::string_view family,
                                        const std::vector<std::string>& attention_layers,
                                        const TensorShape& shape);

// Whether it is known what the paper localized in a family, be it nothing: a new family must say.
bool is_listed(std::string_view family);

}  // namespace glyphward::model
