#include "daemon/cli/models/contact_sheet.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "daemon/cli/bench/temporary_folder.h"
#include "daemon/cli/command.h"

namespace glyphward::daemon {
namespace {

const model::Image kPicture{2, 1, {255, 0, 0, 0, 0, 255}};

TEST(ContactSheet, LeavesPlacesWhite) {
  const model::Image sheet = contact_sheet({kPicture, {}, kPicture}, 2);
  EXPECT_EQ(sheet.width, 2 * 2 + 4);
  EXPECT_EQ(sheet.height, 2 * 1 + 4);
  EXPECT_EQ(sheet.rgb[0], 255);
  EXPECT_EQ(sheet.rgb[1], 0);
  EXPECT_EQ(sheet.rgb[6 * 3 + 1], 255);
}

TEST(ContactSheet, IsWrittenAsPng) {
  const TemporaryFolder folder;
  write_png(kPicture, folder.path() / "sheet.png");
  EXPECT_EQ(read_file(folder.path() / "sheet.png"), model::encode_png(kPicture));
  EXPECT_THROW(write_png(kPicture, folder.path() / "none" / "sheet.png"), CommandError);
}

}  // namespace
}  // namespace glyphward::daemon
