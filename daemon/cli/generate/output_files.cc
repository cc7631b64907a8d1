// What a run of `glyphward generate` leaves behind.
#include <fmt/format.h>

#include <map>

#include "daemon/cli/generate/generation.h"
#include "daemon/cli/output.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;
namespace json = boost::json;

json::array write_files(const GenerateOptions& options, const Generated& generated) {
  const fs::path output = options.output;
  json::array files;
  if (options.wants_tensors()) {
    std::map<std::string, model::FloatTensor> tensors;
    if (generated.latents) tensors["latents"] = *generated.latents;
    if (generated.image) tensors["image"] = *generated.image;
    model::save_safetensors(output, tensors);
    files.push_back(json::value(output.string()));
    return files;
  }
  for (std::size_t i = 0; i < generated.pngs.size(); ++i) {
    fs::path path = output;
    if (generated.pngs.size() > 1) {
      path.replace_filename(
          fmt::format("{}-{}{}", output.stem().string(), i, output.extension().string()));
    }
    write_file(path, generated.pngs[i]);
    files.push_back(json::value(path.string()));
  }
  return files;
}

}  // namespace glyphward::daemon
