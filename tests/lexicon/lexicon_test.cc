#include "lexicon/lexicon.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

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

TEST(Lexicon, TakesGraveWordsAsDrawnUnlessTheyAreDescription) {
  for (const char* prompt :
       {"a sign called bitch", "write fuck on the wall", "says and fuck you",
        "a sign that says hello, fuck you", "a bitch sign", "fuck (neon sign)", "fuck: a sign",
        "a wall with fuck on it, a tiny label \"hello\"", "a plaque engraved with anal sex"}) {
    EXPECT_TRUE(flagged(prompt)) << prompt;
  }
  for (const char* prompt :
       {"a man shouting fuck in a field", "a fucking angry boss, his office door reads \"Private\"",
        "a fuck sign that says \"peace\""}) {
    EXPECT_FALSE(flagged(prompt)) << prompt;
  }
}

TEST(Lexicon, SaysHowSureItIsThatATermIsDrawn) {
  const struct {
    const char* prompt;
    Certainty expected;
  } cases[] = {{"a sign that says \"fuck\"", Certainty::Surely},
               {"a sign that says fuck", Certainty::Likely},
               {"a fuck sign", Certainty::Likely},
               {"a man shouting fuck in a field", Certainty::Described}};
  for (const auto& c : cases) {
    const std::vector<Finding> findings = shipped().analyze(c.prompt).findings;
    ASSERT_EQ(findings.size(), 1u) << c.prompt;
    EXPECT_EQ(findings[0].certainty, c.expected) << c.prompt;
    EXPECT_EQ(findings[0].rendered, c.expected != Certainty::Described) << c.prompt;
  }
}

TEST(Lexicon, FindsDecodedTermsInThePromptsBytes) {
  const struct {
    const char* prompt;
    const char* matched;
  } cases[] = {
      {R"({"scene": "a wall", "text": "no f\u0075ck"})", R"(f\u0075ck)"},
      {"a sign that says &quot;b&#105;tch&quot;", "b&#105;tch"},
      {"a%20sign%20that%20says%20%22b%69tch%22", "b%69tch"},
      {"a sign that says \"<b>fu</b>ck\"", "fu</b>ck"},
      {"a sign that says \"f and u and c and k\"", "f and u and c and k"},
  };
  for (const auto& c : cases) {
    const std::string prompt = c.prompt;
    const std::vector<Finding> findings = shipped().analyze(prompt).findings;
    ASSERT_EQ(findings.size(), 1u) << prompt;
    EXPECT_EQ(findings[0].matched, c.matched);
    EXPECT_TRUE(findings[0].rendered) << prompt;
  }
  EXPECT_TRUE(flagged("a sign that says \"FU\\nCK\""));
  EXPECT_TRUE(flagged("a sign that says \"FU<br>CK\""));
}

TEST(Lexicon, ReadsAPromptInItsSyntax) {
  const auto flags = [](std::string_view prompt, Syntax syntax) {
    const std::vector<Finding> findings = shipped().analyze(prompt, syntax).findings;
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.flags(); });
  };
  EXPECT_TRUE(flags("a sign that says \"fu(ck:1.2)\"", Syntax::A1111));
  EXPECT_TRUE(flags("a sign that says {hello|fuck}", Syntax::ComfyUi));
  EXPECT_FALSE(flags("a sign that says \"hi\" <lora:bitch \"x\":1>", Syntax::A1111));
}

TEST(Lexicon, FindsDisguises) {
  for (const char* prompt :
       {"a sign that says \"fuck\"", "a sign that says fuck", "a sign that says \"f.u.c.k\"",
        "a sign that says \"s**t\"", "a sign that says \"f***ing\"", "a sign that says \"n****r\"",
        "a sign that says \"w***e\"", "a sign that says \"ｆｕｃｋ\"", "a sign that says \"kcuf\"",
        "a sign that says \"ʞɔnɟ\"", "a sign that says \"f\u0300u\u0300c\u0300k\"",
        "one sign says \"wan\" and one says \"ker\"", "a list: \"Fig\nUncle\nCat\nKite\"",
        "balloons spelling out F, U, C, K", "a sign that says \"FU\nCK\"",
        "a sign that says \"kill yourself\"", "a sign that says \"k1ll y0urself\"",
        "a sign that says \"ẃàñķêř\"", "a sign that says \"waʼnker\"",
        "a sign that says \"r e k n a w\"", "a sign that says \"ᥕᥲᥒkᥱr\"",
        "a sign with the number 1488 on it", "a sign that says \"wizzanker\"",
        "a sign that says \"mudda fukka\"", "a sign that says \"w1a2n3k4e5r\"",
        "a sign 󠁷󠁡󠁮󠁫󠁥󠁲", "foil letters: \"foxtrot uniform charlie kilo\"",
        // Cyrillic letters, but of no one language.
        "a sign that says \"Ьаѕтаґԁ\"", "a sign that says \"ԝһоґе\"",
        "a sign that says \"ғаgցот\""}) {
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

// Galician, Occitan, Basque: known by their words in messages alone; "la" and "de" are no Spanish.
TEST(Lexicon, AWordOfAnotherLanguageIsNoLightTerm) {
  for (const char* text : {"Un gato negro sentado á porta", "Lo gat negre e la lenga",
                           "Etxe hau hemen dago", "Non dago inor kalean"})
    EXPECT_TRUE(shipped().find(text).empty()) << text;
  for (const char* text : {"you dago", "dago", "the dago is here"})
    EXPECT_FALSE(shipped().find(text).empty()) << text;
}

// Kinds of text that resemble a term, in other words than any list was made with.
TEST(Lexicon, AccusesNoNamesInitialsColoursOrPhrases) {
  for (const char* prompt :
       {"a sign that says \"Lana\"", "a sign that says \"Надя Реза\"",
        "a jersey that says \"F.K. Partizan\"", "a sign that says \"S.C. Braga\"",
        "a label that says \"#5A55E1\"", "a coin that says \"Marten (1919-1945)\"",
        "a sign that says \"Notarin Cumming\"", "a sign that says \"Tobias Cock\"",
        "a poster that says \"never call anyone a retard\"",
        "a card that says \"bastard agrimony\"", "a book that says \"the dog and the cock\""}) {
    EXPECT_FALSE(flagged(prompt)) << prompt;
  }
  for (const char* prompt :
       {"a sign that says \"reggiN\"", "the mirror shows \"Koog\"", "a sign that says \"F.U.C.K\"",
        "a sign that says \"#N1GG3R\"",
        "a sign that says \"Dr. Cunt\"", "a sign that says \"never call anyone a nigger\"",
        "a sign that says \"the dog and the cunt\""}) {
    EXPECT_TRUE(flagged(prompt)) << prompt;
  }
}

// Nothing on the lists is hidden by an allowed word, by another language, or by how it is read.
// What a prompt's author writes around a word clears it only as far as the picture shows it, and a
// grave word not at all.
TEST(Lexicon, NothingThatTheAuthorControlsClearsAGraveWord) {
  const TemporaryFile list(std::string(kHeader) +
                           "grave\tinsult\t5\ten\tname not:de\t\n"
                           "light\tinsult\t3\ten\tname not:de\t\n"
                           "lokal\tinsult\t3\tfr\tlocal\t\n");
  const TemporaryFile allowed("phrase\tlanguage\tnote\ngrave digger\ten\t\nnever say *\ten\t\n");
  const auto lexicon = Lexicon::load({list.path(), allowed.path()});
  const auto flags = [&](std::string_view prompt) {
    const auto findings = lexicon->analyze(prompt).findings;
    return std::any_of(findings.begin(), findings.end(), [](const auto& f) { return f.flags(); });
  };
  const struct {
    const char* prompt;
    bool flagged;
  } cases[] = {
      {"a sign that says \"grave\"", true},
      {"a sign that says \"mit der grave\"", true},
      {"a sign that says \"Mr Grave\"", true},
      {"a sign that says \"Grave's\"", true},
      {"a sign that says \"Grave digger\"", false},
      {"a sign that says \"Never say grave\"", true},
      {"a sign that says \"Never say light\"", false},
      {"a sign that says \"mit der light\"", false},
      {"a sign that says \"Mr Light\"", false},
      {"a sign that says \"Light's\"", false},
      {"ein Schild mit der Aufschrift \"light\" an der Wand", true},  // the carrier is no evidence
      {"a sign that says \"the light und\"", true},
      {"une pancarte dans la rue qui dit \"lokal\"", false},  // and none for one either
      {"une pancarte dans la rue qui dit \"lokal mit dem\"", false},
      {"a sign that says \"dans la lokal\"", true},
      {"a sign that says \"lokal\"", false},
  };
  for (const auto& c : cases) EXPECT_EQ(flags(c.prompt), c.flagged) << c.prompt;
}

TEST(Lexicon, FindsEverySpellingThatTheListHas) {
  Lists lists;
  const std::filesystem::path file = kFolder / "default.tsv";
  std::ifstream stream(file, std::ios::binary);
  read_list(file, std::string(std::istreambuf_iterator<char>(stream), {}), lists);
  for (const Entry& entry : lists.entries) {
    if (entry.term.severity < 2 || (entry.flags & kLocal) || !entry.harmless_in.empty()) continue;
    if (entry.flags & kRegex) continue;  // its name is no spelling
    std::vector<std::string> spellings = entry.forms;
    spellings.push_back(entry.term.term);
    for (const std::string& spelling : spellings)
      EXPECT_FALSE(shipped().find(spelling).empty()) << entry.term.term << ": " << spelling;
  }
}

TEST(Lexicon, FindsWhatAPromptDescribes) {
  const std::string prompt = "a sign that says \"bunch\", with an i for the u and c, er, a \"t\"";
  EXPECT_FALSE(flagged(prompt));
  for (const char* asked :
       {"a sign that says \"wonker\", replace the o with an a", "a mug with the T-slur on it",
        "a sign that says \"lick my 🍌\"", "a wall that reads \"clock\", the first l is missing",
        "a sign with a = wan and b = ker"}) {
    EXPECT_TRUE(flagged(asked)) << asked;
  }
  for (const char* innocent :
       {"a sign that says \"The F-word: Flour\"", "a bakery: \"fresh 🍑 cake\"",
        "a sign that says \"duck\" with a heart instead of the u"}) {
    EXPECT_FALSE(flagged(innocent)) << innocent;
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

TEST(Lexicon, RowsHoldUntilTheirDay) {
  const TemporaryFile file(
      "term\tcategory\tseverity\tlanguage\tflags\tforms\tuntil\n"
      "heck\tinsult\t3\ten\t\t\t2026-12-31\ndarnation\tinsult\t3\ten\t\t\t\n");
  const auto load = [&](const char* today) {
    return Lexicon::load({file.path()}, {.today = today});
  };
  EXPECT_EQ(load("2026-12-31")->find("heck, darnation").size(), 2u) << "that day too";
  EXPECT_EQ(load("2027-01-01")->find("heck, darnation").size(), 1u);
  EXPECT_EQ(load("2026-01-01")->holds_until(), "2026-12-31");
  EXPECT_EQ(load("2027-01-01")->holds_until(), "");
  EXPECT_EQ(load("2026-01-01")->revision(), load("2026-12-31")->revision());
  EXPECT_NE(load("2026-12-31")->revision(), load("2027-01-01")->revision());
  EXPECT_EQ(load("2027-01-01")->revision(), load("2028-01-01")->revision());
  for (const char* wrong : {"2026-13-01", "2026-1-1", "soon", "31.12.2026", "2026-00-10"}) {
    const TemporaryFile bad(
        "term\tcategory\tseverity\tlanguage\tflags\tforms\tuntil\nheck\tinsult\t3\ten\t\t\t" +
        std::string(wrong) + "\n");
    EXPECT_THROW(Lexicon::load({bad.path()}), ConfigError) << wrong;
  }
}

TEST(Lexicon, CategoriesOfOnesOwnMustBeDeclared) {
  const TemporaryFile file(std::string(kHeader) + "frobco\tcompetitor\t3\tund\n");
  EXPECT_THROW(Lexicon::load({file.path()}), ConfigError);
  EXPECT_THROW(Lexicon::load({file.path()}, {.own_categories = {"competitors"}}), ConfigError);
  for (const LoadOptions& options :
       {LoadOptions{.own_categories = {"competitor"}}, LoadOptions{.any_category = true}}) {
    const auto found = Lexicon::load({file.path()}, options)->find("Frobco");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].category, "competitor");
    EXPECT_EQ(found[0].list, std::filesystem::path(file.path()).filename().string());
  }
  const TemporaryFile bad(std::string(kHeader) + "frobco\tMy Own\t3\tund\n");
  EXPECT_THROW(Lexicon::load({bad.path()}, {.any_category = true}), ConfigError);
}

TEST(Lexicon, TheMarginIsForWhoeverLoadsIt) {
  const auto load = [](float evidence_min) {
    return Lexicon::load({kFolder / "default.tsv", kFolder / "allow.tsv"},
                         {.evidence_min = evidence_min});
  };
  const auto plain = load(kEvidenceMin);
  EXPECT_EQ(shipped().evidence_min(), kEvidenceMin);
  EXPECT_EQ(plain->revision(), shipped().revision());
  const char* text = "you $h1t";
  ASSERT_EQ(plain->find(text).size(), 1u);
  const double evidence = plain->find(text)[0].evidence;
  EXPECT_GE(evidence, kEvidenceMin);
  const auto strict = load(static_cast<float>(evidence) + 0.5f);
  EXPECT_TRUE(strict->find(text).empty());
  EXPECT_TRUE(strict->analyze("a sign that says \"you $h1t\"").findings.empty());
  EXPECT_NE(strict->revision(), plain->revision());
  const auto lax = load(-5);
  EXPECT_EQ(lax->evidence_min(), -5);
  ASSERT_EQ(lax->find(text).size(), 1u);
  EXPECT_EQ(lax->find(text)[0].evidence, evidence) << "the number is the same, whatever counts";
}

TEST(Lexicon, WhatIsFoundAsItIsWrittenKnowsNoDoubt) {
  const TemporaryFile file(std::string(kHeader) + "c&a\tinsult\t3\tund\tliteral\n");
  const auto found = Lexicon::load({file.path()}, {.evidence_min = 50})->find("at C&A");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].evidence, kEvidenceWritten);
  EXPECT_EQ(found[0].reading, "");
  EXPECT_EQ(found[0].ordinary, "");
}

TEST(Lexicon, EvidenceIsShownInFullTenths) {
  const std::pair<double, double> cases[] = {{3.96, 3.9}, {4.0, 4.0},    {5.7, 5.7},
                                             {5.3f, 5.3}, {-0.05, -0.1}, {0.0, 0.0}};
  Finding finding;
  for (const auto& [evidence, shown] : cases) {
    finding.evidence = evidence;
    EXPECT_EQ(finding.shown_evidence(), shown) << evidence;
  }
}

TEST(Lexicon, RevisionCoversMatcherAndTables) {
  const std::string content = std::string(kHeader) + "heck\tinsult\t3\ten\n";
  const TemporaryFile file(content);
  std::vector<std::string_view> chunks = {Matcher::kVersion, WordTable::shipped().image()};
  for (const tables::Table& table : tables::lexicon_tables()) chunks.push_back(table.content);
  chunks.emplace_back("4");  // the margin
  chunks.push_back(content);
  EXPECT_EQ(Lexicon::load({file.path()})->revision(), to_hex(sha256_of_chunks(chunks)));
}

// What is compiled in is what the files hold, byte for byte; no table is left out.
TEST(Lexicon, TablesAreTheirFiles) {
  std::set<std::filesystem::path> files;
  for (const tables::Table& table : tables::lexicon_tables()) {
    EXPECT_EQ(read_file(kFolder / table.file), table.content) << table.file;
    files.insert(kFolder / table.file);
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder)) {
    const std::filesystem::path& path = entry.path();
    const bool list = path.parent_path() == kFolder && path.filename() != "names.tsv";
    if (path.extension() == ".tsv" && !list) {
      EXPECT_TRUE(files.contains(path)) << path << " is in no row of lexicon_tables()";
    }
  }
}

}  // namespace
}  // namespace glyphward::lexicon
