// Where tensors live: "cpu", "cuda", "cuda:1".
#pragma once

#include <torch/types.h>

#include <string>

namespace glyphward::model {

// The program links LibTorch's CPU libraries alone. The first CUDA device that is asked for opens
// libtorch_cuda.so beside libtorch_cpu.so, which registers its kernels. Throws std::runtime_error
// that says what is missing: the library, the driver, or the device; std::invalid_argument on
// another name.
torch::Device open_device(const std::string& name);

// One of kDtypes (model/dtypes.h). Throws std::invalid_argument.
torch::Dtype parse_dtype(const std::string& name);

// Where a model's tensors go, and in what type.
struct Target {
  torch::Device device = torch::kCPU;
  torch::Dtype dtype = torch::kFloat32;
};

}  // namespace glyphward::model
