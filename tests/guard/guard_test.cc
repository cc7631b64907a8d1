#include "guard/guard.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "tests/guard/fakes.h"

namespace glyphward::guard {
namespace {

// What a layer's route makes the picture say: the text of the stream that kLayers[0] reads.
std::string quoted(const std::string& prompt) {
  const std::size_t open = prompt.find('"');
  return open == std::string::npos ? ""
                                   : prompt.substr(open + 1, prompt.find('"', open + 1) - open - 1);
}

const std::string& stream_text(const model::GenerationRequest& request, const std::string& name) {
  for (const model::TextStream& stream : request.streams)
    if (stream.name == name) return stream.text;
  throw std::runtime_error("no stream " + name);
}

std::string read_by(const model::GenerationRequest& request, const std::string& layer) {
  for (const model::LayerRoute& route : request.route.layers)
    if (route.layer == layer) return quoted(stream_text(request, route.stream));
  return quoted(stream_text(request, request.route.base));
}

struct Bench {
  explicit Bench(FakePipeline::Draw draw =
                     [](const auto& request) { return read_by(request, kLayers[0]); })
      : pipeline(std::move(draw)), ocr(pipeline), guard(pipeline, ocr, audit) {}

  Result<Screened> screened(const std::string& prompt, int n = 1) {
    ImageRequest request;
    request.request_id = "req";
    request.endpoint = "local";
    request.prompt = prompt;
    request.n = n;
    request.seed = 7;
    return screen(request, policy, pipeline);
  }

  Result<Answer> ask(const std::string& prompt, int n = 1) {
    Result<Screened> looked_at = screened(prompt, n);
    if (!looked_at) return looked_at.error();
    return guard.complete(*looked_at, stop.get_token());
  }

  std::shared_ptr<FakeLexicon> lexicon =
      std::make_shared<FakeLexicon>(std::vector<std::pair<std::string, int>>{
          {"fuck", 5}, {"shit", 4}, {"slur", 6}, {"worst", 7}, {"moron", 1}});
  std::shared_ptr<FakePolicy> policy = std::make_shared<FakePolicy>(lexicon);
  FakePipeline pipeline;
  FakeOcr ocr;
  FakeAudit audit;
  Guard guard;
  std::stop_source stop;
};

const Reply& reply(const Result<Answer>& answer) { return std::get<Reply>(answer.value()); }
const Refusal& refusal(const Result<Answer>& answer) { return std::get<Refusal>(answer.value()); }

std::vector<std::string> escalated_routes(const Record& record) {
  std::vector<std::string> routes;
  const boost::json::value steps = boost::json::parse(record.escalations_json);
  for (const auto& step : steps.as_array()) routes.emplace_back(step.at("route").as_string());
  return routes;
}

// ---- Screening ----------------------------------------------------------------------------------

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

TEST(Guard, WidenedLayersAreTheBlocksConcerned) {
  Bench bench;
  model::ModelInfo& info = bench.pipeline.mutable_info();
  EXPECT_EQ(widened_layers(info), (std::vector<std::string>{kLayers[0], kLayers[1]}));
  info.localized_layers = {kLayers[2]};
  EXPECT_TRUE(widened_layers(info).empty()) << "nothing is added";
  info.localized_layers = {kLayers[0], kLayers[2], kLayers[3]};
  EXPECT_TRUE(widened_layers(info).empty()) << "nothing is left out: that is a prompt swap";
  info.localized_layers = {kLayers[2], kLayers[4]};
  EXPECT_EQ(widened_layers(info), (std::vector<std::string>{kLayers[2], kLayers[3], kLayers[4]}));
  info.localized_layers.clear();
  EXPECT_TRUE(widened_layers(info).empty());
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

// ---- Moderations --------------------------------------------------------------------------------

TEST(Guard, ModerationLeavesARow) {
  Bench bench;
  ImageRequest request;
  request.request_id = "mod-1";
  request.endpoint = "/v1/moderations";
  request.prompt = "a sign \"fuck\"";
  const Result<Screened> screened = screen_text(request, bench.policy);
  ASSERT_TRUE(screened);
  EXPECT_TRUE(screened->decision.flagged);
  const Result<Record> record = record_moderation(*screened, bench.audit);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->endpoint, "/v1/moderations");
  EXPECT_EQ(record->outcome, "answered");
  EXPECT_EQ(record->route, "none");
  EXPECT_TRUE(bench.pipeline.requests.empty());
  bench.audit.failures = 1;
  EXPECT_EQ(record_moderation(*screened, bench.audit).error().code, ErrorCode::Unavailable);
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

// A policy that notes whom it was asked for, and watches with a rule on trial.
class WatchingPolicy : public FakePolicy {
 public:
  using FakePolicy::FakePolicy;
  policy::Decision decide(std::string_view prompt, const lexicon::Analysis& analysis,
                          std::string_view tenant) const override {
    policy::Decision decision = FakePolicy::decide(prompt, analysis, tenant);
    decision.observations.push_back({"trial for " + std::string(tenant), policy::Action::Block});
    return decision;
  }
};

TEST(Guard, RecordsTheTenantAndWhatARuleOnTrialWouldHaveDone) {
  Bench bench;
  bench.policy = std::make_shared<WatchingPolicy>(bench.lexicon);
  ImageRequest request;
  request.prompt = "a sign that says \"hello\"";
  request.tenant = "theatre";
  const auto screened = screen(request, bench.policy, bench.pipeline);
  ASSERT_TRUE(screened);
  const auto answer = bench.guard.complete(*screened, bench.stop.get_token());
  EXPECT_EQ(reply(answer).record.action, "allow");  // the verdict is that of the rules in force
  const auto moderated = record_moderation(*screen_text(request, bench.policy), bench.audit);
  for (const std::string& json :
       {reply(answer).record.parameters_json, moderated->parameters_json}) {
    const boost::json::value parameters = boost::json::parse(json);
    EXPECT_EQ(parameters.at("tenant").as_string(), "theatre");
    const boost::json::value& observed = parameters.at("observed").at(0);
    EXPECT_EQ(observed.at("rule").as_string(), "trial for theatre");
    EXPECT_EQ(observed.at("would_action").as_string(), "block");
  }
}

}  // namespace
}  // namespace glyphward::guard
