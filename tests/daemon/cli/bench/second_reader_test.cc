#include "daemon/cli/bench/second_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <string>

namespace glyphward::daemon {
namespace {

const model::Image kPicture{2, 1, {255, 0, 0, 0, 0, 255}};

TEST(SecondReader, IsAskedLineByLineWithoutAShell) {
  SecondReader reader(
      R"(sed -u "s/.*/{\"one\": {\"text\": \"$HOME; A\", \"boxes\": [[1, 2, 3, 4]]}}/")");
  for (int i = 0; i < 2; ++i) {
    const SeenByReader seen = reader.read(kPicture);
    EXPECT_EQ(seen.at("one").texts.at(0), "$HOME; A");
    EXPECT_EQ(seen.at("one").boxes.at(0), (std::array<int, 4>{1, 2, 3, 4}));
  }
}

TEST(SecondReader, MayBeOneAlone) {
  SecondReader reader(R"(sed -u "s/.*/{\"text\": \"A\"}/")");
  const SeenByReader seen = reader.read(kPicture);
  EXPECT_EQ(seen.at("second").texts.at(0), "A");
  EXPECT_FALSE(seen.at("second").tells_boxes);
}

std::string second_reader_error(const std::string& command) {
  try {
    SecondReader reader(command);
    reader.read(kPicture);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST(SecondReader, IsNamedWhenItFails) {
  EXPECT_NE(second_reader_error("no-such-reader").find("no program no-such-reader"),
            std::string::npos);
  EXPECT_NE(second_reader_error("/etc/passwd").find("/etc/passwd does not start"),
            std::string::npos);
  EXPECT_NE(second_reader_error("true").find("true: ended before"), std::string::npos);
  EXPECT_NE(second_reader_error("cat").find("expected a line"), std::string::npos);
}

}  // namespace
}  // namespace glyphward::daemon
