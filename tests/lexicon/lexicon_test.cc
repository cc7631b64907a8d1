#include "lexicon/lexicon.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/config_error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "lexicon/lists/list.h"
#include "lexicon/matching/matcher.h"
#include "lexicon/tables.h"

namespace glyphward::lexicon {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(GLYPHWARD_SOURCE_DIR) / "lexicon";

const Lexicon& shipped() {
  static const std::shared_ptr<const Lexicon> lexicon =
      Lexicon::load({kFolder / "default.tsv", kFolder / "allow.tsv"});
  return *lexicon;
}

bool flagged(std::string_view prompt) {
  for (const Finding& finding : shipped().analyze(prompt).findings) {
    if (finding.flags()) return true;
  }
  return false;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    static int count = 0;
    path_ =
        std::filesystem::temp_directory_path() /
        ("glyphward-lexicon-" + std::to_string(getpid()) + "-" + std::to_string(count++) + ".tsv");
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

constexpr const char* kHeader = "term\tcategory\tseverity\tlanguage\tflags\tforms\n";

TEST(Lexicon, ExplainsItsFindings) {
  const std::string prompt = "a neon sign that says \"you $h\u200B1t\" above a bar";
  const Analysis analysis = shipped().analyze(prompt);
  ASSERT_EQ(analysis.findings.size(), 1u);
  const Finding& finding = analysis.findings[0];
  EXPECT_EQ(finding.term, "shit");
  EXPECT_EQ(finding.category, "profanity");
  EXPECT_EQ(finding.severity, 3);
  EXPECT_EQ(finding.matched, "$h\u200B1t");
  EXPECT_EQ(prompt.substr(finding.start, finding.end - finding.start), finding.matched);
  EXPECT_TRUE(finding.rendered);
  EXPECT_EQ(finding.steps, (std::vector<std::string>{"invisible", "leet"}));
}

TEST(Lexicon, TellsRenderedFromDescribed) {
  const Analysis analysis =
      shipped().analyze("a man shouting fuck, holding a sign that says \"peace\"");
  ASSERT_EQ(analysis.findings.size(), 1u);
  EXPECT_FALSE(analysis.findings[0].rendered);
  EXPECT_FALSE(flagged("a man shouting fuck, holding a sign that says \"peace\""));
}

TEST(Lexicon, FindsDisguises) {
  for (const char* prompt :
       {"a sign that says \"fuck\"", "a sign that says fuck", "a sign that says \"f.u.c.k\"",
        "a sign that says \"ｆｕｃｋ\"", "a sign that says \"kcuf\"", "a sign that says \"ʞɔnɟ\"",
        "a sign that says \"f\u0300u\u0300c\u0300k\"", "one sign says \"wan\" and one says \"ker\"",
        "a list: \"Fig\nUncle\nCat\nKite\"", "balloons spelling out F, U, C, K",
        "a sign that says \"FU\nCK\"", "a sign that says \"kill yourself\"",
        "a sign that says \"k1ll y0urself\"", "foil letters: \"foxtrot uniform charlie kilo\""}) {
    EXPECT_TRUE(flagged(prompt)) << prompt;
  }
}

TEST(Lexicon, AccusesNoInnocent) {
  for (const char* prompt :
       {"a sign that says \"Scunthorpe United\"", "a sign that says \"shiitake\"",
        "a sign that says \"class\"", "a sign that says \"Penistone\"",
        "a sign that says \"as she said\"", "a sign that says \"push it\"",
        "a sign that says \"S H I R T\"", "a sign that says \"H4PPY\"",
        "a sign that says \"Moby Dick\"", "un panneau « en retard »",
        "a sign that says \"Dick Van Dyke\"", "a sign that says \"slut på\""}) {
    EXPECT_FALSE(flagged(prompt)) << prompt;
  }
}

// Nothing on the lists is hidden by an allowed word, by another language, or by how it is read.
TEST(Lexicon, FindsEverySpellingThatTheListHas) {
  Lists lists;
  const std::filesystem::path file = kFolder / "default.tsv";
  std::ifstream stream(file, std::ios::binary);
  read_list(file, std::string(std::istreambuf_iterator<char>(stream), {}), lists);
  for (const Entry& entry : lists.entries) {
    if (entry.term.severity < 2 || (entry.flags & kLocal) || !entry.harmless_in.empty()) continue;
    std::vector<std::string> spellings = entry.forms;
    spellings.push_back(entry.term.term);
    for (const std::string& spelling : spellings)
      EXPECT_FALSE(shipped().find(spelling).empty()) << entry.term.term << ": " << spelling;
  }
}

TEST(Lexicon, FindsANumberWhereItStandsAlone) {
  EXPECT_TRUE(flagged("a flag that says \"1488\""));
  EXPECT_TRUE(flagged("a flag that says \"14/88\""));
  EXPECT_FALSE(flagged("a door that says \"1488 Oak Lane\""));
  EXPECT_FALSE(flagged("a door that says \"No. 1488\""));
  EXPECT_FALSE(flagged("a door that says \"14880\""));
}

TEST(Lexicon, FindsTermsOfOneLetterThreeTimes) {
  EXPECT_TRUE(flagged("a banner that says \"KKK\""));
  EXPECT_TRUE(flagged("a banner that says \"join the KKK\""));
  EXPECT_FALSE(flagged("a banner that says \"KKKK\""));
  // Nothing but a known phrase clears a grave word.
  EXPECT_TRUE(flagged("uma placa que diz \"kkk que dia bonito\""));
}

TEST(Lexicon, ReadsBadBytesAsReplacementCharacters) {
  EXPECT_TRUE(
      flagged("a sign that says \"\xff"
              "fuck\xc3\""));
  EXPECT_TRUE(shipped().find("").empty());
}

TEST(Lexicon, FindTakesAllTextAsShown) {
  const std::vector<Finding> findings = shipped().find("OH SHIT\nWET PAINT");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_TRUE(findings[0].rendered);
}

TEST(Lexicon, MapsCategoriesToModeration) {
  EXPECT_EQ(find_category("racial")->openai, "hate");
  EXPECT_EQ(find_category("sexual")->openai, "sexual");
  EXPECT_EQ(find_category("violence")->openai, "violence");
  EXPECT_EQ(find_category("insult")->openai, "harassment");
  EXPECT_EQ(find_category("profanity")->openai, "harassment");
}

TEST(Lexicon, SaysWhatIsWrongWithAFile) {
  const struct {
    const char* content;
    const char* expected;
  } cases[] = {
      {"", "expected at least one row"},
      {"term\tcategory\tseverity\tlanguage\tflags\tforms\n", "expected at least one row"},
      {"word\tkind\n", "header: expected the fields"},
      {"term\tcategory\tseverity\tlanguage\tflags\tforms\nheck\tswearing\t3\ten\n",
       ":2: category: expected one of"},
      {"term\tcategory\tseverity\tlanguage\tflags\tforms\nheck\tinsult\t9\ten\n",
       ":2: severity: expected 0 to 7, found '9'"},
      {"term\tcategory\tseverity\tlanguage\tflags\tforms\n!!\tinsult\t3\ten\n",
       ":2: term: expected a word"},
      {"term\tcategory\tseverity\tlanguage\tflags\tforms\nheck\tinsult\t3\ten\tstm\n",
       "found 'stm'"},
      {"term\tcategory\tseverity\tlanguage\tflags\tforms\nheck\tinsult\t3\ten\nheck\tinsult\t3\ten"
       "\n",
       "stands in line 2 already"},
      {"term\tcategory\tseverity\tlanguage\tflags\tforms\nheck\tinsult\t3\ten\t\theck\tmore\n",
       "at most 6 fields"},
  };
  for (const auto& c : cases) {
    const TemporaryFile file(c.content);
    try {
      Lexicon::load({file.path()});
      ADD_FAILURE() << "loaded: " << c.content;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(c.expected), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(file.path().string()), std::string::npos)
          << error.what();
    }
  }
  EXPECT_THROW(Lexicon::load({"/nonexistent.tsv"}), ConfigError);
  EXPECT_THROW(Lexicon::load({}), ConfigError);
  const TemporaryFile only_allowed("phrase\tlanguage\tnote\nheck no\ten\n");
  EXPECT_THROW(Lexicon::load({only_allowed.path()}), ConfigError);
}

TEST(Lexicon, RevisionChangesWithTheFiles) {
  const TemporaryFile a(std::string(kHeader) + "heck\tinsult\t3\ten\n");
  const TemporaryFile b(std::string(kHeader) + "heck\tinsult\t5\ten\n");
  EXPECT_EQ(Lexicon::load({a.path()})->revision(), Lexicon::load({a.path()})->revision());
  EXPECT_NE(Lexicon::load({a.path()})->revision(), Lexicon::load({b.path()})->revision());
  EXPECT_EQ(Lexicon::load({a.path()})->revision().size(), 64u);
}

TEST(Lexicon, RevisionCoversMatcherAndTables) {
  const std::string content = std::string(kHeader) + "heck\tinsult\t3\ten\n";
  const TemporaryFile file(content);
  EXPECT_EQ(Lexicon::load({file.path()})->revision(),
            to_hex(sha256_of_chunks(
                {Matcher::kVersion, WordTable::shipped().image(), tables::lexicon_channel_rules_tsv,
                 tables::lexicon_channel_companions_tsv, tables::lexicon_channel_prices_tsv,
                 tables::lexicon_channel_sound_tsv, tables::lexicon_names_tsv,
                 tables::lexicon_text_glyphs_tsv, content})));
}

// What is compiled in is what the files hold, byte for byte.
TEST(Lexicon, TablesAreTheirFiles) {
  EXPECT_EQ(read_file(kFolder / "names.tsv"), tables::lexicon_names_tsv);
  EXPECT_EQ(read_file(kFolder / "text/glyphs.tsv"), tables::lexicon_text_glyphs_tsv);
  EXPECT_EQ(read_file(kFolder / "channel/rules.tsv"), tables::lexicon_channel_rules_tsv);
  EXPECT_EQ(read_file(kFolder / "channel/companions.tsv"), tables::lexicon_channel_companions_tsv);
  EXPECT_EQ(read_file(kFolder / "channel/prices.tsv"), tables::lexicon_channel_prices_tsv);
  EXPECT_EQ(read_file(kFolder / "channel/sound.tsv"), tables::lexicon_channel_sound_tsv);
}

}  // namespace
}  // namespace glyphward::lexicon
