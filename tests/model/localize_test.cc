#include "model/localize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace glyphward::model {
namespace {

// Draws a word as a row of letters and a scene as the ground's brightness. `letters` says which of
// the five letters a set of layers makes the target's, `scene` how much of the ground's change it
// makes.
class FakePipeline final : public Pipeline {
 public:
  using Set = std::set<std::string>;
  FakePipeline(std::vector<std::string> layers, std::function<std::set<int>(const Set&)> letters,
               std::function<double(const Set&)> scene)
      : letters_(std::move(letters)), scene_(std::move(scene)) {
    info_.attention_layers = std::move(layers);
  }

  const ModelInfo& info() const override { return info_; }
  PromptFit fit(std::string_view prompt) const override { return {1, 2, prompt.size()}; }

  Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                              const Progress&) override {
    ++calls;
    if (stop.stop_requested()) return Error{ErrorCode::Cancelled, "cancelled", ""};
    if (calls == fail_at) return Error{ErrorCode::Unavailable, "no device", ""};
    Set set;
    std::string word = request.streams.at(0).text;
    double change = 0;
    int from_step = 0;
    for (const LayerRoute& route : request.route.layers) {
      set.insert(route.layer);
      from_step = route.from_step;
    }
    const bool all = set.size() == info_.attention_layers.size();
    // All layers: the other prompt itself.
    EXPECT_EQ(request.route.base, all ? "target" : "prompt");
    EXPECT_EQ(request.route.pooled, request.route.base);
    if (!set.empty()) {
      // The first steps make the scene: half of its change is gone with each. Letters last longer.
      if (from_step < letters_until) {
        for (int i : letters_(set)) word[i] = request.streams.at(1).text[i];
      }
      change = std::ldexp(scene_(set), -from_step);
    }
    Image image{.width = 40, .height = 24, .rgb = {}};
    image.rgb.assign(40 * 24 * 3, static_cast<std::uint8_t>(100 + std::lround(100 * change)));
    for (std::size_t i = 0; i < word.size(); ++i) {
      image.rgb[(10 * 40 + 10 + i) * 3] = static_cast<std::uint8_t>(word[i]);
    }
    return Generation{{image}, {}, {}};
  }

  ModelInfo& mutable_info() { return info_; }

  int calls = 0;
  int fail_at = -1;
  int letters_until = 1000;  // a swap from this step on is too late for the word

 private:
  std::function<std::set<int>(const Set&)> letters_;
  std::function<double(const Set&)> scene_;
  ModelInfo info_;
};

PairScore read(const Image& image, const PromptPair& pair) {
  PairScore score;
  std::string word;
  for (std::size_t i = 0; i < 5; ++i) word += static_cast<char>(image.rgb[(10 * 40 + 10 + i) * 3]);
  const auto equal = [&](const std::string& other) {
    double same = 0;
    for (std::size_t i = 0; i < 5; ++i) same += word[i] == other[i] ? 0.2 : 0;
    return same;
  };
  score.target_exact = word == pair.target_word;
  score.source_exact = word == pair.source_word;
  score.target_letters = equal(pair.target_word);
  score.source_letters = equal(pair.source_word);
  score.boxes = {{10, 10, 15, 11}};
  return score;
}

std::vector<PromptPair> pairs() {
  return {{"abcde", "fghij", "abcde", "fghij", 1, "open"},
          {"klmno", "pqrst", "klmno", "pqrst", 2, "stated"}};
}

LocalizationReport report(FakePipeline& pipeline, const LocalizeOptions& options = {}) {
  const auto result = localize(pipeline, pairs(), read, options, {});
  EXPECT_TRUE(result.has_value());
  return *result;
}

using Names = std::vector<std::string>;
const std::set<int> kAll = {0, 1, 2, 3, 4};

// `best` and `second` are the best alone and say the same; `quiet` shows nothing alone and
// completes `best`.
std::set<int> complementary(const FakePipeline::Set& set) {
  std::set<int> letters;
  if (set.contains("best")) letters = {0, 1, 2};
  if (set.contains("second")) letters.insert({0, 1});
  if (set.contains("best") && (set.contains("quiet") || set.contains("loud"))) letters = kAll;
  return letters;
}

double scene_of(const FakePipeline::Set& set) {
  return (set.contains("scene") ? 0.8 : 0) + (set.contains("loud") ? 0.5 : 0);
}

TEST(Localize, GrowsByWhatTheSetReads) {
  FakePipeline pipeline({"quiet", "scene", "second", "best"}, complementary, scene_of);
  const LocalizationReport found = report(pipeline);
  EXPECT_EQ(found.layers, (Names{"quiet", "best"})) << found.reason;
  EXPECT_NE(found.reason.find("2 of 4 layers"), std::string::npos) << found.reason;
  ASSERT_GE(found.rows.size(), 6u);
  EXPECT_TRUE(found.rows[0].layers.empty());
  EXPECT_EQ(found.rows[0].source_exact, 1);
  EXPECT_EQ(found.rows[0].outside_mse, 0);
  EXPECT_NEAR(found.rows[0].psnr, 148.13, 0.01);  // the paper's figure for identical pictures
  EXPECT_EQ(found.rows[1].layers.size(), 4u);
  EXPECT_EQ(found.rows[1].carried, 1);
  EXPECT_NEAR(found.rows[1].outside_mse, std::pow(80 / 255.0, 2), 1e-9);
  EXPECT_EQ(found.rows[1].forms.at("open").pairs, 1);
  EXPECT_NEAR(found.rows[1].forms.at("open").outside_mse, std::pow(80 / 255.0, 2), 1e-9);
  EXPECT_EQ(found.rows[2].layers, (Names{"quiet"}));
  EXPECT_EQ(found.rows[2].target_letters, 0);
}

TEST(Localize, DrawsNoSetTwice) {
  FakePipeline pipeline({"quiet", "scene", "second", "best"}, complementary, scene_of);
  const LocalizationReport found = report(pipeline);
  std::set<Names> sets;
  for (const LayerSetResult& row : found.rows) EXPECT_TRUE(sets.insert(row.layers).second);
  EXPECT_EQ(pipeline.calls, static_cast<int>(found.rows.size() * pairs().size()));
}

TEST(Localize, PrefersOfEqualSetsTheOneThatKeepsThePicture) {
  // "loud" does what "quiet" does, comes first, and changes the scene.
  FakePipeline pipeline({"loud", "quiet", "scene", "best"}, complementary, scene_of);
  EXPECT_EQ(report(pipeline).layers, (Names{"quiet", "best"}));
}

TEST(Localize, LeavesOutWhatTheSetDoesWithout) {
  // "first" reads most alone, but "left" and "right" need nobody else.
  const auto letters = [](const FakePipeline::Set& set) {
    std::set<int> letters;
    if (set.contains("first")) letters = {0, 1, 2};
    if (set.contains("left")) letters.insert(3);
    if (set.contains("left") && set.contains("right")) letters = kAll;
    return letters;
  };
  FakePipeline pipeline({"first", "left", "right", "idle"}, letters,
                        [](const auto& set) { return 0.1 * set.size(); });
  EXPECT_EQ(report(pipeline).layers, (Names{"left", "right"}));
}

TEST(Localize, SaysWhyNoSetWasFound) {
  const auto only_all = [](const FakePipeline::Set& set) {
    return set.size() == 3 ? kAll : std::set<int>{};
  };
  FakePipeline pipeline({"a", "b", "c"}, only_all, scene_of);
  LocalizationReport found = report(pipeline);
  EXPECT_TRUE(found.layers.empty());
  EXPECT_NE(found.reason.find("no set tried"), std::string::npos) << found.reason;

  FakePipeline silent(
      {"a", "b", "c"}, [](const auto&) { return std::set<int>{}; }, scene_of);
  found = report(silent);
  EXPECT_TRUE(found.layers.empty());
  EXPECT_NE(found.reason.find("none of 2 pairs"), std::string::npos) << found.reason;
  EXPECT_EQ(found.rows.size(), 2u);
}

TEST(Localize, KeepsToTheLargestSetAllowed) {
  FakePipeline pipeline({"quiet", "scene", "second", "best"}, complementary, scene_of);
  const LocalizationReport found =
      report(pipeline, {.carry_share = 0.9, .outside_share = 0.34, .layers_max = 1});
  EXPECT_TRUE(found.layers.empty());
  EXPECT_EQ(found.rows.size(), 6u);
}

TEST(Localize, BeginsLaterWhereTheSceneChangesAtOnce) {
  FakePipeline pipeline({"loud", "second", "scene", "best"}, complementary, scene_of);
  pipeline.mutable_info().num_inference_steps = 12;
  const LocalizeOptions strict{.carry_share = 0.9, .outside_share = 0.1, .layers_max = 0};
  LocalizationReport found = report(pipeline, strict);
  EXPECT_EQ(found.layers, (Names{"loud", "best"}));
  EXPECT_EQ(found.from_step, 1)
      << found.reason;  // 0.5^2 of 1.3^2 is more than a tenth, 0.25^2 less
  EXPECT_NE(found.reason.find("2 of 4 layers from step 1 on"), std::string::npos) << found.reason;
  const auto rows =
      measure_layer_sets(pipeline, pairs(), read, {found.layers}, found.from_step, {});
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ((*rows)[2].from_step, 1);
  EXPECT_NEAR((*rows)[2].outside_mse, found.rows.back().outside_mse, 1e-12);

  // Where the word does not wait for the scene, the word comes first.
  FakePipeline hasty({"loud", "second", "scene", "best"}, complementary, scene_of);
  hasty.mutable_info().num_inference_steps = 12;
  hasty.letters_until = 1;
  found = report(hasty, strict);
  EXPECT_EQ(found.from_step, 0);
  EXPECT_NE(found.reason.find("a greater share than asked for"), std::string::npos) << found.reason;
}

TEST(Localize, TellsWhereThePictureChangesMoreThanAsked) {
  FakePipeline pipeline({"loud", "second", "best"}, complementary, scene_of);
  pipeline.mutable_info().num_inference_steps = 1;
  const LocalizationReport found = report(pipeline);
  EXPECT_EQ(found.layers, (Names{"loud", "best"}));
  EXPECT_NE(found.reason.find("a greater share than asked for"), std::string::npos) << found.reason;
}

TEST(Localize, CountsPairsWithoutABoxAndTheirWholePicture) {
  FakePipeline pipeline({"quiet", "scene", "second", "best"}, complementary, scene_of);
  const auto blind = [](const Image& image, const PromptPair& pair) {
    PairScore score = read(image, pair);
    score.boxes.clear();
    return score;
  };
  const auto found = localize(pipeline, pairs(), blind, {}, {});
  ASSERT_TRUE(found.has_value());
  for (const LayerSetResult& row : found->rows) EXPECT_EQ(row.pairs_without_box, 2);
  const auto& sets = found->rows;
  const auto best = std::ranges::find(sets, Names{"best"}, &LayerSetResult::layers);
  EXPECT_GT(best->outside_mse, 0);  // the letters themselves, which a box would have covered
}

TEST(Localize, LeavesOutPicturesThatABoxCoversWhole) {
  FakePipeline pipeline({"quiet", "scene", "second", "best"}, complementary, scene_of);
  const auto covered = [](const Image& image, const PromptPair& pair) {
    PairScore score = read(image, pair);
    if (pair.form == "stated") score.boxes = {{0, 0, image.width, image.height}};
    return score;
  };
  const auto rows = measure_layer_sets(pipeline, pairs(), covered, {}, 0, {});
  ASSERT_TRUE(rows.has_value());
  EXPECT_NEAR((*rows)[1].outside_mse, std::pow(80 / 255.0, 2), 1e-9);
  EXPECT_EQ((*rows)[1].forms.at("stated").outside_mse, 0);
}

TEST(Localize, MeasuresGivenSets) {
  FakePipeline pipeline({"quiet", "scene", "second", "best"}, complementary, scene_of);
  const auto rows =
      measure_layer_sets(pipeline, pairs(), read, {{"best", "quiet"}, {"second"}}, 0, {});
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[2].layers, (Names{"quiet", "best"}));
  EXPECT_EQ((*rows)[2].carried, 1);
  EXPECT_EQ((*rows)[3].carried, 0);
  EXPECT_NEAR((*rows)[3].target_letters, 0.4, 1e-9);
  EXPECT_EQ(measure_layer_sets(pipeline, pairs(), read, {{"other"}}, 0, {}).error().param,
            "layers");
}

TEST(Localize, StopsWhenAsked) {
  FakePipeline pipeline({"quiet", "scene", "second", "best"}, complementary, scene_of);
  std::stop_source stop;
  const auto result = localize(pipeline, pairs(), read, {}, stop.get_token(),
                               [&](int done, int total, const LayerSetResult&) {
                                 EXPECT_LE(done, total);
                                 if (done == 5) stop.request_stop();
                               });
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::Cancelled);
  EXPECT_EQ(pipeline.calls, 6);
}

TEST(Localize, PassesOnErrors) {
  FakePipeline pipeline({"quiet", "best"}, complementary, scene_of);
  pipeline.fail_at = 3;
  EXPECT_EQ(localize(pipeline, pairs(), read, {}, {}).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(localize(pipeline, {}, read, {}, {}).error().param, "pairs");
  FakePipeline single({"best"}, complementary, scene_of);
  EXPECT_EQ(localize(single, pairs(), read, {}, {}).error().param, "model");
}

}  // namespace
}  // namespace glyphward::model
