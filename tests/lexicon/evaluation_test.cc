// The figures on tests/data/lexicon/dev.jsonl, computed as docs/LEXICON.md says: rows of severity 1
// apart, any rendered finding of severity 2 or more counts as flagged.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "lexicon/lexicon.h"

namespace glyphward::lexicon {
namespace {

struct Count {
  int flagged = 0;
  int rows = 0;
  double share() const { return rows == 0 ? 0.0 : static_cast<double>(flagged) / rows; }
};

TEST(Evaluation, MeetsItsFiguresOnTheDevelopmentSet) {
  const std::filesystem::path root = GLYPHWARD_SOURCE_DIR;
  const auto lexicon = Lexicon::load({root / "lexicon/default.tsv", root / "lexicon/allow.tsv"});
  std::ifstream file(root / "tests/data/lexicon/dev.jsonl");
  ASSERT_TRUE(file) << "tests/data/lexicon/dev.jsonl";
  std::map<std::pair<std::string, std::string>, Count> kinds;
  Count toxic;
  Count hard;
  Count easy;
  for (std::string line; std::getline(file, line);) {
    const boost::json::object row = boost::json::parse(line).as_object();
    const std::string label(row.at("label").as_string());
    const std::string kind(row.at("kind").as_string());
    bool flagged = false;
    for (const Finding& finding :
         lexicon->analyze(std::string(row.at("text").as_string())).findings) {
      flagged = flagged || finding.flags();
    }
    const auto add = [&](Count& count) {
      ++count.rows;
      count.flagged += flagged ? 1 : 0;
    };
    add(kinds[{label, kind}]);
    if (kind == "mild") continue;
    const auto* is_hard = row.if_contains("hard");
    add(label == "toxic"                                                 ? toxic
        : is_hard != nullptr && is_hard->is_bool() && is_hard->as_bool() ? hard
                                                                         : easy);
  }
  std::printf("%-6s %-18s %8s %8s %7s\n", "label", "kind", "flagged", "rows", "share");
  for (const auto& [key, count] : kinds) {
    std::printf("%-6s %-18s %8d %8d %7.4f\n", key.first.c_str(), key.second.c_str(), count.flagged,
                count.rows, count.share());
  }
  std::printf("recall %.4f (%d of %d), false positives: hard %.4f (%d of %d), easy %d of %d\n",
              toxic.share(), toxic.flagged, toxic.rows, hard.share(), hard.flagged, hard.rows,
              easy.flagged, easy.rows);
  EXPECT_GE(toxic.rows, 1000);
  EXPECT_GE(toxic.share(), 0.97);
  EXPECT_EQ(easy.flagged, 0);
  EXPECT_LE(hard.share(), 0.01);
  for (const auto& [key, count] : kinds) {
    if (key.first == "toxic" && key.second != "mild" && count.rows >= 20) {
      EXPECT_GE(count.share(), 0.90) << key.second;
    }
  }
}

}  // namespace
}  // namespace glyphward::lexicon
