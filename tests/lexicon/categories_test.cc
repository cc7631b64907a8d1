#include "lexicon/categories.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "base/file.h"

namespace glyphward::lexicon {
namespace {

// The words of a document's first row that begins so.
std::set<std::string> words_after(const std::string& document, const std::string& start) {
  const std::string text =
      read_file(std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "docs" / document);
  const std::size_t begin = text.find("\n" + start);
  if (begin == std::string::npos) return {};
  const std::string row =
      text.substr(begin + 1 + start.size(), text.find('\n', begin + 1) - begin - 1 - start.size());
  std::set<std::string> words;
  const std::regex word("[a-z_]+");
  for (std::sregex_iterator found(row.begin(), row.end(), word), end; found != end; ++found)
    words.insert(found->str());
  return words;
}

TEST(Categories, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Category& category : kCategories) {
    EXPECT_TRUE(names.insert(std::string(category.name)).second) << category.name;
    EXPECT_EQ(find_category(category.name), &category);
  }
  EXPECT_EQ(find_category("spam"), nullptr);
}

TEST(Categories, HaveAForm) {
  for (const Category& category : kCategories) EXPECT_TRUE(is_category_name(category.name));
  for (const char* name : {"competitor", "a", "brand-2", "own_words"})
    EXPECT_TRUE(is_category_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("2nd"), std::string("Brand"), std::string("a b"),
        std::string("caf\u00E9"), std::string(33, 'a')})
    EXPECT_FALSE(is_category_name(name)) << name;
}

TEST(Categories, FallUnderOneOfOpenAis) {
  const std::set<std::string_view> openai(kOpenAiCategories.begin(), kOpenAiCategories.end());
  for (const Category& category : kCategories)
    EXPECT_TRUE(openai.contains(category.openai)) << category.name;
}

// A new category needs its name in docs/LEXICON.md, in the list and in the table, and in
// docs/POLICY.md.
TEST(Categories, AreDescribed) {
  std::set<std::string> names;
  for (const Category& category : kCategories) names.insert(std::string(category.name));
  EXPECT_EQ(words_after("LEXICON.md", "- category:"), names);
  EXPECT_EQ(words_after("POLICY.md", "| `categories` |"), names);
  const std::string text =
      read_file(std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "docs" / "LEXICON.md");
  const std::string table = text.substr(text.find("| ours | OpenAI's |"));
  for (const Category& category : kCategories) {
    const std::regex row("\\n\\|[^|\n]*\\b" + std::string(category.name) + "\\b[^|\n]*\\| `" +
                         std::string(category.openai) + "` \\|");
    EXPECT_TRUE(std::regex_search(table, row)) << category.name;
  }
}

}  // namespace
}  // namespace glyphward::lexicon
