#include "guard/reading/scripts.h"

#include <gtest/gtest.h>

#include <string>

#include "base/config_error.h"

namespace glyphward::guard {
namespace {

TEST(Scripts, EveryLanguageReadsLatinLettersToo) {
  EXPECT_EQ(scripts_of("eng"), std::set<UScriptCode>{USCRIPT_LATIN});
  EXPECT_EQ(scripts_of("rus+kor"),
            (std::set<UScriptCode>{USCRIPT_LATIN, USCRIPT_CYRILLIC, USCRIPT_HANGUL, USCRIPT_HAN}));
}

TEST(Scripts, TextIsReadableIfEachLetterIs) {
  const std::set<UScriptCode> scripts = {USCRIPT_LATIN, USCRIPT_CYRILLIC};
  EXPECT_TRUE(readable_in("Caf\xC3\xA9 No. 5, \xD0\xBF\xD1\x80\xD0\xB8", scripts));
  EXPECT_TRUE(readable_in("", scripts));
  EXPECT_FALSE(readable_in("OPEN \xE5\x95\x86", scripts));
  EXPECT_FALSE(readable_in("\xFF", scripts));
  EXPECT_FALSE(readable_in("cut \xE5\x95", scripts));
}

TEST(Scripts, TableIsCheckedLineByLine) {
  const auto message = [](const char* table) -> std::string {
    try {
      parse_scripts(table, "t.tsv");
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message("# a comment\nrus\tCyrillic\nkor\tHan\n"), "");
  EXPECT_EQ(message("rus\tCyrillic\ntlh\tKlingon\n"),
            "t.tsv:2: script: expected Unicode's name of one, found Klingon");
  EXPECT_EQ(message("rus\n"), "t.tsv:1: expected 2 fields separated by tabs, found 1");
}

}  // namespace
}  // namespace glyphward::guard
