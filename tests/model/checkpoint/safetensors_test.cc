#include "model/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

std::vector<std::byte> file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::vector<std::byte> bytes(8 + header.size() + data_bytes);
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

std::string error_of(const std::vector<std::byte>& bytes) {
  try {
    parse_safetensors(bytes, "w.safetensors");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Safetensors, ReadsShapesAndBytes) {
  const auto bytes = file_of(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},)"
      R"("b":{"data_offsets":[0,4],"shape":[2],"dtype":"BF16"},"s":{"dtype":"F16","shape":[],"data_offsets":[28,30]}}  )",
      30);
  const SafetensorsHeader header = parse_safetensors(bytes, "w.safetensors");
  ASSERT_EQ(header.size(), 3u);
  EXPECT_EQ(describe(header.at("a")), "F32 [2, 3]");
  EXPECT_EQ(header.at("a").bytes.data(), bytes.data() + bytes.size() - 26);
  EXPECT_EQ(header.at("a").bytes.size(), 24u);
  EXPECT_EQ(describe(header.at("s")), "F16 []");
}

TEST(Safetensors, RefusesHostileHeaders) {
  struct Case {
    const char* note;
    const char* header;
    std::size_t data_bytes;
    const char* says;
  };
  const Case cases[] = {
      {"no JSON", "nonsense", 0, "expected JSON"},
      {"cut JSON", R"({"a":{"dtype":"F32")", 0, "header"},
      {"an array", R"([1,2])", 0, "array where none belongs"},
      {"a number", R"(12)", 0, "number where none belongs"},
      {"empty", "", 0, "header"},
      {"only spaces", "    ", 0, "header"},
      {"two objects", R"({}{})", 0, "found more after it"},
      {"duplicate key",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4, "a: expected once, found twice"},
      {"duplicate field", R"({"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}})",
       4, "dtype: expected once"},
      {"unknown field", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4,
       "another field"},
      {"missing shape", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4,
       "a: expected dtype, shape and data_offsets"},
      {"unknown dtype", R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", 4,
       "found 'F33'"},
      {"range beyond file", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4,
       "truncated"},
      {"range backwards", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "[4, 0]"},
      {"huge offset",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615]}})",
       4, "within the 4 bytes"},
      {"offset over 64 bits",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551620]}})", 4,
       "over 64 bits"},
      {"negative offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4,
       "negative"},
      {"fraction", R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "fraction"},
      {"one offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4,
       "expected 2 numbers, found 1"},
      {"shape overflows",
       R"({"a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,16]}})", 16,
       "shape"},
      {"shape is larger", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 16,
       "expected 12 bytes"},
      {"shape is smaller", R"({"a":{"dtype":"F16","shape":[3],"data_offsets":[0,8]}})", 8,
       "expected 6 bytes for F16 [3], found 8"},
      {"empty dimension", R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", 0, "shape"},
      {"rank", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4,
       "more than 8"},
      {"overlap",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, "overlap"},
      {"gap",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
       12, "gap"},
      {"bytes left over", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 12,
       "expected 4 bytes of data"},
      {"nested object", R"({"a":{"dtype":{"x":1},"shape":[1],"data_offsets":[0,4]}})", 4, "object"},
      {"nested array", R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4,
       "array where none belongs"},
      {"deep", R"({"a":{"dtype":"F32","shape":[[[[[[[[1]]]]]]]],"data_offsets":[0,4]}})", 4,
       "array"},
      {"null", R"({"a":null})", 4, "null"},
      {"a string for a shape", R"({"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}})", 4,
       "string"},
  };
  for (const Case& c : cases) {
    const std::string error = error_of(file_of(c.header, c.data_bytes));
    EXPECT_NE(error.find(c.says), std::string::npos) << c.note << ": '" << error << "'";
    EXPECT_EQ(error.rfind("w.safetensors: ", 0), 0u) << c.note << ": '" << error << "'";
  }
}

TEST(Safetensors, RefusesLengthsBeyondTheFile) {
  EXPECT_NE(error_of({}).find("at least 8 bytes"), std::string::npos);
  EXPECT_NE(error_of(std::vector<std::byte>(7)).find("at least 8 bytes"), std::string::npos);
  for (const std::uint64_t length : {std::uint64_t{9}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    std::vector<std::byte> bytes(16);
    std::memcpy(bytes.data(), &length, 8);
    EXPECT_NE(error_of(bytes).find("expected a length of at most 8"), std::string::npos);
  }
}

// Every cut of a valid file is refused: nothing is read past the end (ASan watches), nothing is
// half taken.
TEST(Safetensors, RefusesEveryTruncation) {
  const auto bytes = file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  ASSERT_EQ(error_of(bytes), "");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(error_of({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}), "")
        << size;
  }
}

// Each byte in turn takes values that matter to JSON and to sizes: what is accepted still lies
// within the data.
TEST(Safetensors, StaysWithinTheDataWhateverOneByteSays) {
  const auto valid = file_of(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[1],"data_offsets":[8,10]}})",
      10);
  int accepted = 0;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (const char value :
         {'\0', '0', '1', '9', '-', 'e', '"', '\\', '{', '}', '[', ']', ',', ':', '\xff'}) {
      std::vector<std::byte> bytes = valid;
      bytes[i] = static_cast<std::byte>(value);
      try {
        std::size_t total = 0;
        for (const auto& [key, entry] : parse_safetensors(bytes, "w.safetensors")) {
          EXPECT_GE(entry.bytes.data(), bytes.data());
          EXPECT_LE(entry.bytes.data() + entry.bytes.size(), bytes.data() + bytes.size());
          total += entry.bytes.size();
        }
        EXPECT_LE(total, bytes.size());
        ++accepted;
      } catch (const ConfigError&) {
      }
    }
  }
  EXPECT_GT(accepted, 0);
}

TEST(Safetensors, WritesWhatItReads) {
  const auto path = std::filesystem::path(testing::TempDir()) / "glyphward_written.safetensors";
  const FloatTensor image{{1, 3, 2, 1}, {0, 0.25f, 0.5f, 0.75f, 1, -1}};
  save_safetensors(path, {{"image", image}, {"latents", {{2}, {3, 4}}}});
  const auto file = MappedFile::open(path);
  const SafetensorsHeader header = parse_safetensors(file->bytes(), path);
  ASSERT_EQ(header.size(), 2u);
  EXPECT_EQ(header.at("image").shape, image.shape);
  EXPECT_EQ(std::memcmp(header.at("image").bytes.data(), image.data.data(), 24), 0);
  EXPECT_THROW(save_safetensors(path, {{"x", {{2}, {1}}}}), std::invalid_argument);
  std::filesystem::remove(path);
  EXPECT_THROW(MappedFile::open(path), ConfigError);
}

}  // namespace
}  // namespace glyphward::model
