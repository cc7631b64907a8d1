#include "model/checkpoint/json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/config_error.h"
#include "tests/model/checkpoint_copy.h"

namespace glyphward::model {
namespace {

TEST(CheckpointJson, ReadsPythonsInfinitiesAsNull) {
  const CheckpointCopy checkpoint;
  checkpoint.write("a.json", R"({"a": -Infinity, "b": [NaN, Infinity], "c \"NaN": "-Infinity\\"})");
  EXPECT_EQ(boost::json::serialize(load_json_object(checkpoint / "a.json")),
            R"({"a":null,"b":[null,null],"c \"NaN":"-Infinity\\"})");
  checkpoint.write("a.json", "{\"a\":" + std::string(5000000, ' ') + "-Infinity}");
  EXPECT_EQ(load_json_object(checkpoint / "a.json").size(), 1u);
  for (const char* content : {"{\"a\": \"\\", "{\"a\": -Infinite}", "{\"a\": \"NaN}"}) {
    checkpoint.write("a.json", content);
    EXPECT_THROW(load_json_object(checkpoint / "a.json"), ConfigError) << content;
  }
}

TEST(CheckpointJson, ReadsTheInfinityThatDiffusersWrites) {
  const auto file = std::filesystem::temp_directory_path() / "glyphward_scheduler_config.json";
  std::ofstream(file)
      << R"({"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity})";
  EXPECT_TRUE(load_json_object(file).at("lambda_min_clipped").is_null());
  std::ofstream(file) << R"({"lambda_min_clipped": )";
  EXPECT_THROW(load_json_object(file), ConfigError);
  std::filesystem::remove(file);
  EXPECT_THROW(load_json_object(file), ConfigError);
}

TEST(CheckpointJson, RefusesWhatIsNoObjectAndWhatIsTooLong) {
  const CheckpointCopy checkpoint;
  for (const char* content : {"", "[1]", "3", "null", "{} {}", "\xff\xfe"}) {
    checkpoint.write("a.json", content);
    EXPECT_THROW(load_json_object(checkpoint / "a.json"), ConfigError) << content;
  }
  checkpoint.write("a.json", "{}" + std::string((16u << 20) - 2, ' '));
  EXPECT_TRUE(load_json_object(checkpoint / "a.json").empty());
  checkpoint.write("a.json", "{}" + std::string((16u << 20) - 1, ' '));
  EXPECT_THROW(load_json_object(checkpoint / "a.json"), ConfigError);
}

TEST(CheckpointJson, QuotesALongValueByItsBeginning) {
  EXPECT_EQ(quote(boost::json::array{1, nullptr, "a"}), R"([1,null,"a"])");
  EXPECT_EQ(quote(boost::json::string(78, 'x')), '"' + std::string(78, 'x') + '"');
  EXPECT_EQ(quote(boost::json::string(200, 'x')), '"' + std::string(79, 'x') + "...");
}

}  // namespace
}  // namespace glyphward::model
