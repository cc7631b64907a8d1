// The number formats that a model is computed in, by their names in PyTorch.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace glyphward::model {

inline constexpr std::array kDtypes = {"float32", "float16", "bfloat16"};

// The same, for what takes a list of strings.
inline std::vector<std::string> dtype_names() { return {kDtypes.begin(), kDtypes.end()}; }

}  // namespace glyphward::model
