#include "guard/finding_json.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

#include "base/utf8.h"

namespace glyphward::guard {
namespace {

lexicon::Analysis analysis() {
  lexicon::Analysis analysis;
  analysis.rendered.push_back({"sh1t", 8, 12, true});
  analysis.findings.push_back({"shit", "profanity", 4, "en", 8, 12, "sh1t", true, {"leet"}, {}});
  return analysis;
}

TEST(FindingJson, ClientHearsWhatAndWhere) {
  EXPECT_EQ(boost::json::serialize(findings_json(analysis())),
            R"([{"term":"shit","category":"profanity","severity":4,"start":8,"end":12,)"
            R"("matched":"sh1t","rendered":true}])");
  EXPECT_EQ(boost::json::serialize(rendered_json(analysis())),
            R"([{"text":"sh1t","start":8,"end":12,"quoted":true,"certainty":"likely"}])");
}

TEST(FindingJson, OperatorHearsHowToo) {
  lexicon::Analysis explained = analysis();
  EXPECT_EQ(explained_findings_json(explained).at(0).at("steps").at(0).as_string(), "leet");
  EXPECT_EQ(explained_findings_json(explained).at(0).at("certainty").as_string(), "surely");
  EXPECT_FALSE(explained_findings_json(explained).at(0).as_object().contains("pieces"));
  explained.findings[0].pieces = {{8, 10}, {14, 16}};
  EXPECT_EQ(boost::json::serialize(explained_findings_json(explained).at(0).at("pieces")),
            "[[8,10],[14,16]]");
}

TEST(FindingJson, OperatorHearsBothReadings) {
  lexicon::Analysis explained = analysis();
  lexicon::Finding& finding = explained.findings[0];
  finding.evidence = 22.37;
  finding.reading = "leet(i)@2";
  finding.ordinary = "?sh1t 28.2";
  const boost::json::value json = explained_findings_json(explained).at(0);
  EXPECT_EQ(json.at("evidence").as_double(), 22.3) << "full tenths";
  EXPECT_EQ(json.at("reading").as_string(), "leet(i)@2");
  EXPECT_EQ(json.at("ordinary").as_string(), "?sh1t 28.2");
  for (const char* key : {"evidence", "reading", "ordinary"})
    EXPECT_FALSE(findings_json(explained).at(0).as_object().contains(key))
        << "no client's business";
}

TEST(FindingJson, ReadingsAreCutBetweenCharacters) {
  lexicon::Analysis explained = analysis();
  const auto told = [&](const std::string& reading) {
    explained.findings[0].reading = explained.findings[0].ordinary = reading;
    const boost::json::value json = explained_findings_json(explained).at(0);
    EXPECT_EQ(json.at("reading"), json.at("ordinary"));
    return std::string(json.at("reading").as_string());
  };
  const std::string full(kReadingMax, 'a');
  EXPECT_EQ(told(full), full);
  EXPECT_EQ(told(full + "a"), std::string(kReadingMax - 3, 'a') + "…");
  for (const std::string character : {"é", "愛", "😀", "\xFF"}) {
    for (std::size_t before = 0; before < 4; ++before) {
      std::string text(before, 'a');
      while (text.size() <= 2 * kReadingMax) text += character;
      const std::string cut = told(text);
      EXPECT_TRUE(is_utf8(cut));
      EXPECT_LE(cut.size(), kReadingMax);
      EXPECT_GT(cut.size(), kReadingMax - 4);
      EXPECT_TRUE(cut.ends_with("…"));
    }
  }
}

TEST(FindingJson, ListsTheMostSevereOfMany) {
  lexicon::Analysis full = analysis();
  EXPECT_TRUE(totals_json(full).empty());
  for (std::size_t i = 0; i < 3 * kListedMax; ++i) {
    lexicon::Finding finding = full.findings[0];
    finding.start = 20 + i;
    finding.severity = i % 3 == 1 ? 7 : 1;
    full.findings.push_back(finding);
    full.rendered.push_back(full.rendered[0]);
  }
  const auto listed = findings_json(full);
  ASSERT_EQ(listed.size(), kListedMax);
  EXPECT_EQ(explained_findings_json(full).size(), kListedMax);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    EXPECT_EQ(listed[i].at("severity").as_int64(), 7);
    EXPECT_EQ(listed[i].at("start").to_number<std::size_t>(), 21 + 3 * i) << "in order";
  }
  EXPECT_EQ(rendered_json(full).size(), kListedMax);
  EXPECT_EQ(boost::json::serialize(totals_json(full)),
            R"({"findings_total":301,"rendered_total":301})");
}

TEST(FindingJson, IsUtf8WhateverThePromptWas) {
  lexicon::Analysis cut = analysis();
  cut.findings[0].matched = "sh\xFFt";
  EXPECT_EQ(findings_json(cut).at(0).at("matched").as_string(), "sh\xEF\xBF\xBDt");
}

}  // namespace
}  // namespace glyphward::guard
