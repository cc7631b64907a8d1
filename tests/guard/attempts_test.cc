#include "guard/attempts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "policy/rules.h"
#include "tests/guard/test_bench.h"

namespace glyphward::guard {
namespace {

std::vector<std::string> names(const std::vector<Attempt>& attempts) {
  std::vector<std::string> all;
  for (const Attempt& attempt : attempts) all.emplace_back(to_string(attempt.name));
  return all;
}

TEST(Attempts, RoutesHaveNamesOfTheirOwn) {
  std::set<std::string_view> seen;
  for (RouteName name : kRouteNames) {
    EXPECT_TRUE(seen.insert(to_string(name)).second) << to_string(name);
    EXPECT_EQ(route_named(to_string(name)), name);
  }
  EXPECT_EQ(route_named("localised"), std::nullopt);
  EXPECT_EQ(route_named(""), std::nullopt);
}

// The names that the policy's parser takes are just those that a substituted prompt can be tried
// by.
TEST(Attempts, PolicyNamesTheRoutesThatTheGuardCanTry) {
  for (RouteName name : kRouteNames) {
    const std::string text(to_string(name));
    std::vector<policy::Problem> problems;
    policy::read_policy("policy.toml",
                        "lexicons = [\"l.tsv\"]\n[verification]\nescalation = [\"" + text + "\"]\n",
                        problems);
    Bench bench;
    bench.policy->mutable_verification().escalation = {text};
    const Result<Screened> screened = bench.screened("a sign \"fuck\"");
    if (problems.empty())
      EXPECT_EQ(names(attempts_for(*screened, bench.pipeline.info())), std::vector{text});
    else
      EXPECT_THROW(attempts_for(*screened, bench.pipeline.info()), std::logic_error) << text;
  }
}

TEST(Attempts, FollowTheDecisionAndThePolicysOrder) {
  Bench bench;
  const model::ModelInfo& info = bench.pipeline.info();
  EXPECT_EQ(names(attempts_for(*bench.screened("a sign \"hello\""), info)),
            std::vector<std::string>{"plain"});
  EXPECT_EQ(names(attempts_for(*bench.screened("a sign \"fuck\""), info)),
            (std::vector<std::string>{"localized", "more_layers", "prompt_swap"}));
  EXPECT_TRUE(attempts_for(*bench.screened("a sign \"slur\""), info).empty());
  EXPECT_TRUE(attempts_for(*bench.screened("a sign \"worst\""), info).empty());
}

TEST(Attempts, OnlyAPromptSwapNeedsNoConfirmation) {
  Bench bench;
  for (const Attempt& attempt :
       attempts_for(*bench.screened("a sign \"fuck\""), bench.pipeline.info()))
    EXPECT_EQ(attempt.needs_confirmation, attempt.name != RouteName::PromptSwap)
        << to_string(attempt.name);
}

// The share of the steps that the profile leaves to the user's prompt holds for the localized
// layers alone: an escalation reads the sanitized prompt from the first step on.
TEST(Attempts, LocalizedLayersSwapFromTheProfilesStepOn) {
  Bench bench;
  bench.pipeline.mutable_info().localized_from_share = 0.5;
  Result<Screened> screened = bench.screened("a sign \"fuck\"");
  screened->request.settings.num_inference_steps = 8;
  const std::vector<Attempt> attempts = attempts_for(*screened, bench.pipeline.info());
  ASSERT_EQ(attempts.size(), 3u);
  EXPECT_EQ(attempts[0].route.layers.at(0).from_step, 4);
  for (const model::LayerRoute& layer : attempts[1].route.layers) EXPECT_EQ(layer.from_step, 0);
}

TEST(Attempts, WidenedLayersAreTheBlocksConcerned) {
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

}  // namespace
}  // namespace glyphward::guard
