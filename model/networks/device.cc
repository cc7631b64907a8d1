#include "model/networks/device.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <link.h>

#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "model/dtypes.h"

namespace glyphward::model {
namespace {

std::filesystem::path torch_folder() {
  std::filesystem::path folder;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        const std::filesystem::path path = info->dlpi_name;
        if (path.filename() != "libtorch_cpu.so") return 0;
        *static_cast<std::filesystem::path*>(result) = path.parent_path();
        return 1;
      },
      &folder);
  return folder;
}

// LibTorch asks once what its CUDA is, and keeps the answer: its CUDA library is opened before
// anything here asks.
void open_cuda() {
  const std::filesystem::path library = torch_folder() / "libtorch_cuda.so";
  // It stays open: its kernels are registered for good.
  if (!dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
    const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps it by thread
    throw std::runtime_error(
        "device cuda: LibTorch's CUDA library cannot be opened (./dev installs it where an "
        "NVIDIA driver is): " +
        std::string(reason ? reason : library.string()));
  }
}

}  // namespace

torch::Device open_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (name != "cuda" && !name.starts_with("cuda:")) {
    throw std::invalid_argument("device: expected cpu, cuda or cuda:N, found " + name);
  }
  int index = 0;
  if (name.size() > 4) {
    const std::string digits = name.substr(5);
    if (digits.empty() || digits.size() > 2 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      throw std::invalid_argument("device: expected cpu, cuda or cuda:N, found " + name);
    }
    index = std::stoi(digits);
  }
  open_cuda();
  const at::CUDAHooksInterface& cuda = at::detail::getCUDAHooks();
  if (!cuda.hasCUDART()) {
    throw std::runtime_error("device " + name +
                             ": LibTorch was asked for CUDA before its CUDA library was opened");
  }
  const int count = static_cast<unsigned char>(cuda.deviceCount());
  if (index >= count) {
    throw std::runtime_error("device " + name + ": found " + std::to_string(count) +
                             " CUDA devices: is the NVIDIA driver loaded?");
  }
  return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(index));
}

torch::Dtype parse_dtype(const std::string& name) {
  // In the order of kDtypes.
  constexpr torch::Dtype kValues[] = {torch::kFloat32, torch::kFloat16, torch::kBFloat16};
  static_assert(std::size(kValues) == kDtypes.size());
  std::string known;
  for (std::size_t i = 0; i < kDtypes.size(); ++i) {
    if (name == kDtypes[i]) return kValues[i];
    known += (i == 0 ? "" : ", ") + std::string(kDtypes[i]);
  }
  throw std::invalid_argument("dtype: expected one of " + known + ", found " + name);
}

}  // namespace glyphward::model
