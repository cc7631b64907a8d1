#include "base/utf8.h"

#include <gtest/gtest.h>

#include <vector>

namespace glyphward {
namespace {

TEST(Utf8, CharactersAreCounted) {
  EXPECT_EQ(count_characters(""), 0u);
  EXPECT_EQ(count_characters("aé語😀"), 4u);
  EXPECT_EQ(count_characters(std::string_view("a\0b", 3)), 3u);
}

// Overlong, a surrogate, above U+10FFFF, cut short, a lone continuation byte.
TEST(Utf8, WhatIsIllFormedIsNoText) {
  for (const std::string_view broken :
       {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE8\xAA", "\x80", "ok\xFF"}) {
    EXPECT_FALSE(is_utf8(broken));
    EXPECT_FALSE(count_characters(broken));
    EXPECT_TRUE(is_utf8(valid_utf8(broken)));
  }
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(valid_utf8("aé"), "aé");
}

TEST(Utf8, EveryByteBelongsToOneCharacter) {
  const std::string text = "a\xE8\xAAz\xFF語";
  std::string together;
  std::vector<std::optional<char32_t>> characters;
  for_each_character(text, [&](std::optional<char32_t> character, std::string_view bytes) {
    together += bytes;
    characters.push_back(character);
  });
  EXPECT_EQ(together, text);
  const std::vector<std::optional<char32_t>> expected = {U'a', std::nullopt, U'z', std::nullopt,
                                                         U'語'};
  EXPECT_EQ(characters, expected);
}

TEST(Utf8, CharactersAreWrittenAsTheyAreRead) {
  for (const char32_t character : {U'a', U'\x80', U'é', U'語', U'😀', U'\x10FFFF'}) {
    std::string text;
    append_utf8(text, character);
    std::size_t offset = 0;
    EXPECT_EQ(next_character(text, offset), character);
    EXPECT_EQ(offset, text.size());
  }
}

}  // namespace
}  // namespace glyphward
