#include "policy/cases.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "policy/toml/toml_reader.h"

namespace glyphward::policy {
namespace {

const std::filesystem::path kDefault =
    std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "policy/default.toml";

std::vector<Case> read(const std::string& content, std::vector<Problem>& problems) {
  return read_cases("cases.toml", content, problems);
}

Case only(const std::string& content) {
  std::vector<Problem> problems;
  std::vector<Case> cases = read(content, problems);
  EXPECT_TRUE(problems.empty()) << to_string(problems.front());
  EXPECT_EQ(cases.size(), 1u);
  return cases.at(0);
}

TEST(Cases, OfTheDefaultPolicyAllPass) {
  const auto policy = Policy::load(kDefault);
  std::vector<Problem> problems;
  const auto file = cases_file(kDefault);
  EXPECT_EQ(file.filename(), "default.cases.toml");
  const std::vector<Case> cases = read_cases(file, read_file(file), problems);
  ASSERT_TRUE(problems.empty()) << to_string(problems.front());
  EXPECT_GE(cases.size(), 15u);
  for (const Case& test : cases) {
    for (const std::string& failure : run_case(*policy, test).failures)
      ADD_FAILURE() << test.name << ": " << failure;
  }
}

TEST(Cases, EachExpectationCanFail) {
  const auto policy = Policy::load(kDefault);
  const std::string prompt = "[[case]]\nprompt = 'a sign that says \"shit\"'\n";
  const struct {
    const char* expectation;
    const char* failure;
  } table[] = {
      {"action = \"block\"", "action: expected block, found substitute (rule toxic-text)"},
      {"action = \"substitute\"\nrule = \"x\"", "rule: expected x, found toxic-text"},
      {"action = \"substitute\"\nflagged = false", "flagged: expected false, found true"},
      {"action = \"substitute\"\nfindings = []", "findings: expected [], found [\"shit\"]"},
      {"action = \"substitute\"\nobserved = [\"x\"]", "observed: expected [\"x\"], found []"},
      {"action = \"substitute\"\nsanitized_prompt = \"x\"", "sanitized_prompt: expected x, found"},
      {"action = \"substitute\"\nsanitized_like = \"* x\"", "sanitized_like: expected * x, found"},
  };
  for (const auto& c : table) {
    const CaseResult result = run_case(*policy, only(prompt + c.expectation + "\n"));
    ASSERT_EQ(result.failures.size(), 1u) << c.expectation;
    EXPECT_TRUE(result.failures[0].starts_with(c.failure)) << result.failures[0];
  }
}

TEST(Cases, SayAllThatIsWrongWithTheirFile) {
  std::vector<Problem> problems;
  read(
      "[[case]]\nprompt = \"a\"\nacton = \"allow\"\n[[case]]\naction = \"alow\"\ntenant = \"a "
      "b\"\n",
      problems);
  std::vector<std::string> texts;
  for (const Problem& problem : problems) texts.push_back(to_string(problem));
  ASSERT_EQ(texts.size(), 5u);
  EXPECT_TRUE(
      texts[0].starts_with("cases.toml:3:1: case.acton: unknown key; did you mean 'action'?"))
      << texts[0];
  EXPECT_TRUE(texts[1].starts_with("cases.toml:1:1: action: expected allow, ")) << texts[1];
  EXPECT_TRUE(texts[2].starts_with("cases.toml:4:1: prompt: ")) << texts[2];
  EXPECT_TRUE(texts[3].starts_with("cases.toml:6:10: tenant: ")) << texts[3];
  EXPECT_TRUE(texts[4].starts_with("cases.toml:5:10: action: expected one of")) << texts[4];
  problems.clear();
  read("# nothing\n", problems);
  ASSERT_EQ(problems.size(), 1u);
}

TEST(Cases, WriteJunit) {
  std::vector<Problem> problems;
  const auto cases = read(
      "[[case]]\nname = \"good\"\nprompt = \"a\"\naction = \"allow\"\n"
      "[[case]]\nname = \"a<b&\\\"c\\\"\\u0001\"\nprompt = \"a\"\naction = \"block\"\n",
      problems);
  const std::string xml =
      junit_xml("c.toml", cases, {{{}, 0.5}, {{"action: expected block, found allow"}, 0.25}});
  EXPECT_NE(xml.find("tests=\"2\" failures=\"1\" time=\"0.750000\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("name=\"good\" file=\"c.toml\" line=\"1\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("name=\"a&lt;b&amp;&quot;c&quot;\uFFFD\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("<failure message=\"action: expected block"), std::string::npos) << xml;
}

// Against the obvious definition, over all short patterns and texts.
bool slow_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (slow_match(pattern.substr(1), text.substr(i))) return true;
    }
    return false;
  }
  return !text.empty() && text[0] == pattern[0] && slow_match(pattern.substr(1), text.substr(1));
}

std::vector<std::string> strings(const std::string& letters, std::size_t longest) {
  std::vector<std::string> all = {""};
  for (std::size_t i = 0; i < all.size() && all[i].size() < longest; ++i) {
    for (const char letter : letters) all.push_back(all[i] + letter);
  }
  return all;
}

TEST(Cases, PatternsMatchAsTheObviousMatcherDoes) {
  for (const std::string& pattern : strings("ab*", 5)) {
    for (const std::string& text : strings("ab", 6))
      ASSERT_EQ(matches_pattern(pattern, text), slow_match(pattern, text))
          << pattern << ' ' << text;
  }
}

}  // namespace
}  // namespace glyphward::policy
