// The table of families: a row that forgets a place fails here.
#include "model/families/families.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/families/inspect.h"
#include "model/proposals.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A folder with configurations of each family: the published ones, and of Stable Diffusion 1 and 2
// the bundled model. Stage II of DeepFloyd IF is no checkpoint by itself.
std::map<std::string, fs::path> examples() {
  std::map<std::string, fs::path> folders = {
      {std::string(find_family(GLYPHWARD_BUNDLED_MODEL).name), GLYPHWARD_BUNDLED_MODEL}};
  for (const auto& entry : fs::directory_iterator(GLYPHWARD_PUBLISHED_CONFIGS)) {
    if (!entry.is_directory() || entry.path().filename() == "IF-II-L-v1.0") continue;
    folders.emplace(find_family(entry.path()).name, entry.path());
  }
  return folders;
}

// A folder with nothing but a model_index.json.
class IndexAlone {
 public:
  explicit IndexAlone(const json::object& index)
      : path_(fs::path(testing::TempDir()) / ("glyphward_index_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
    std::ofstream(path_ / "model_index.json") << json::serialize(index);
  }
  ~IndexAlone() { fs::remove_all(path_); }
  IndexAlone(const IndexAlone&) = delete;
  IndexAlone& operator=(const IndexAlone&) = delete;

  std::string load_error() const {
    try {
      load_pipeline(path_);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

 private:
  fs::path path_;
};

TEST(Families, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Family& family : families()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_TRUE(names.insert(family.pipeline_class).second) << family.pipeline_class;
    ASSERT_NE(family.open, nullptr) << family.name;
  }
}

TEST(Families, HaveConfigurationsThatInspectionDescribes) {
  const std::map<std::string, fs::path> folders = examples();
  for (const Family& family : families()) {
    const auto example = folders.find(std::string(family.name));
    ASSERT_NE(example, folders.end()) << family.name << " has none under tests/data/configs/";
    const CheckpointDescription description = inspect_checkpoint(example->second);
    EXPECT_EQ(description.family, family.name);
    EXPECT_FALSE(description.layers.empty()) << family.name;
    // Every network of the row is a part of the description.
    std::size_t networks = 0;
    for (const Component& component : family.components) {
      if (component.component_class.build) ++networks;
    }
    EXPECT_EQ(description.parts.size(), networks) << family.name;
  }
}

TEST(Families, SayWhatThePaperLocalizedInThem) {
  for (const Family& family : families()) EXPECT_TRUE(is_listed(family.name)) << family.name;
  EXPECT_FALSE(is_listed("another"));
}

// The classes are checked before any weights are looked for: an index alone is enough.
TEST(Families, RefuseAComponentOfAnotherClass) {
  const std::map<std::string, fs::path> folders = examples();
  for (const Family& family : families()) {
    const json::object index =
        load_json_object(folders.at(std::string(family.name)) / "model_index.json");
    const std::string file = "model_index.json: ";
    EXPECT_EQ(IndexAlone(index).load_error().find(file), std::string::npos) << family.name;
    for (const Component& component : family.components) {
      const std::string name(component.name);
      json::object spoilt = index;
      spoilt[name] = json::array{"diffusers", "AnotherClass"};
      EXPECT_NE(IndexAlone(spoilt).load_error().find(file + name + ": expected " +
                                                     std::string(component.component_class.name) +
                                                     ", found AnotherClass"),
                std::string::npos)
          << family.name << ": " << IndexAlone(spoilt).load_error();
    }
  }
}

TEST(Families, StableDiffusion3DoesWithoutT5) {
  json::object index = load_json_object(examples().at("stable-diffusion-3") / "model_index.json");
  index["text_encoder_3"] = json::array{nullptr, nullptr};
  index["tokenizer_3"] = json::array{nullptr, nullptr};
  EXPECT_EQ(IndexAlone(index).load_error().find("model_index.json"), std::string::npos);
}

TEST(Families, NetworksAreFoundByTheirClass) {
  ASSERT_NE(find_network("AutoencoderKL"), nullptr);
  EXPECT_STREQ(find_network("AutoencoderKL")->weights, "diffusion_pytorch_model");
  EXPECT_STREQ(find_network("T5EncoderModel")->weights, "model");
  EXPECT_EQ(find_network("CLIPTokenizer"), nullptr);  // holds no weights
  EXPECT_EQ(find_network("VQModel"), nullptr);
}

}  // namespace
}  // namespace glyphward::model
