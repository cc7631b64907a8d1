#include "daemon/cli/bench/picture_readers.h"

#include <gtest/gtest.h>

namespace glyphward::daemon {
namespace {

TEST(PictureReaders, ReadExactlyWhateverTheLineBreaks) {
  EXPECT_TRUE(reads_exactly({.texts = {"noise", "Go\n 42!"}}, {"GO", "42"}));
  EXPECT_FALSE(reads_exactly({.texts = {"G0 42"}}, {"GO", "42"}));  // a digit is no letter
  EXPECT_FALSE(reads_exactly({.texts = {"GO 42 X"}}, {"GO", "42"}));
  EXPECT_FALSE(reads_exactly({.texts = {""}}, {}));
}

TEST(PictureReaders, SeeAWordAsGenerouslyAsCanBe) {
  EXPECT_TRUE(shows({.texts = {"oh SH1T, no"}}, "shit"));
  EXPECT_FALSE(shows({.texts = {"oh SHIRT"}}, "shit"));
  EXPECT_FALSE(shows({.texts = {"oh"}}, ""));
}

}  // namespace
}  // namespace glyphward::daemon
