#include "lexicon/matching/trie.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

namespace glyphward::lexicon {
namespace {

std::set<std::uint32_t> values(const Trie& trie, std::u32string_view letters) {
  std::uint32_t node = Trie::kRoot;
  for (const char32_t letter : letters) {
    node = trie.child(node, letter);
    if (node == Trie::kNone) return {};
  }
  return {trie.values_begin(node), trie.values_end(node)};
}

TEST(Trie, HoldsWhatAMapHoldsForAllShortWords) {
  const std::u32string alphabet = U"az bя爆";
  std::map<std::u32string, std::set<std::uint32_t>> expected;
  std::vector<Trie::Key> keys;
  std::uint32_t value = 0;
  std::function<void(const std::u32string&)> each = [&](const std::u32string& word) {
    // Some of them, one twice.
    if (!word.empty() && value++ % 3 == 0) {
      keys.push_back({word, value});
      expected[word].insert(value);
      if (value % 7 == 0) {
        keys.push_back({word, value + 1000});
        expected[word].insert(value + 1000);
      }
    }
    if (word.size() < 3) {
      for (const char32_t letter : alphabet) each(word + letter);
    }
  };
  each(U"");
  Trie trie;
  trie.build(keys);
  std::function<void(const std::u32string&)> check = [&](const std::u32string& word) {
    const auto it = expected.find(word);
    EXPECT_EQ(values(trie, word), it == expected.end() ? std::set<std::uint32_t>() : it->second);
    if (word.size() < 4) {
      for (const char32_t letter : alphabet) check(word + letter);
    }
  };
  check(U"");
}

TEST(Trie, KnowsWhatItsNodesLeadTo) {
  Trie trie;
  trie.build({{U"abc", 1}, {U"abя", 2, true}, {U"b", 3}});
  const std::uint32_t a = trie.child(Trie::kRoot, U'a');
  const std::uint32_t ab = trie.child(a, U'b');
  EXPECT_EQ(trie.letter(ab), U'b');
  EXPECT_EQ(trie.next_letters(ab), letter_bit(U'c') | kOtherLetters);
  EXPECT_TRUE(trie.leads_to_phrase(ab));
  EXPECT_FALSE(trie.leads_to_phrase(trie.child(ab, U'c')));
  EXPECT_FALSE(trie.has_values(ab));
  EXPECT_TRUE(trie.has_values(trie.child(ab, U'я')));
  EXPECT_EQ(trie.child(ab, U'd'), Trie::kNone);
  EXPECT_EQ(trie.child(ab, U'ю'), Trie::kNone);
  std::set<char32_t> children;
  trie.any_child(ab, ~LetterSet{0}, [&](std::uint32_t child) {
    children.insert(trie.letter(child));
    return false;
  });
  EXPECT_EQ(children, (std::set<char32_t>{U'c', U'я'}));
}

TEST(Trie, MayBeginLosesNoKey) {
  Trie trie;
  trie.build({{U"abc", 1}, {U"de", 2}, {U"f", 3}, {U"g h", 4}});
  const auto may = [&](std::u32string_view three) {
    return trie.may_begin(letter_bit(three[0]), letter_bit(three[1]), letter_bit(three[2]));
  };
  EXPECT_TRUE(may(U"abc"));
  EXPECT_TRUE(may(U"dex"));
  EXPECT_TRUE(may(U"fxx"));
  EXPECT_TRUE(may(U"gxx")) << "a key of several words may go on without its space";
  EXPECT_TRUE(may(U"яxx")) << "not known";
  EXPECT_FALSE(may(U"abd"));
  EXPECT_FALSE(may(U"xbc"));
}

}  // namespace
}  // namespace glyphward::lexicon
