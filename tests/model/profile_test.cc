#include "model/profile.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const std::string kHash(64, 'a');

class ProfileFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() /
        (std::string("glyphward_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string complaint(const std::string& text) const {
    std::ofstream(folder_ / "glyphward.json") << text;
    try {
      load_profile(folder_);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(ProfileFile, IsEmptyWhereThereIsNone) {
  const Profile profile = load_profile(folder_);
  EXPECT_FALSE(profile.num_inference_steps || profile.guidance_scale || profile.height ||
               profile.width || profile.localization);
}

TEST_F(ProfileFile, ReturnsWhatWasSaved) {
  Profile profile{
      .num_inference_steps = 12,
      .guidance_scale = 2.5,
      .height = 64,
      .width = 192,
      .localization = Localization{
          {"b.attn2", "a.attn2"}, kHash, {{"pairs", 30}, {"rows", json::array{1, "two"}}}, 0.125}};
  save_profile(folder_, profile);
  const Profile read = load_profile(folder_);
  EXPECT_EQ(read.num_inference_steps, 12);
  EXPECT_EQ(read.guidance_scale, 2.5);
  EXPECT_EQ(read.height, 64);
  EXPECT_EQ(read.width, 192);
  ASSERT_TRUE(read.localization);
  EXPECT_EQ(read.localization->layers, profile.localization->layers);
  EXPECT_EQ(read.localization->sha256, kHash);
  EXPECT_EQ(read.localization->from_share, 0.125);
  EXPECT_EQ(read.localization->evidence, profile.localization->evidence);
}

TEST(FromStep, IsTheSameShareOfAnyNumberOfSteps) {
  EXPECT_EQ(from_step(0, 12), 0);
  EXPECT_EQ(from_step(0.0833, 12), 1);
  EXPECT_EQ(from_step(0.0833, 50), 4);
  EXPECT_EQ(from_step(0.0833, 4), 0);
  EXPECT_EQ(from_step(0.99, 3), 2);  // some step is left to swap in
  EXPECT_EQ(from_step(0.99, 1), 0);
}

TEST_F(ProfileFile, IsWrittenForPeople) {
  save_profile(folder_,
               {.num_inference_steps = 12,
                .guidance_scale = 2.0,
                .height = {},
                .width = {},
                .localization = Localization{{"a"}, kHash, {{"share", 0.9667}, {"none", 0.0}}}});
  std::ifstream in(folder_ / "glyphward.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text,
            "{\n  \"defaults\": {\"num_inference_steps\": 12, \"guidance_scale\": 2},\n"
            "  \"localization\": {\n    \"layers\": [\"a\"],\n    \"sha256\": \"" +
                kHash + "\",\n    \"evidence\": {\"share\": 0.9667, \"none\": 0}\n  }\n}\n");
}

TEST_F(ProfileFile, ReplacesTheFileAndLeavesNothingElse) {
  std::ofstream(folder_ / "glyphward.json") << "{\"defaults\": {\"height\": 64}}";
  save_profile(folder_, {.num_inference_steps = 5,
                         .guidance_scale = {},
                         .height = {},
                         .width = {},
                         .localization = {}});
  EXPECT_FALSE(load_profile(folder_).height);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  EXPECT_EQ(fs::status(folder_ / "glyphward.json").permissions(), fs::perms(0644));
}

TEST_F(ProfileFile, KeepsTheOldFileWhenItCannotBeReplaced) {
  EXPECT_THROW(save_profile(folder_ / "missing", {}), std::system_error);
  // A folder of the file's name cannot be renamed over, for root neither.
  fs::create_directories(folder_ / "glyphward.json" / "inside");
  EXPECT_THROW(save_profile(folder_, {}), std::system_error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(ProfileFile, NamesWhatIsWrong) {
  const std::string hash = "\"sha256\": \"" + kHash + "\"";
  const std::pair<std::string, const char*> cases[] = {
      {"", "expected JSON"},
      {"{} x", "expected JSON"},
      {"[]", "expected an object"},
      {R"({"default": {}})", "default: expected one of defaults, localization"},
      {R"({"defaults": 3})", "defaults: expected an object"},
      {R"({"defaults": {"steps": 3}})", "defaults.steps: expected one of num_inference_steps"},
      {R"({"defaults": {"num_inference_steps": 0}})",
       "defaults.num_inference_steps: expected an integer from 1"},
      {R"({"defaults": {"num_inference_steps": 1.5}})", "found 1.5E0"},
      {R"({"defaults": {"guidance_scale": 0.5}})",
       "defaults.guidance_scale: expected a number from 1"},
      {R"({"defaults": {"guidance_scale": "2"}})", "found \"2\""},
      {R"({"defaults": {"width": -8}})", "defaults.width"},
      {R"({"localization": {"layers": []}})", "localization.sha256: expected this key"},
      {"{\"localization\": {" + hash + "}}", "localization.layers: expected this key"},
      {"{\"localization\": {" + hash + ", \"layers\": \"a\"}}",
       "localization.layers: expected array"},
      {"{\"localization\": {" + hash + ", \"layers\": [1]}}",
       "localization.layers: expected layer names"},
      {"{\"localization\": {" + hash + ", \"layers\": [\"a\", \"a\"]}}", "found a twice"},
      {"{\"localization\": {" + hash + ", \"layers\": [], \"evidence\": 1}}",
       "localization.evidence"},
      {"{\"localization\": {" + hash + ", \"layers\": [], \"from_share\": 1}}",
       "localization.from_share: expected a number from 0 to 0.99"},
      {R"({"localization": {"layers": [], "sha256": "ABC"}})", "64 hexadecimal digits"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string message = complaint(text);
    EXPECT_NE(message.find(expected), std::string::npos) << text << "\n" << message;
    EXPECT_NE(message.find("glyphward.json"), std::string::npos) << message;
  }
}

TEST(Profile, OfTheBundledModelGivesItsDefaults) {
  const Profile profile = load_profile(GLYPHWARD_BUNDLED_MODEL);
  EXPECT_EQ(profile.num_inference_steps, 12);
  EXPECT_EQ(profile.guidance_scale, 2.0);
}

}  // namespace
}  // namespace glyphward::model
