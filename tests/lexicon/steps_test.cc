#include "lexicon/steps.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace glyphward::lexicon {
namespace {

TEST(Steps, AreNamedInTheOrderOfTheChain) {
  EXPECT_EQ(step_names(kLeet | kInvisible | kCompound),
            (std::vector<std::string>{"invisible", "leet", "compound"}));
  EXPECT_TRUE(step_names(0).empty());
}

// A new step needs a row in the table of docs/LEXICON.md.
TEST(Steps, AreDescribed) {
  const std::string text =
      read_file(std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "docs/LEXICON.md");
  const std::size_t begin = text.find("| step in a finding |");
  ASSERT_NE(begin, std::string::npos);
  const std::string table = text.substr(begin, text.find("\n\n", begin) - begin);
  for (const NamedStep& named : kSteps) {
    const std::string cell = std::string("`").append(named.name).append("`");
    EXPECT_NE(table.find(cell), std::string::npos) << named.name;
  }
}

}  // namespace
}  // namespace glyphward::lexicon
