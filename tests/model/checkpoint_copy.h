// A copy of the bundled model that a test may spoil.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "model/checkpoint/safetensors.h"

namespace glyphward::model {

class CheckpointCopy {
 public:
  CheckpointCopy()
      : path_(std::filesystem::path(testing::TempDir()) /
              ("glyphward_checkpoint_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::copy(GLYPHWARD_BUNDLED_MODEL, path_, std::filesystem::copy_options::recursive);
  }
  ~CheckpointCopy() { std::filesystem::remove_all(path_); }
  CheckpointCopy(const CheckpointCopy&) = delete;
  CheckpointCopy& operator=(const CheckpointCopy&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& file) const { return path_ / file; }

  void write(const std::string& file, const std::string& content) const {
    std::ofstream(path_ / file, std::ios::binary | std::ios::trunc) << content;
  }
  std::string read(const std::string& file) const {
    std::ifstream in(path_ / file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void edit_json(const std::string& file,
                 const std::function<void(boost::json::object&)>& edit) const {
    boost::json::value value = boost::json::parse(read(file));
    edit(value.as_object());
    write(file, boost::json::serialize(value));
  }

  struct Stored {
    std::string dtype;
    std::vector<std::int64_t> shape;
    std::string bytes;
  };
  using Tensors = std::map<std::string, Stored>;

  Tensors read_tensors(const std::string& file) const {
    const std::string content = read(file);
    Tensors tensors;
    for (const auto& [key, entry] :
         parse_safetensors(std::as_bytes(std::span(content)), path_ / file)) {
      tensors[key] = {
          entry.dtype, entry.shape,
          std::string(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size())};
    }
    return tensors;
  }
  // `padding` spaces move the data: safetensors need not be aligned.
  void write_tensors(const std::string& file, const Tensors& tensors,
                     std::size_t padding = 0) const {
    boost::json::object header;
    std::string data;
    for (const auto& [key, stored] : tensors) {
      header[key] = {{"dtype", stored.dtype},
                     {"shape", boost::json::value_from(stored.shape)},
                     {"data_offsets", {data.size(), data.size() + stored.bytes.size()}}};
      data += stored.bytes;
    }
    const std::string text = boost::json::serialize(header) + std::string(padding, ' ');
    const std::uint64_t length = text.size();
    std::string size(8, '\0');
    std::memcpy(size.data(), &length, 8);
    write(file, size + text + data);
  }
  void edit_tensors(const std::string& file, const std::function<void(Tensors&)>& edit) const {
    Tensors tensors = read_tensors(file);
    edit(tensors);
    write_tensors(file, tensors);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace glyphward::model
