#include "daemon/cli/output.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "daemon/cli/bench/temporary_folder.h"
#include "daemon/cli/command.h"

namespace glyphward::daemon {
namespace {

TEST(Output, KeepsWhatCouldSteerATerminalFromIt) {
  EXPECT_EQ(printable("a\x1b[2Jb\xFF"), "a\uFFFD[2Jb\uFFFD");
  EXPECT_EQ(printable("a\u202Eb\nc"), "a\uFFFDb\nc");
  EXPECT_EQ(printable_line("a\nb"), "a b");
}

TEST(Output, WritesWholeFilesOrSaysWhy) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "longer");
  write_file(folder.path() / "file", "a\0b");
  EXPECT_EQ(read_file(folder.path() / "file"), "a");
  try {
    write_file(folder.path() / "none" / "file", "");
    ADD_FAILURE() << "wrote into a folder that is not there";
  } catch (const CommandError& error) {
    EXPECT_EQ(error.status(), ExitStatus::Usage);
  }
  try {
    write_file("/dev/full", "a");
    ADD_FAILURE() << "wrote to a full disk";
  } catch (const CommandError& error) {
    EXPECT_EQ(error.status(), ExitStatus::Found);
  }
}

}  // namespace
}  // namespace glyphward::daemon
