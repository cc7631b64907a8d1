#include "model/tokenizers/clip_tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const fs::path kBundled = fs::path(GLYPHWARD_BUNDLED_MODEL) / "tokenizer";

std::string slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void spit(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// A folder with the bundled tokenizer's files, to be spoilt.
class ClipTokenizerFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() /
        (std::string("glyphward_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::copy(kBundled, folder_);
    fs::permissions(folder_, fs::perms::owner_all, fs::perm_options::add);
    for (const auto& entry : fs::directory_iterator(folder_)) {
      fs::permissions(entry, fs::perms::owner_write, fs::perm_options::add);
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  // What loading says is wrong; empty if it loads.
  std::string complaint() const {
    try {
      ClipTokenizer::load(folder_);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  void edit(const char* name, const std::function<void(json::object&)>& change) const {
    json::value value = json::parse(slurp(folder_ / name));
    change(value.as_object());
    spit(folder_ / name, json::serialize(value));
  }

  fs::path folder_;
};

TEST(ClipTokenizer, PadsToTheWindowBetweenBothEnds) {
  const auto tokenizer = ClipTokenizer::load(kBundled);
  const auto ids = tokenizer->encode("Hi");
  ASSERT_EQ(ids.size(), 128u);
  EXPECT_EQ(tokenizer->model_max_length(), 128);
  EXPECT_EQ(ids[0], 512);
  EXPECT_EQ(ids[1], 71);        // h: capitals are lowered
  EXPECT_EQ(ids[2], 72 + 256);  // i</w>
  for (std::size_t i = 3; i < ids.size(); ++i) EXPECT_EQ(ids[i], 513);
}

TEST(ClipTokenizer, ReadsInvalidUtf8AsReplacementCharacters) {
  const auto tokenizer = ClipTokenizer::load(kBundled);
  EXPECT_EQ(tokenizer->encode("a\xFF z"), tokenizer->encode("a\xEF\xBF\xBD z"));
  EXPECT_EQ(tokenizer->encode("cut \xE2\x82"), tokenizer->encode("cut \xEF\xBF\xBD"));
  EXPECT_EQ(tokenizer->encode("\xED\xA0\x80").size(), 128u);  // a surrogate
}

TEST(ClipTokenizer, TakesSpecialTokensTypedByTheUserAsText) {
  const auto tokenizer = ClipTokenizer::load(kBundled);
  for (const char* prompt :
       {"<|endoftext|>", "a <|endoftext|> b", "<|startoftext|>x", "<|ENDOFTEXT|>"}) {
    const auto ids = tokenizer->encode(prompt);
    const auto end = std::find(ids.begin(), ids.end(), 513);
    EXPECT_EQ(end - ids.begin(), tokenizer->fit(prompt).tokens - 1) << prompt;
    EXPECT_EQ(std::count(ids.begin() + 1, end, 512), 0) << prompt;
  }
}

TEST(ClipTokenizer, FitCountsWholeWordsOfTheTypedPrompt) {
  const auto tokenizer = ClipTokenizer::load(kBundled);
  const std::string fitting = "says \"caf\xC3\xA9\"";
  EXPECT_EQ(tokenizer->fit(fitting).bytes_kept, fitting.size());
  EXPECT_EQ(tokenizer->fit(fitting).tokens, 2 + 4 + 1 + 5 + 1);

  // 126 letters fit; a word that would be cut is not kept.
  const std::string most = std::string(122, 'a');
  EXPECT_EQ(tokenizer->fit(most + " bcde").bytes_kept, 127u);
  EXPECT_EQ(tokenizer->fit(most + " bcde.").bytes_kept, 127u);
  EXPECT_EQ(tokenizer->fit(most + " bcdef").bytes_kept, 122u);
  EXPECT_EQ(tokenizer->fit(most + "bcdef").bytes_kept, 0u);
  // Spaces at the end cost nothing, and offsets count what was typed, not what it was normalized
  // to.
  const std::string decomposed = "e\xCC\x81 " + std::string(124, 'a');
  EXPECT_EQ(tokenizer->fit(decomposed + "  ").bytes_kept, decomposed.size() + 2);
  EXPECT_EQ(tokenizer->fit(decomposed + " b").bytes_kept, decomposed.size());
}

TEST(ClipTokenizer, KeepsEveryIdBeforeTheCut) {
  const auto tokenizer = ClipTokenizer::load(kBundled);
  const auto ids = tokenizer->encode(std::string(500, 'a'));
  EXPECT_EQ(ids.back(), 513);
  for (std::size_t i = 1; i + 1 < ids.size(); ++i) EXPECT_EQ(ids[i], 64);
}

TEST_F(ClipTokenizerFiles, EncodesALongWordInReasonableTime) {
  // Rules that make every pair of a's mergeable, again and again.
  edit("tokenizer.json", [](json::object& root) {
    json::object& model = root["model"].as_object();
    std::string token = "a";
    for (int i = 0; i < 12; ++i) {
      model["merges"].as_array().push_back(json::array{json::string(token), json::string(token)});
      token += token;
      model["vocab"].as_object()[token] = 600 + i;
    }
  });
  const auto tokenizer = ClipTokenizer::load(folder_);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(tokenizer->fit(std::string(128000, 'a')).bytes_kept, 128000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(ClipTokenizerFiles, LoadsEitherForm) {
  EXPECT_EQ(complaint(), "");
  fs::remove(folder_ / "tokenizer.json");
  EXPECT_EQ(complaint(), "");
  fs::remove(folder_ / "merges.txt");
  EXPECT_NE(complaint().find("merges.txt"), std::string::npos) << complaint();
  fs::remove(folder_ / "vocab.json");
  EXPECT_NE(complaint().find("tokenizer.json, or vocab.json"), std::string::npos) << complaint();
}

TEST_F(ClipTokenizerFiles, NamesWhatIsWrong) {
  struct Case {
    const char* file;
    std::function<void(json::object&)> change;
    const char* expected;
  };
  const Case cases[] = {
      {"tokenizer_config.json", [](json::object& o) { o.erase("model_max_length"); },
       "model_max_length"},
      {"tokenizer_config.json", [](json::object& o) { o["model_max_length"] = 1e30; }, "1E30"},
      {"tokenizer_config.json", [](json::object& o) { o["model_max_length"] = "77"; }, "\"77\""},
      {"tokenizer_config.json", [](json::object& o) { o["pad_token"] = "<none>"; }, "'<none>'"},
      {"tokenizer_config.json", [](json::object& o) { o["pad_token"] = 3; }, "pad_token"},
      {"tokenizer_config.json", [](json::object& o) { o["truncation_side"] = "left"; },
       "truncation_side"},
      {"tokenizer.json", [](json::object& o) { o["model"] = 1; }, "model: expected an object"},
      {"tokenizer.json", [](json::object& o) { o["model"].as_object()["type"] = "Unigram"; },
       "Unigram"},
      {"tokenizer.json", [](json::object& o) { o["model"].as_object()["byte_fallback"] = true; },
       "model.byte_fallback"},
      {"tokenizer.json",
       [](json::object& o) { o["model"].as_object()["vocab"].as_object().erase("a"); }, "'a'"},
      {"tokenizer.json",
       [](json::object& o) { o["model"].as_object()["vocab"].as_object()["a"] = -1; },
       "vocab.a: expected an id"},
      {"tokenizer.json",
       [](json::object& o) { o["model"].as_object()["merges"] = json::array{"a"}; },
       "model.merges[0]"},
      {"tokenizer.json",
       [](json::object& o) {
         o["model"].as_object()["merges"] = json::array{json::array{"a", "b"}};
       },
       "'ab'"},
  };
  for (const Case& c : cases) {
    SetUp();
    edit(c.file, c.change);
    EXPECT_NE(complaint().find(c.expected), std::string::npos)
        << c.expected << " in: " << complaint();
    EXPECT_NE(complaint().find(c.file), std::string::npos) << complaint();
  }
}

TEST_F(ClipTokenizerFiles, RefusesWhatIsNotJson) {
  spit(folder_ / "tokenizer.json", "{\"model\": ");
  EXPECT_NE(complaint().find("expected JSON"), std::string::npos) << complaint();
  spit(folder_ / "tokenizer.json", std::string(100000, '['));
  EXPECT_NE(complaint().find("expected JSON"), std::string::npos) << complaint();
  spit(folder_ / "tokenizer.json", "[]");
  EXPECT_NE(complaint().find("expected a JSON object"), std::string::npos) << complaint();
}

TEST_F(ClipTokenizerFiles, TakesThePadTokenOfAnOlderCheckpoint) {
  spit(folder_ / "special_tokens_map.json", R"({"pad_token": {"content": "!", "lstrip": false}})");
  const auto tokenizer = ClipTokenizer::load(folder_);
  const auto ids = tokenizer->encode("a!b");
  EXPECT_EQ(ids[1], 64 + 256);
  EXPECT_EQ(ids[2], 0);
  EXPECT_EQ(ids[3], 65 + 256);
  EXPECT_EQ(ids[4], 513);
  EXPECT_EQ(ids[5], 0);
}

}  // namespace
}  // namespace glyphward::model
