#include "guard/record_of.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "guard/finding_json.h"
#include "tests/guard/test_bench.h"

namespace glyphward::guard {
namespace {

TEST(RecordOf, ModerationLeavesARow) {
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

// A row of 32 kB of terms was 0.84 MB.
TEST(RecordOf, ARowIsNotMuchLongerThanItsPrompt) {
  Bench bench;
  for (const char* unit : {"fuck ", "\"fuck\" "}) {
    ImageRequest request;
    request.prompt = "a sign ";
    while (request.prompt.size() < 31000) request.prompt += unit;
    Result<Screened> screened = screen_text(request, bench.policy);
    ASSERT_TRUE(screened);
    EXPECT_GT(screened->analysis.findings.size(), 10 * kListedMax);
    for (lexicon::Finding& finding : screened->analysis.findings) {
      finding.steps = {"invisible", "compatibility", "confusables", "leet", "separators"};
      finding.list = "default.tsv";
      finding.reading = finding.ordinary = std::string(10 * kReadingMax, 'x');
    }
    const Result<Record> record = record_moderation(*screened, bench.audit);
    ASSERT_TRUE(record);
    const std::size_t size = record->prompt.size() + record->sanitized_prompt.size() +
                             record->rendered_json.size() + record->findings_json.size() +
                             record->parameters_json.size();
    EXPECT_LT(size, 3 * request.prompt.size() + 65536);
    const boost::json::value parameters = boost::json::parse(record->parameters_json);
    EXPECT_EQ(parameters.at("findings_total").to_number<std::size_t>(),
              screened->analysis.findings.size());
  }
}

TEST(RecordOf, ARowHoldsBothReadingsOfEachFinding) {
  Bench bench;
  ImageRequest request;
  request.prompt = "a sign \"fuck\"";
  Result<Screened> screened = screen_text(request, bench.policy);
  ASSERT_TRUE(screened);
  ASSERT_EQ(screened->analysis.findings.size(), 1u);
  lexicon::Finding& finding = screened->analysis.findings[0];
  finding.evidence = 8.25;
  finding.reading = "mask(u)@1";
  finding.ordinary = "masked f*ck 17.1";
  screened->negative.findings.push_back(finding);
  const boost::json::value row =
      boost::json::parse(record_moderation(*screened, bench.audit)->findings_json).at(0);
  const Record record = record_of(*screened, bench.pipeline.info());
  const boost::json::value negative =
      boost::json::parse(record.parameters_json).at("negative_prompt_findings").at(0);
  for (const boost::json::value& told : {row, negative}) {
    EXPECT_EQ(told.at("evidence").as_double(), 8.2);
    EXPECT_EQ(told.at("reading").as_string(), "mask(u)@1");
    EXPECT_EQ(told.at("ordinary").as_string(), "masked f*ck 17.1");
  }
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

TEST(RecordOf, RecordsTheTenantAndWhatARuleOnTrialWouldHaveDone) {
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

TEST(RecordOf, StatesWhatIsAskedOfTheModel) {
  Bench bench;
  Result<Screened> screened = bench.screened("a sign \"fuck\"", 2);
  ASSERT_TRUE(screened);
  screened->request.settings.guidance_scale = 3.5;
  const Record record = record_of(*screened, bench.pipeline.info());
  EXPECT_EQ(record.model, "fake");
  EXPECT_EQ(record.weights_sha256, "weights");
  EXPECT_EQ(record.action, "substitute");
  EXPECT_EQ(record.sanitized_prompt, "a sign \"kindness\"");
  EXPECT_EQ(record.route, "none");
  EXPECT_EQ(record.outcome, "");
  const boost::json::value parameters = boost::json::parse(record.parameters_json);
  EXPECT_EQ(parameters.at("n").as_int64(), 2);
  EXPECT_EQ(parameters.at("seeds").at(1).as_int64(), 8);
  EXPECT_EQ(parameters.at("guidance_scale").as_double(), 3.5) << "as asked";
  EXPECT_EQ(parameters.at("num_inference_steps").as_int64(), 2) << "the model's own";
  EXPECT_TRUE(parameters.at("scheduler").is_null());
}

}  // namespace
}  // namespace glyphward::guard
