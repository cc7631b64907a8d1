#include "lexicon/lists/list.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/config_error.h"

namespace glyphward::lexicon {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon";

std::vector<Entry> list(const std::string& rows) {
  Lists lists;
  read_list("list.tsv", "term\tcategory\tseverity\tlanguage\tflags\tforms\n" + rows, lists);
  return lists.entries;
}

std::vector<Entry> shipped() {
  std::ifstream file(kFolder / "default.tsv", std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  Lists lists;
  read_list("default.tsv", content.str(), lists);
  return lists.entries;
}

TEST(List, WhatIsWrittenReadsTheSame) {
  const std::vector<Entry> entries = shipped();
  Lists again;
  read_list("again.tsv", write_list(entries), again);
  EXPECT_TRUE(diff(entries, again.entries).empty());
  EXPECT_EQ(write_list(entries), write_list(again.entries));
}

TEST(List, KeepsDaysAndExpressions) {
  Lists lists;
  read_list("list.tsv",
            "term\tcategory\tseverity\tlanguage\tflags\tforms\tuntil\n"
            "heck\tinsult\t3\ten\t\thecc\t2027-01-31\n"
            "order\tinsult\t3\tund\tregex\ta[0-9]{2}|b+\t\n"
            "c&a\tinsult\t3\tund\tliteral\tc+a|c & a\n"
            "url\tinsult\t3\tund\tform\n",
            lists);
  ASSERT_EQ(lists.entries.size(), 4u);
  EXPECT_EQ(lists.entries[0].until, "2027-01-31");
  EXPECT_EQ(lists.entries[1].forms, std::vector<std::string>{"a[0-9]{2}|b+"});
  EXPECT_EQ(lists.entries[2].forms, (std::vector<std::string>{"c+a", "c & a"}));
  EXPECT_EQ(lists.entries[2].term.list, "list.tsv");
  Lists again;
  read_list("again.tsv", write_list(lists.entries), again);
  EXPECT_TRUE(diff(lists.entries, again.entries).empty());
  for (const char* wrong : {"order\tinsult\t3\tund\tregex\ta(", "order\tinsult\t3\tund\tregex\t",
                            "colour\tinsult\t3\tund\tform", "url\tinsult\t3\tund\tform\tx",
                            "heck\tinsult\t3\ten\t\th&k"})
    EXPECT_THROW(list(std::string(wrong) + "\n"), ConfigError) << wrong;
}

TEST(List, MergesAndTellsDifferences) {
  const std::vector<Entry> a = list("heck\tinsult\t3\ten\tplural\thecc\ndarn\tinsult\t1\ten\n");
  const std::vector<Entry> b = list("heck\tinsult\t5\ten\t\theckk\nzut\tinsult\t3\tfr\n");
  const std::vector<Entry> both = merge(a, b);
  ASSERT_EQ(both.size(), 3u);
  EXPECT_EQ(both[0].term.severity, 5);
  EXPECT_EQ(both[0].flags, static_cast<std::uint32_t>(kPlural));
  EXPECT_EQ(both[0].forms, (std::vector<std::string>{"hecc", "heckk"}));
  const std::vector<Difference> differences = diff(a, both);
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0].what, "severity 3 -> 5, form 'heckk' added");
  EXPECT_EQ(differences[1].kind, Difference::Kind::Added);
  EXPECT_EQ(diff(both, a)[1].kind, Difference::Kind::Removed);
}

}  // namespace
}  // namespace glyphward::lexicon
