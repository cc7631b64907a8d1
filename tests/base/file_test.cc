#include "base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/config_error.h"

namespace glyphward {
namespace {

std::string refusal(const std::filesystem::path& file, std::uintmax_t bytes_max = 1000) {
  try {
    read_file(file, bytes_max);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(File, IsReadWhole) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("glyphward-file-test-" + std::to_string(::getpid()));
  const std::string bytes = std::string("a\0b\r\n", 5) + std::string(200'000, 'x');
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(read_file(file), bytes);
  EXPECT_EQ(read_file(file, bytes.size()), bytes);
  EXPECT_NE(refusal(file, bytes.size() - 1).find("expected at most 200004 bytes"),
            std::string::npos);
  std::filesystem::remove(file);
}

TEST(File, WhatCannotBeReadIsNamed) {
  EXPECT_EQ(refusal("/nowhere/at/all"),
            "/nowhere/at/all: expected a readable file, found: No such file or directory");
  EXPECT_EQ(refusal("/tmp"), "/tmp: expected a readable file, found: Is a directory");
}

}  // namespace
}  // namespace glyphward
