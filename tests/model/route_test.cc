#include "model/route.h"

#include <gtest/gtest.h>

namespace glyphward::model {
namespace {

const std::vector<std::string> kLayers = {"down.attn2", "mid.attn2", "up.attn2"};

GenerationRequest request_of(std::vector<LayerRoute> layers) {
  GenerationRequest request;
  request.streams = {{"prompt", "a"}, {"sanitized", "b"}, {"third", "c"}};
  request.route.layers = std::move(layers);
  return request;
}

TEST(Route, SwitchesLayersFromTheirStepOn) {
  const auto plan = RoutePlan::make(
      request_of(
          {{"up.attn2", "third", 6}, {"up.attn2", "sanitized", 2}, {"mid.attn2", "sanitized", 0}}),
      kLayers, 10);
  ASSERT_TRUE(plan);
  for (int step = 0; step < 10; ++step) {
    EXPECT_EQ(plan->stream(0, step), 0u);
    EXPECT_EQ(plan->stream(1, step), 1u);
    EXPECT_EQ(plan->stream(2, step), step < 2 ? 0u : step < 6 ? 1u : 2u);
    EXPECT_EQ(plan->changes_at(step), step == 0 || step == 2 || step == 6) << step;
  }
}

TEST(Route, ReadsTheBaseWhereNothingIsListed) {
  GenerationRequest request = request_of({});
  request.route.base = "sanitized";
  const auto plan = RoutePlan::make(request, kLayers, 3);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->stream(0, 0), 1u);
  EXPECT_EQ(plan->stream(2, 2), 1u);
}

TEST(Route, PooledIsAStreamOfItsOwn) {
  GenerationRequest request = request_of({{"mid.attn2", "sanitized", 0}});
  EXPECT_EQ(RoutePlan::make(request, kLayers, 3)->pooled(), 0u);
  request.route.pooled = "third";
  EXPECT_EQ(RoutePlan::make(request, kLayers, 3)->pooled(), 2u);
}

TEST(Route, RefusesWhatItCannotFollow) {
  struct Case {
    const char* note;
    GenerationRequest request;
    const char* param;
  };
  GenerationRequest no_streams = request_of({});
  no_streams.streams.clear();
  GenerationRequest twins = request_of({});
  twins.streams[2].name = "prompt";
  GenerationRequest base = request_of({});
  base.route.base = "nobody";
  GenerationRequest pooled = request_of({});
  pooled.route.pooled = "nobody";
  const Case cases[] = {
      {"no streams", no_streams, "streams"},
      {"two of one name", twins, "streams"},
      {"unknown base", base, "route.base"},
      {"unknown pooled", pooled, "route.pooled"},
      {"unknown layer", request_of({{"up.attn1", "sanitized", 0}}), "route.layers"},
      {"empty layer", request_of({{"", "sanitized", 0}}), "route.layers"},
      {"unknown stream", request_of({{"up.attn2", "nobody", 0}}), "route.layers"},
      {"negative step", request_of({{"up.attn2", "sanitized", -1}}), "route.layers"},
      {"a step that never comes", request_of({{"up.attn2", "sanitized", 10}}), "route.layers"},
      {"twice for one step", request_of({{"up.attn2", "sanitized", 1}, {"up.attn2", "third", 1}}),
       "route.layers"},
  };
  for (const Case& c : cases) {
    const auto plan = RoutePlan::make(c.request, kLayers, 10);
    ASSERT_FALSE(plan) << c.note;
    EXPECT_EQ(plan.error().code, ErrorCode::InvalidRequest) << c.note;
    EXPECT_EQ(plan.error().param, c.param) << c.note;
  }
}

}  // namespace
}  // namespace glyphward::model
