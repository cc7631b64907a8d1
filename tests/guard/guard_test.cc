#include "guard/guard.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "tests/guard/test_bench.h"

namespace glyphward::guard {
namespace {

// ---- Routes -------------------------------------------------------------------------------------

TEST(Guard, CleanPromptIsGeneratedPlainlyAndRead) {
  Bench bench;
  const Result<Answer> answer = bench.ask("a sign \"hello\"", 2);
  ASSERT_TRUE(answer);
  ASSERT_EQ(reply(answer).images.size(), 2u);
  EXPECT_EQ(bench.ocr.reads, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const model::GenerationRequest& request = bench.pipeline.requests[i];
    ASSERT_EQ(request.streams.size(), 1u);
    EXPECT_EQ(request.streams[0].text, "a sign \"hello\"");
    EXPECT_TRUE(request.route.layers.empty());
    EXPECT_EQ(request.route.base, request.streams[0].name);
    EXPECT_EQ(request.seeds, std::vector<std::uint64_t>{7 + i});
    EXPECT_EQ(reply(answer).images[i].route, "plain");
  }
  ASSERT_EQ(bench.audit.rows.size(), 1u);
  const Record& row = bench.audit.rows[0];
  EXPECT_EQ(row.outcome, "answered");
  EXPECT_EQ(row.action, "allow");
  EXPECT_EQ(row.route, "plain");
  EXPECT_EQ(row.ocr_reading, "hello\nhello");
  EXPECT_EQ(row.image_sha256.size(), 64u * 2 + 1);
  EXPECT_EQ(row.model, "fake");
  EXPECT_EQ(row.sanitized_prompt, "");
  EXPECT_EQ(boost::json::parse(row.parameters_json).at("seeds").as_array().size(), 2u);
  EXPECT_GT(boost::json::parse(row.timings_json).at("total_ms").as_double(), 0);
}

TEST(Guard, ToxicTextTakesTheLocalizedRoute) {
  Bench bench;
  const Result<Answer> answer = bench.ask("a sign \"fuck\"");
  ASSERT_TRUE(answer);
  EXPECT_EQ(reply(answer).images[0].route, "localized");
  EXPECT_EQ(reply(answer).images[0].reading, "kindness");
  ASSERT_EQ(bench.pipeline.requests.size(), 1u);
  const model::GenerationRequest& request = bench.pipeline.requests[0];
  EXPECT_EQ(request.route.base, "prompt");
  EXPECT_EQ(request.route.pooled, "prompt");
  ASSERT_EQ(request.route.layers.size(), 1u);
  EXPECT_EQ(request.route.layers[0].layer, kLayers[0]);
  EXPECT_EQ(stream_text(request, request.route.layers[0].stream), "a sign \"kindness\"");
  const Record& row = bench.audit.rows[0];
  EXPECT_EQ(row.action, "substitute");
  EXPECT_EQ(row.route, "localized");
  EXPECT_EQ(row.sanitized_prompt, "a sign \"kindness\"");
  EXPECT_EQ(row.escalations_json, "[]");
}

TEST(Guard, EscalatesToMoreLayers) {
  Bench bench([](const auto& request) { return read_by(request, kLayers[1]); });
  const Result<Answer> answer = bench.ask("a sign \"fuck\"");
  EXPECT_EQ(reply(answer).images[0].route, "more_layers");
  ASSERT_EQ(bench.pipeline.requests.size(), 2u);
  EXPECT_EQ(bench.pipeline.requests[1].route.layers.size(), 2u);
  EXPECT_EQ(escalated_routes(bench.audit.rows[0]), std::vector<std::string>{"localized"});
}

TEST(Guard, EscalatesToPromptSwap) {
  Bench bench([](const auto& request) { return read_by(request, kLayers[4]); });
  const Result<Answer> answer = bench.ask("a sign \"fuck\"");
  EXPECT_EQ(reply(answer).images[0].route, "prompt_swap");
  const model::GenerationRequest& last = bench.pipeline.requests.back();
  EXPECT_TRUE(last.route.layers.empty());
  EXPECT_EQ(stream_text(last, last.route.base), "a sign \"kindness\"");
  EXPECT_EQ(stream_text(last, last.route.pooled), "a sign \"kindness\"");
  EXPECT_EQ(escalated_routes(bench.audit.rows[0]),
            (std::vector<std::string>{"localized", "more_layers"}));
}

TEST(Guard, PictureThatDoesNotShowTheReplacementIsNotTrustedWhileALayerReadsTheToxicWord) {
  Bench bench([](const auto& request) { return request.route.base == "prompt" ? "qxwz" : ""; });
  const Result<Answer> answer = bench.ask("a sign \"fuck\"");
  EXPECT_EQ(reply(answer).images[0].route, "prompt_swap");
}

TEST(Guard, ModelWithoutProfileSwapsThePrompt) {
  Bench bench;
  bench.pipeline.mutable_info().localized_layers.clear();
  const Result<Answer> answer = bench.ask("a sign \"fuck\"");
  EXPECT_EQ(reply(answer).images[0].route, "prompt_swap");
  EXPECT_EQ(bench.pipeline.requests.size(), 1u);
}

TEST(Guard, RedactsWhatStillReadsToxic) {
  Bench bench([](const auto&) { return "FUCK"; });
  const Result<Answer> answer = bench.ask("a sign \"fuck\"");
  EXPECT_EQ(reply(answer).images[0].route, "redacted");
  EXPECT_EQ(reply(answer).images[0].reading, "");
  EXPECT_EQ(std::count(reply(answer).images[0].image.rgb.begin() + 3,
                       reply(answer).images[0].image.rgb.end(), 0),
            0);
  EXPECT_EQ(escalated_routes(bench.audit.rows[0]),
            (std::vector<std::string>{"localized", "more_layers", "prompt_swap"}));
  EXPECT_EQ(bench.audit.rows[0].route, "redacted");
}

TEST(Guard, RefusesWhatCannotBeRedacted) {
  Bench bench([](const auto&) { return "FUCK"; });
  bench.ocr.reads_through_ink = true;
  const Result<Answer> answer = bench.ask("a sign \"fuck\"");
  ASSERT_TRUE(answer);
  EXPECT_EQ(refusal(answer).reason.find("fuck"), std::string::npos);
  const Record& row = bench.audit.rows[0];
  EXPECT_EQ(row.outcome, "refused");
  EXPECT_EQ(row.image_sha256, "");
  EXPECT_NE(row.reason.find("fuck"), std::string::npos);
  EXPECT_FALSE(row.open_for_review);
}

TEST(Guard, RefusesAtOnceWhereThePolicyForbidsRedaction) {
  Bench bench([](const auto&) { return "FUCK"; });
  bench.policy->mutable_verification().redact = false;
  EXPECT_TRUE(std::holds_alternative<Refusal>(bench.ask("a sign \"fuck\"").value()));
  EXPECT_EQ(bench.ocr.reads, 3);
}

TEST(Guard, ToxicTextOnlyInThePictureIsRedactedNotDrawnAnew) {
  Bench bench([](const auto&) { return "SHIT"; });
  const Result<Answer> answer = bench.ask("a street at night");
  EXPECT_EQ(reply(answer).images[0].route, "redacted");
  EXPECT_EQ(bench.pipeline.requests.size(), 1u);
  EXPECT_EQ(escalated_routes(bench.audit.rows[0]), std::vector<std::string>{"plain"});
}

TEST(Guard, OneRefusedImageRefusesTheRequest) {
  int drawn = 0;
  Bench bench([&](const auto&) { return ++drawn == 1 ? "hello" : "SHIT"; });
  bench.ocr.reads_through_ink = true;
  const Result<Answer> answer = bench.ask("a sign \"hello\"", 3);
  EXPECT_TRUE(std::holds_alternative<Refusal>(answer.value()));
  EXPECT_EQ(bench.pipeline.requests.size(), 2u);
  EXPECT_EQ(bench.audit.rows[0].image_sha256, "");
}

TEST(Guard, RowHasTheStrongestRouteOfItsImages) {
  int drawn = 0;
  Bench bench(
      [&](const auto& request) { return ++drawn == 1 ? "FUCK" : read_by(request, kLayers[0]); });
  const Result<Answer> answer = bench.ask("a sign \"fuck\"", 2);
  EXPECT_EQ(reply(answer).images[0].route, "more_layers");
  EXPECT_EQ(reply(answer).images[1].route, "localized");
  EXPECT_EQ(bench.audit.rows[0].route, "more_layers");
}

// ---- Refusals before generation -----------------------------------------------------------------

TEST(Guard, ReviewAndBlockMakeNoPicture) {
  for (const auto& [word, review] : {std::pair{"slur", true}, std::pair{"worst", false}}) {
    Bench bench;
    const Result<Answer> answer = bench.ask(std::string("a sign \"") + word + "\"");
    ASSERT_TRUE(answer);
    EXPECT_TRUE(std::holds_alternative<Refusal>(*answer));
    EXPECT_TRUE(bench.pipeline.requests.empty());
    const Record& row = bench.audit.rows.at(0);
    EXPECT_EQ(row.outcome, "refused");
    EXPECT_EQ(row.route, "none");
    EXPECT_EQ(row.action, review ? "review" : "block");
    EXPECT_EQ(row.open_for_review, review);
  }
}

TEST(Guard, TextInAScriptThatNobodyReadsIsThePolicysToDecide) {
  const std::string prompt = "a sign \"\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82\"";
  Bench bench([](const auto&) { return ""; });
  EXPECT_TRUE(std::holds_alternative<Refusal>(bench.ask(prompt).value()));
  EXPECT_TRUE(bench.pipeline.requests.empty());
  EXPECT_FALSE(bench.audit.rows.back().open_for_review);
  bench.policy->mutable_verification().uninspectable = policy::Action::Review;
  EXPECT_TRUE(std::holds_alternative<Refusal>(bench.ask(prompt).value()));
  EXPECT_TRUE(bench.audit.rows.back().open_for_review);
  bench.policy->mutable_verification().uninspectable = policy::Action::Allow;
  EXPECT_TRUE(std::holds_alternative<Reply>(bench.ask(prompt).value()));
}

// ---- Failing closed -----------------------------------------------------------------------------

TEST(Guard, WithoutOcrNoPictureLeaves) {
  Bench bench;
  bench.ocr.fault = [] { throw std::runtime_error("Tesseract fell over"); };
  const Result<Answer> answer = bench.ask("a sign \"hello\"");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(bench.audit.rows.at(0).outcome, "failed");
  EXPECT_EQ(bench.audit.rows[0].image_sha256, "");
}

TEST(Guard, WithoutAuditNoPictureLeaves) {
  Bench bench;
  bench.audit.failures = 2;
  const Result<Answer> answer = bench.ask("a sign \"hello\"");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(bench.audit.rows.empty());
}

TEST(Guard, RowThatCouldNotBeWrittenIsFollowedByAFailedOne) {
  Bench bench;
  bench.audit.failures = 1;
  EXPECT_EQ(bench.ask("a sign \"hello\"").error().code, ErrorCode::Unavailable);
  EXPECT_EQ(bench.audit.rows.at(0).outcome, "failed");
}

TEST(Guard, ModelsFaultIsRecorded) {
  Bench bench([](const auto&) -> std::string { throw std::logic_error("shape mismatch"); });
  const Result<Answer> answer = bench.ask("a sign \"hello\"");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Internal);
  EXPECT_EQ(bench.audit.rows.at(0).outcome, "failed");
  EXPECT_NE(bench.audit.rows[0].reason.find("shape mismatch"), std::string::npos);
}

TEST(Guard, HangUpIsRecorded) {
  Bench bench;
  bench.stop.request_stop();
  EXPECT_EQ(bench.ask("a sign \"hello\"").error().code, ErrorCode::Cancelled);
  EXPECT_TRUE(bench.pipeline.requests.empty());
  EXPECT_EQ(bench.audit.rows.at(0).outcome, "cancelled");
}

TEST(Guard, HangUpDuringGenerationOrReadingReleasesNothing) {
  Bench during([](const auto& request) { return read_by(request, kLayers[0]); });
  const Result<Screened> screened = during.screened("a sign \"hello\"", 3);
  const Result<Answer> answer =
      during.guard.complete(*screened, during.stop.get_token(), [&](int step, int steps) {
        EXPECT_EQ(steps, 6);
        if (step == 3) during.stop.request_stop();
      });
  EXPECT_EQ(answer.error().code, ErrorCode::Cancelled);
  EXPECT_EQ(during.pipeline.requests.size(), 2u);
  EXPECT_EQ(during.audit.rows.at(0).outcome, "cancelled");
  EXPECT_EQ(during.audit.rows[0].image_sha256, "");

  Bench reading;
  reading.ocr.fault = [&] { reading.stop.request_stop(); };
  EXPECT_EQ(reading.ask("a sign \"hello\"").error().code, ErrorCode::Cancelled);
  EXPECT_EQ(reading.audit.rows.at(0).outcome, "cancelled");
}

// ---- What the policy sets -----------------------------------------------------------------------

TEST(Guard, TriesOnlyTheRoutesThatThePolicyNames) {
  Bench bench;
  bench.policy->mutable_verification().escalation = {"prompt_swap"};
  EXPECT_EQ(reply(bench.ask("a sign that says \"shit\"")).record.route, "prompt_swap");
  EXPECT_EQ(bench.pipeline.requests.size(), 1u);
  EXPECT_TRUE(bench.pipeline.requests[0].route.layers.empty());
}

TEST(Guard, RefusesWhereNoRouteThatThePolicyNamesFitsTheModel) {
  Bench bench;
  bench.policy->mutable_verification().escalation = {"localized", "more_layers"};
  bench.pipeline.mutable_info().localized_layers.clear();
  const auto answer = bench.ask("a sign that says \"shit\"");
  EXPECT_EQ(refusal(answer).record.outcome, "refused");
  EXPECT_NE(refusal(answer).record.reason.find("escalation"), std::string::npos);
  EXPECT_TRUE(bench.pipeline.requests.empty());
  EXPECT_EQ(reply(bench.ask("a sign that says \"hello\"")).record.route, "plain");
}

}  // namespace
}  // namespace glyphward::guard
