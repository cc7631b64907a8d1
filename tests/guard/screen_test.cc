#include "guard/screen.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <functional>

#include "tests/guard/test_bench.h"

namespace glyphward::guard {
namespace {

struct BadRequest {
  std::string param;
  std::function<void(ImageRequest&)> spoil;
};

TEST(Screen, NamesTheFieldAtFault) {
  Bench bench;
  const double nan = std::nan("");
  const std::vector<BadRequest> table = {
      {"prompt", [](auto& r) { r.prompt = ""; }},
      {"prompt", [](auto& r) { r.prompt = " \n\t"; }},
      {"prompt", [](auto& r) { r.prompt = std::string(32001, 'x'); }},
      {"prompt", [](auto& r) { r.prompt = std::string(1 << 20, 'x'); }},
      {"prompt", [](auto& r) { r.prompt = "cut \xE2\x82"; }},
      {"prompt", [](auto& r) { r.prompt = "a surrogate \xED\xA0\x80"; }},
      {"negative_prompt", [](auto& r) { r.negative_prompt = "\xFF"; }},
      {"negative_prompt", [](auto& r) { r.negative_prompt = std::string(32001, 'x'); }},
      {"n", [](auto& r) { r.n = 0; }},
      {"n", [](auto& r) { r.n = 11; }},
      {"num_inference_steps", [](auto& r) { r.settings.num_inference_steps = 0; }},
      {"num_inference_steps", [](auto& r) { r.settings.num_inference_steps = 1001; }},
      {"guidance_scale", [](auto& r) { r.settings.guidance_scale = 0.99; }},
      {"guidance_scale", [nan](auto& r) { r.settings.guidance_scale = nan; }},
      {"guidance_scale", [](auto& r) { r.settings.guidance_scale = 1e9; }},
      {"height", [](auto& r) { r.settings.height = 0; }},
      {"height", [](auto& r) { r.settings.height = 63; }},
      {"width", [](auto& r) { r.settings.width = -8; }},
      {"width", [](auto& r) { r.settings.width = 4096; }},
      {"scheduler", [](auto& r) { r.settings.scheduler = "HeunDiscreteScheduler"; }},
  };
  for (const BadRequest& bad : table) {
    ImageRequest request;
    request.prompt = "a sign \"hello\"";
    bad.spoil(request);
    const Result<Screened> result = screen(request, bench.policy, bench.pipeline);
    ASSERT_FALSE(result) << bad.param;
    EXPECT_EQ(result.error().code, ErrorCode::InvalidRequest);
    EXPECT_EQ(result.error().param, bad.param) << result.error().message;
  }
}

TEST(Screen, CountsCharactersNotBytes) {
  Bench bench;
  bench.pipeline.window = 1 << 20;
  std::string prompt;
  for (int i = 0; i < 32000; ++i) prompt += "\xE2\x82\xAC";
  EXPECT_TRUE(bench.screened(prompt));
  EXPECT_FALSE(bench.screened(prompt + "x"));
}

TEST(Screen, RefusesTextToBeDrawnBeyondTheWindow) {
  Bench bench;
  bench.pipeline.window = 20;
  const Result<Screened> cut = bench.screened("a red sign that says \"hello\"");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().param, "prompt");
  EXPECT_NE(cut.error().message.find("28 tokens"), std::string::npos) << cut.error().message;
}

TEST(Screen, StatesACutOutsideTheTextAndGuardsTheWhole) {
  Bench bench;
  bench.pipeline.window = 20;
  const Result<Answer> answer = bench.ask("a sign \"hello\" beside a very long road");
  ASSERT_TRUE(answer);
  const auto parameters = boost::json::parse(reply(answer).record.parameters_json);
  EXPECT_EQ(parameters.at("prompt_bytes_seen").as_int64(), 20);
  EXPECT_EQ(bench.screened("a sign \"hello\" beside fuck")->analysis.findings.size(), 1u);
}

TEST(Screen, NegativePromptIsScreenedForTheRecordOnly) {
  Bench bench;
  ImageRequest request;
  request.prompt = "a sign \"hello\"";
  request.negative_prompt = "a sign \"fuck\"";
  const Result<Screened> screened = screen(request, bench.policy, bench.pipeline);
  ASSERT_TRUE(screened);
  EXPECT_EQ(screened->decision.action, policy::Action::Allow);
  const Result<Answer> answer = bench.guard.complete(*screened, {});
  const auto parameters = boost::json::parse(reply(answer).record.parameters_json);
  EXPECT_EQ(parameters.at("negative_prompt_findings").as_array()[0].at("term").as_string(), "fuck");
  EXPECT_EQ(bench.pipeline.requests[0].negative_prompt, request.negative_prompt);
}

TEST(Screen, ModerationNeedsNoModelAndDecidesAllTheSame) {
  const Bench bench;
  ImageRequest request;
  request.prompt = "a sign \"shit\"";
  const Result<Screened> screened = screen_text(request, bench.policy);
  ASSERT_TRUE(screened);
  EXPECT_EQ(screened->decision.action, policy::Action::Substitute);
  EXPECT_EQ(screened->fit.tokens_max, 0);
  request.prompt = " ";
  EXPECT_EQ(screen_text(request, bench.policy).error().param, "prompt");
}

}  // namespace
}  // namespace glyphward::guard
