#include "base/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace glyphward {
namespace {

TEST(Base64, WritesTheStandardsExamples) {
  const std::pair<const char*, const char*> table[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : table) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(Base64, ComesBackAsItWas) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes) << i;
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64, ReadsNothingButWhatItWrites) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg==\n", " Zg==", "Zg== ", "\n\n\n\n", "====", "Zg=v",
                           "=m9v", "Zh==", "Zm9=", "Zm9v\nZm9v", "Zm-_", "Zm9\xC3"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace glyphward
