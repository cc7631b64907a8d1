#include "lexicon/text/unicode.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace glyphward::lexicon {
namespace {

// The code points of a text and where each begins.
std::vector<std::pair<char32_t, std::size_t>> decoded(std::string_view text) {
  std::vector<std::pair<char32_t, std::size_t>> result;
  for (std::size_t offset = 0; offset < text.size();) {
    const std::size_t at = offset;
    result.emplace_back(decode(text, offset), at);
  }
  return result;
}

TEST(Unicode, DecodesEveryByteThatIsNotUtf8ByItself) {
  using Points = std::vector<std::pair<char32_t, std::size_t>>;
  EXPECT_EQ(decoded("aя爆"), (Points{{U'a', 0}, {U'я', 1}, {U'爆', 3}}));
  EXPECT_EQ(decoded("\xe7\x88"), (Points{{0xFFFD, 0}, {0xFFFD, 1}})) << "cut off";
  EXPECT_EQ(decoded("\xff"
                    "a"),
            (Points{{0xFFFD, 0}, {U'a', 1}}));
  EXPECT_EQ(decoded("\xed\xa0\x80").size(), 3u) << "a surrogate";
}

TEST(Unicode, EncodesWhatItDecodes) {
  const std::string text = "aя爆💥";
  std::u32string letters;
  for (const auto& [c, at] : decoded(text)) letters.push_back(c);
  EXPECT_EQ(encode(letters), text);
}

TEST(Unicode, KnowsForms) {
  EXPECT_EQ(nfd(U"é"), U"e\u0301");
  EXPECT_EQ(nfc(U"e\u0301"), U"é");
  EXPECT_EQ(nfkc_casefold(U"Ｋ"), U"k");
  EXPECT_EQ(nfc_casefold(U"ＫÉ"), U"ｋé");
  EXPECT_EQ(fold_script(U'カ'), U'か');
}

TEST(Unicode, PartsShortWordsOfKana) {
  EXPECT_TRUE(kana_begins(U'は', U'カ'));
  EXPECT_FALSE(kana_begins(U'ア', U'カ'));
  EXPECT_TRUE(kana_begins(U'の', U'か'));
  EXPECT_FALSE(kana_begins(U'ち', U'か'));
  EXPECT_FALSE(kana_ends(U'カ', U'ー'));
}

}  // namespace
}  // namespace glyphward::lexicon
