#include "lexicon/steps.h"

#include <gtest/gtest.h>

namespace glyphward::lexicon {
namespace {

TEST(Steps, AreNamedInTheOrderOfTheChain) {
  EXPECT_EQ(step_names(kLeet | kInvisible | kCompound),
            (std::vector<std::string>{"invisible", "leet", "compound"}));
  EXPECT_TRUE(step_names(0).empty());
}

}  // namespace
}  // namespace glyphward::lexicon
