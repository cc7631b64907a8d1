// POST /v1/moderations.
#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

TEST(Moderations, AnswerInOpenAisShapeWhileThePipelineWorks) {
  TestDaemon test;
  test.pace->close_gate();
  Connection busy(test.config.socket);
  busy.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  const Answer answer =
      ask(test.config.socket,
          post("/v1/moderations", R"({"input": ["a sign that says \"bitch\"", "a cat"]})"));
  ASSERT_EQ(answer.status, 200);
  EXPECT_TRUE(text_at(answer.body, "id").starts_with("modr-"));
  const json::array& results = answer.body.at("results").as_array();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(results[0].at("flagged").as_bool());
  EXPECT_FALSE(results[1].at("flagged").as_bool());
  const json::value& finding = results[0].at("findings").at(0);
  EXPECT_EQ(text_at(finding, "term"), "bitch");
  EXPECT_TRUE(results[0].at("categories").at(text_at(finding, "category")).as_bool());
  EXPECT_NEAR(results[0].at("category_scores").at(text_at(finding, "category")).to_number<double>(),
              finding.at("severity").to_number<double>() / 7, 1e-9);
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].endpoint, "/v1/moderations");
}

TEST(Moderations, NameTheFieldOfBadInput) {
  TestDaemon test;
  const BadInput table[] = {
      {"no input", "{}", 400, "input", "missing_required_parameter"},
      {"no texts", R"({"input": []})", 400, "input", "invalid_value"},
      {"a picture", R"({"input": [{"type": "image_url", "image_url": {"url": "x"}}]})", 400,
       "input", "invalid_value"},
      {"a number", R"({"input": 3})", 400, "input", "invalid_type"},
      {"empty", R"({"input": ""})", 400, "input", "invalid_value"},
      {"unknown", R"({"input": "a", "inputs": 1})", 400, "inputs", "unknown_parameter"},
  };
  for (const BadInput& bad : table) {
    const Answer answer = ask(test.config.socket, post("/v1/moderations", bad.body));
    EXPECT_EQ(answer.status, bad.status) << bad.note;
    EXPECT_EQ(answer.param(), bad.param) << bad.note;
    EXPECT_EQ(answer.code(), bad.code) << bad.note;
  }
}

}  // namespace
}  // namespace glyphward::daemon::testing
