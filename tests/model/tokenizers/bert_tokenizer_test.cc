// tests/reference/bert_tokenizer_test.py compares ids with transformers; here, what no file may do.
#include "model/tokenizers/bert_tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

constexpr int kWindow = 8;
const std::string kVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nsign\n##s\n!\n世\n";

class BertTokenizerFiles : public testing::Test {
 protected:
  BertTokenizerFiles()
      : folder_(fs::path(testing::TempDir()) / ("glyphward_bert_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    write("tokenizer_config.json", "{}");
    write("vocab.txt", kVocabulary);
  }
  ~BertTokenizerFiles() override { fs::remove_all(folder_); }

  void write(const char* file, const std::string& text) const {
    std::ofstream(folder_ / file, std::ios::binary) << text;
  }
  // What loading says is wrong; empty if it loads.
  std::string complaint() const {
    try {
      BertTokenizer::load(folder_, kWindow);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(BertTokenizerFiles, EncodesAndSaysWhatFits) {
  const auto tokenizer = BertTokenizer::load(folder_, kWindow);
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(tokenizer->encode("A SIGN\u0301s!"), (Ids{2, 4, 5, 6, 7, 3, 0, 0}));
  EXPECT_EQ(tokenizer->encode("a世a"), (Ids{2, 4, 8, 4, 3, 0, 0, 0}));
  EXPECT_EQ(tokenizer->encode("what"), (Ids{2, 1, 3, 0, 0, 0, 0, 0}));
  EXPECT_EQ(tokenizer->encode("\xFF\x07"), (Ids{2, 3, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(tokenizer->fit("a sign").bytes_kept, 6u);
  const PromptFit cut = tokenizer->fit("a a a signs signs a");
  EXPECT_EQ(cut.tokens, 10);
  EXPECT_EQ(cut.bytes_kept, std::string("a a a signs").size());
}

TEST_F(BertTokenizerFiles, NamesWhatIsWrong) {
  struct Case {
    const char* file;
    const char* text;
    const char* says;
  };
  const Case cases[] = {
      {"tokenizer_config.json", "", "tokenizer_config.json: expected JSON"},
      {"tokenizer_config.json", "[]", "tokenizer_config.json: expected a JSON object"},
      {"tokenizer_config.json", R"({"do_lower_case": 1})", "do_lower_case: expected true or false"},
      {"tokenizer_config.json", R"({"padding_side": "left"})", "padding_side: expected \"right\""},
      {"tokenizer_config.json", R"({"never_split": ["x"]})", "never_split: expected null"},
      {"tokenizer_config.json", R"({"do_basic_tokenize": false})", "do_basic_tokenize"},
      {"tokenizer_config.json", R"({"sep_token": "</s>"})", "sep_token: expected a token of the"},
      {"vocab.txt", "a\n", "cls_token: expected a token of the vocabulary, found '[CLS]'"},
      {"tokenizer.json", R"({"model": []})", "model: expected an object"},
      {"tokenizer.json", R"({"model": {"type": "BPE"}})", "model.type: expected \"WordPiece\""},
      {"tokenizer.json", R"({"model": {"continuing_subword_prefix": "@"}})",
       "model.continuing_subword_prefix: expected \"##\""},
      {"tokenizer.json", R"({"model": {"continuing_subword_prefix": "##"},
                             "normalizer": {"type": "NFC"}})",
       "normalizer.type: expected \"BertNormalizer\""},
      {"tokenizer.json", R"({"model": {"continuing_subword_prefix": "##", "vocab": {"a": -1}},
                             "normalizer": {"type": "BertNormalizer"},
                             "pre_tokenizer": {"type": "BertPreTokenizer"}})",
       "vocab.a: expected an id"},
  };
  for (const Case& c : cases) {
    write("tokenizer_config.json", "{}");
    write("vocab.txt", kVocabulary);
    fs::remove(folder_ / "tokenizer.json");
    ASSERT_EQ(complaint(), "");
    write(c.file, c.text);
    EXPECT_NE(complaint().find(c.says), std::string::npos) << c.text << ": '" << complaint() << "'";
  }
  fs::remove(folder_ / "tokenizer.json");
  fs::remove(folder_ / "vocab.txt");
  EXPECT_NE(complaint().find("expected tokenizer.json or vocab.txt, found neither"),
            std::string::npos);
}

}  // namespace
}  // namespace glyphward::model
