// What is read of OpenAI's bodies, and what is written; which bodies are refused over a socket is
// in generations_test.cc and moderations_test.cc.
#include "daemon/http/openai.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>

#include "tests/guard/fakes.h"

namespace glyphward::daemon {
namespace {

namespace json = boost::json;

model::ModelInfo fake_model() {
  model::ModelInfo info;
  info.name = "fake";
  return info;
}

TEST(ParseGeneration, ReadsEveryField) {
  const auto call = parse_generation(
      R"({"prompt": "a cat", "model": "fake", "n": 3, "size": "320x192", "seed": 5,
          "num_inference_steps": 20, "guidance_scale": 4.5, "negative_prompt": "a dog",
          "scheduler": "DDIMScheduler", "user": "me", "response_format": "b64_json",
          "output_format": "png", "stream": false, "style": "vivid", "quality": null})",
      fake_model());
  ASSERT_TRUE(call);
  const guard::ImageRequest& request = call->request;
  EXPECT_EQ(request.prompt, "a cat");
  EXPECT_EQ(request.negative_prompt, "a dog");
  EXPECT_EQ(request.n, 3);
  EXPECT_EQ(request.seed, 5u);
  EXPECT_EQ(request.client, R"( user="me")");
  EXPECT_EQ(request.settings.width, 320);
  EXPECT_EQ(request.settings.height, 192);
  EXPECT_EQ(request.settings.num_inference_steps, 20);
  EXPECT_EQ(request.settings.guidance_scale, 4.5);
  EXPECT_EQ(request.settings.scheduler, "DDIMScheduler");
  EXPECT_TRUE(call->size_given);
  EXPECT_EQ(call->ignored, std::vector<std::string>{"style"});
}

TEST(ParseGeneration, LeavesToTheModelWhatIsNotGiven) {
  const auto call = parse_generation(R"({"prompt": "a cat", "size": "auto"})", fake_model());
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.n, 1);
  EXPECT_FALSE(call->request.settings.width);
  EXPECT_FALSE(call->request.settings.height);
  EXPECT_FALSE(call->request.settings.num_inference_steps);
  EXPECT_FALSE(call->request.settings.guidance_scale);
  EXPECT_FALSE(call->size_given);
  EXPECT_TRUE(call->ignored.empty());
}

TEST(ParseGeneration, TakesSizeAndWidthThatAgree) {
  const auto call =
      parse_generation(R"({"prompt": "a", "size": "64x32", "width": 64})", fake_model());
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.settings.height, 32);
}

TEST(ParseGeneration, NamesTheFirstFaultOfSeveral) {
  const auto call = parse_generation(R"({"n": "x", "model": "other", "nn": 1})", fake_model());
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().param, "prompt");
}

TEST(ParseModeration, TakesAStringStringsAndTextParts) {
  EXPECT_EQ(*parse_moderation(R"({"input": "a"})"), std::vector<std::string>{"a"});
  const std::vector<std::string> two{"a", "b"};
  EXPECT_EQ(*parse_moderation(R"({"model": "any", "input": ["a", {"type": "text", "text": "b"}]})"),
            two);
}

TEST(ParseModeration, BoundsHowManyTexts) {
  const auto texts = [](int count) {
    json::array input(static_cast<std::size_t>(count), json::value("a"));
    return parse_moderation(json::serialize(json::object{{"input", std::move(input)}}));
  };
  EXPECT_FALSE(texts(0));
  EXPECT_TRUE(texts(guard::kModerationTextsMax));
  ASSERT_FALSE(texts(guard::kModerationTextsMax + 1));
  EXPECT_EQ(texts(guard::kModerationTextsMax + 1).error().message, "input: expected 1 to 32 texts");
}

TEST(ParseModeration, TakesTextOnly) {
  for (const char* entry :
       {"3", "[]", "null", R"({"type": "text"})", R"({"text": "a"})",
        R"({"type": "text", "text": 3})", R"({"type": "image_url", "text": "a"})"}) {
    const auto texts = parse_moderation(std::string(R"({"input": ["a", )") + entry + "]}");
    ASSERT_FALSE(texts) << entry;
    EXPECT_EQ(texts.error().message,
              "input: expected strings or text parts: only text is judged here");
  }
}

TEST(TenantOf, ReadsOneHeaderOfAnyCase) {
  Exchange exchange;
  EXPECT_EQ(*tenant_of(exchange), "");
  exchange.headers = {{"openai-PROJECT", "team-a"}};
  EXPECT_EQ(*tenant_of(exchange), "team-a");
  exchange.headers = {{"OpenAI-Project", "two words"}};
  EXPECT_EQ(tenant_of(exchange).error().param, "OpenAI-Project");
  exchange.headers = {{"OpenAI-Project", "a"}, {"OpenAI-Project", "a"}};
  EXPECT_FALSE(tenant_of(exchange));
}

TEST(GenerationReply, HasOpenAisMembersAndOurs) {
  guard::Reply reply;
  reply.record.request_id = "req_1";
  reply.record.sequence = 4;
  reply.record.action = "substitute";
  reply.record.rule = "slurs";
  reply.record.route = "localized";
  reply.record.ocr_reading = "hello";
  reply.record.policy_revision = "abc";
  reply.record.sanitized_prompt = "a sign that says \"hello\"";
  for (int i = 0; i < 2; ++i) {
    guard::ReleasedImage image;
    image.image.width = 64;
    image.image.height = 32;
    image.png = "foobar";
    image.route = "localized";
    image.reading = "hello";
    reply.images.push_back(image);
  }
  GenerationCall call;
  call.request.seed = 7;
  call.ignored = {"style"};
  EXPECT_EQ(
      json::serialize(generation_reply(reply, call, 99)),
      R"({"created":99,"data":[)"
      R"({"b64_json":"Zm9vYmFy","revised_prompt":"a sign that says \"hello\""},)"
      R"({"b64_json":"Zm9vYmFy","revised_prompt":"a sign that says \"hello\""}],)"
      R"("output_format":"png","size":"64x32","glyphward":{"request_id":"req_1","sequence":4,)"
      R"("action":"substitute","rule":"slurs","route":"localized","reading":"hello",)"
      R"("policy_revision":"abc","images":[{"seed":7,"route":"localized","reading":"hello"},)"
      R"({"seed":8,"route":"localized","reading":"hello"}],"ignored":["style"]}})");
}

TEST(RefusalResponse, IsAnErrorThatNamesTheDecision) {
  guard::Refusal refusal;
  refusal.reason = "The policy refuses it.";
  refusal.record.request_id = "req_1";
  refusal.record.sequence = 4;
  refusal.record.action = "block";
  refusal.record.rule = "slurs";
  refusal.record.policy_revision = "abc";
  const Response response = refusal_response(refusal);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body,
            R"({"error":{"message":"The policy refuses it.","type":"invalid_request_error",)"
            R"("param":"prompt","code":"content_policy_violation"},"glyphward":)"
            R"({"request_id":"req_1","sequence":4,"action":"block","rule":"slurs",)"
            R"("policy_revision":"abc"}})");
}

TEST(ModerationResult, ScoresByTheHighestSeverity) {
  guard::Screened screened;
  const auto lexicon =
      std::make_shared<guard::FakeLexicon>(std::vector<std::pair<std::string, int>>{{"heck", 3}});
  const auto policy = std::make_shared<guard::FakePolicy>(lexicon);
  policy->mutable_categories() = {{"competitor", "none"}, {"scam", "illicit"}};
  screened.policy = policy;
  const auto find = [&](const std::string& category, int severity, bool rendered) {
    lexicon::Finding finding;
    finding.category = category;
    finding.severity = severity;
    finding.rendered = rendered;
    screened.analysis.findings.push_back(finding);
  };
  const std::string first = std::string(lexicon::kCategories[0].name);
  const std::string second = std::string(lexicon::kCategories[1].name);
  find(first, 7, false);
  find(first, 3, true);
  find(second, 7, false);
  const json::object result = moderation_result(screened);
  EXPECT_EQ(result.at("categories").at(first), json::value(true));
  EXPECT_EQ(result.at("categories").at(second), json::value(false));  // is not to be rendered
  EXPECT_EQ(result.at("category_scores").at(first), json::value(1.0));
  EXPECT_EQ(result.at("category_scores").at(second), json::value(1.0));
  EXPECT_EQ(result.at("findings").as_array().size(), 3u);
  EXPECT_EQ(result.at("categories").as_object().size(), std::size(lexicon::kCategories) + 2);
  EXPECT_EQ(result.at("categories").at("scam"), json::value(false));
  EXPECT_EQ(result.at("openai_categories").as_object().size(),
            std::size(lexicon::kOpenAiCategories));
  EXPECT_EQ(result.at("openai_categories").at("harassment"), json::value(true));
  EXPECT_EQ(result.at("openai_categories").at("illicit"), json::value(false));
  find("scam", 2, true);
  find("competitor", 2, true);
  const json::object own = moderation_result(screened);
  EXPECT_EQ(own.at("categories").at("competitor"), json::value(true));
  EXPECT_EQ(own.at("openai_categories").at("illicit"), json::value(true));
  EXPECT_FALSE(own.at("openai_categories").as_object().contains("none"));
}

}  // namespace
}  // namespace glyphward::daemon
