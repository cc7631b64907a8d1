// The safetensors format: reading a file's header without trusting it, and writing float32 tensors.
//
// A file is: 8 bytes of header length (little endian), a JSON object {"name": {"dtype", "shape",
// "data_offsets"}}, and the tensors' bytes, whose ranges cover the rest of the file without gap or
// overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/image.h"

namespace glyphward::model {

// A file mapped read-only. Whoever holds bytes of it holds the shared_ptr.
class MappedFile {
 public:
  // Throws ConfigError if the file cannot be opened or mapped, or is empty.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  MappedFile(std::filesystem::path path, std::span<const std::byte> bytes)
      : path_(std::move(path)), bytes_(bytes) {}
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

struct SafetensorsEntry {
  std::string dtype;  // "F32", "F16", "BF16", "I64", ...
  std::vector<std::int64_t> shape;
  // Within the file's bytes; exactly the shape's product times the dtype's size.
  std::span<const std::byte> bytes;
};
using SafetensorsHeader = std::map<std::string, SafetensorsEntry>;

// Every field is hostile. Throws ConfigError naming `file`, the key, what was expected and what was
// found, on: a header longer than the file or than 8 MiB, malformed JSON, a duplicate key, an
// unknown dtype, a size that is not that of the shape, ranges that overlap, leave a gap or leave
// the file. Allocates in proportion to the header's length, never to a number in it.
SafetensorsHeader parse_safetensors(std::span<const std::byte> bytes,
                                    const std::filesystem::path& file);

// "F32 [2, 3]", for error messages.
std::string describe(const SafetensorsEntry& entry);
std::string describe(const std::vector<std::int64_t>& shape);

// Writes F32 tensors under their names. Replaces the file in one rename. Throws std::system_error,
// and std::invalid_argument if a shape and its data do not agree.
void save_safetensors(const std::filesystem::path& path,
                      const std::map<std::string, FloatTensor>& tensors);

}  // namespace glyphward::model
