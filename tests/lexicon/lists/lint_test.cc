#include "lexicon/lists/lint.h"

#include <gtest/gtest.h>

#include "lexicon/lists/list.h"

namespace glyphward::lexicon {
namespace {

std::vector<Entry> list(const std::string& rows) {
  Lists lists;
  read_list("list.tsv", "term\tcategory\tseverity\tlanguage\tflags\tforms\n" + rows, lists);
  return lists.entries;
}

TEST(Lint, TellsDuplicatesShadowsAndHarmlessWords) {
  const std::vector<Entry> entries = list(
      "heck\tinsult\t5\ten\tstem\theckk\nhecker\tinsult\t3\ten\ndarn\tinsult\t3\ten\t\theck\n");
  const auto search = [&](std::string_view text) {
    std::vector<Finding> findings;
    // Finds the first entry whose term the text holds.
    for (const Entry& entry : entries) {
      const std::size_t at = text.find(entry.term.term);
      if (at == text.npos) continue;
      Finding finding;
      finding.term = entry.term.term;
      finding.severity = entry.term.severity;
      finding.rendered = true;
      finding.steps = {"compound"};
      findings.push_back(finding);
      break;
    }
    return findings;
  };
  const std::vector<Remark> remarks = lint(entries, search);
  ASSERT_EQ(remarks.size(), 2u);
  EXPECT_EQ(remarks[0].kind, Remark::Kind::Shadowed);
  EXPECT_EQ(remarks[0].term, "hecker");
  EXPECT_EQ(remarks[0].other, "heck");
  EXPECT_EQ(remarks[1].kind, Remark::Kind::Duplicate);
  const std::vector<Remark> harmless = lint_dictionary({"checker", "table"}, search);
  ASSERT_EQ(harmless.size(), 1u);
  EXPECT_EQ(harmless[0].spelling, "checker");
  EXPECT_EQ(harmless[0].steps, std::vector<std::string>{"compound"});
}

}  // namespace
}  // namespace glyphward::lexicon
