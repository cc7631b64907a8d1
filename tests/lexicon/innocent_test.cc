// Innocent text: the dictionaries that Debian packages, word by word, and 100,000 ordinary prompts.
// The dictionaries are installed by ./dev test; without them the tests fail, since skipping would
// hide what they are for.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "lexicon/lexicon.h"
#include "lexicon/lists/lint.h"

namespace glyphward::lexicon {
namespace {

const std::filesystem::path kRoot = GLYPHWARD_SOURCE_DIR;

const Lexicon& shipped() {
  static const std::shared_ptr<const Lexicon> lexicon =
      Lexicon::load({kRoot / "lexicon/default.tsv", kRoot / "lexicon/allow.tsv"});
  return *lexicon;
}

std::vector<Remark> flagged_words(const std::vector<std::string>& words) {
  return lint_dictionary(
      words, [](std::string_view prompt) { return shipped().analyze(prompt).findings; });
}

// ----- dictionaries -----

// What was reviewed by eye: (list, word) -> term. Written by `glyphward lexicon lint --dictionary`.
const std::map<std::pair<std::string, std::string>, std::string>& reviewed() {
  static const auto map = [] {
    std::map<std::pair<std::string, std::string>, std::string> result;
    std::ifstream file(kRoot / "docs/lexicon-flagged.tsv");
    EXPECT_TRUE(file) << "docs/lexicon-flagged.tsv";
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      std::string list;
      std::string word;
      std::string term;
      std::getline(fields, list, '\t');
      std::getline(fields, word, '\t');
      std::getline(fields, term, '\t');
      result[{list, word}] = term;
    }
    return result;
  }();
  return map;
}

class InnocentDictionary : public ::testing::TestWithParam<const char*> {};

TEST_P(InnocentDictionary, OnlyReviewedWordsAreFlagged) {
  const std::filesystem::path path = GetParam();
  const std::string list = path.filename().string();
  ASSERT_TRUE(std::filesystem::exists(path)) << path << ": ./dev test installs the dictionaries";
  const std::vector<std::string> words = read_dictionary(path);
  ASSERT_GE(words.size(), 50000u);
  const std::vector<Remark> flagged = flagged_words(words);
  for (const Remark& remark : flagged) {
    const auto known = reviewed().find({list, remark.spelling});
    EXPECT_TRUE(known != reviewed().end() && known->second == remark.term)
        << list << ": '" << remark.spelling << "' is flagged as '" << remark.term
        << "'. If that is right, write docs/lexicon-flagged.tsv anew (docs/LEXICON.md says how).";
    for (const std::string& step : remark.steps) {
      EXPECT_TRUE(step == "inflection" || step == "compound" || step == "spelling" ||
                  step == "marks" || step == "repeats" || step == "slip" || step == "sound")
          << remark.spelling << " is flagged as " << remark.term << " by " << step;
    }
  }
  const double share = static_cast<double>(flagged.size()) / static_cast<double>(words.size());
  std::printf("%s: %zu of %zu words flagged, %.3f %%\n", list.c_str(), flagged.size(), words.size(),
              100 * share);
  EXPECT_LE(share, 0.0015);
}

INSTANTIATE_TEST_SUITE_P(Debian, InnocentDictionary,
                         ::testing::Values("/usr/share/dict/american-english-large",
                                           "/usr/share/dict/british-english-large",
                                           "/usr/share/dict/ngerman", "/usr/share/dict/french",
                                           "/usr/share/dict/spanish", "/usr/share/dict/portuguese",
                                           "/usr/share/hunspell/ru_RU.dic"),
                         [](const auto& info) {
                           std::string name = std::filesystem::path(info.param).stem().string();
                           std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
                           return name;
                         });

// ----- ordinary prompts -----

using Lines = std::vector<std::string>;

std::map<std::string, Lines> sections(const std::filesystem::path& path) {
  std::map<std::string, Lines> result;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::string section;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      section = line.substr(1, line.size() - 2);
    } else {
      result[section].push_back(line);
    }
  }
  return result;
}

class PromptMaker {
 public:
  PromptMaker() : parts_(sections(kRoot / "tests/data/lexicon/innocent.txt")) {
    for (const char* path :
         {"/usr/share/dict/american-english-large", "/usr/share/dict/british-english-large"})
      add_words("en", path);
    add_words("fr", "/usr/share/dict/french");
    add_words("de", "/usr/share/dict/ngerman");
    add_words("es", "/usr/share/dict/spanish");
    add_words("pt", "/usr/share/dict/portuguese");
  }

  // Three of four prompts are English, as its dictionaries are the richest in names.
  std::string next() {
    static const char* const kOthers[] = {"fr", "de", "es", "pt"};
    language_ = random_() % 4 > 0 ? "en" : kOthers[random_() % 4];
    const std::string section =
        language_ == std::string("en") ? "templates" : "templates " + std::string(language_);
    return fill(pick(parts_.at(section)));
  }

 private:
  void add_words(const std::string& language, const std::filesystem::path& path) {
    const std::vector<std::string> words = read_dictionary(path);
    std::set<std::string> terms;  // toxic words make no ordinary prompt
    for (const Remark& remark : flagged_words(words)) terms.insert(remark.spelling);
    for (const std::string& word : words) {
      if (terms.contains(word)) continue;
      const bool capital = word.front() >= 'A' && word.front() <= 'Z';
      (capital && language == "en" ? names_ : words_[language]).push_back(word);
    }
  }

  const std::string& pick(const Lines& lines) { return lines.at(random_() % lines.size()); }

  std::string text() {
    if (random_() % 8 == 0) return pick(parts_.at("titles"));
    std::string text = fill(pick(parts_.at("texts")));
    const auto style = random_() % 6;
    if (style == 0) {
      for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    } else if (style == 1 && !text.empty() && text[0] >= 'a' && text[0] <= 'z') {
      text[0] = static_cast<char>(text[0] - 32);
    }
    return text;
  }

  std::string fill(const std::string& pattern) {
    std::string result;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] != '{' || i + 2 >= pattern.size() || pattern[i + 2] != '}') {
        result.push_back(pattern[i]);
        continue;
      }
      result += slot(pattern[i + 1]);
      i += 2;
    }
    return result;
  }

  std::string slot(char kind) {
    switch (kind) {
      case 'W':
        return pick(words_.at(language_));
      case 'N':
        return pick(names_);
      case 'F':
        return pick(parts_.at("families"));
      case 'P':
        return pick(parts_.at("places"));
      case 'D':
        return std::to_string(random_() % 10);
      case 'T':
        return text();
      default: {
        std::string quoted = pick(parts_.at("quotes"));
        return quoted.replace(quoted.find("{}"), 2, text());
      }
    }
  }

  std::map<std::string, Lines> parts_;
  std::map<std::string, Lines> words_;
  Lines names_;
  std::string language_;
  std::mt19937 random_{20240601};
};

TEST(InnocentPrompts, AtMostOneInTenThousandIsFlagged) {
  constexpr int kPrompts = 100000;
  PromptMaker maker;
  int flagged = 0;
  for (int i = 0; i < kPrompts; ++i) {
    const std::string prompt = maker.next();
    for (const Finding& finding : shipped().analyze(prompt).findings) {
      if (!finding.rendered || finding.severity < 2) continue;
      ++flagged;
      std::printf("%s: '%s' in %s\n", finding.term.c_str(), finding.matched.c_str(),
                  prompt.c_str());
      break;
    }
  }
  std::printf("%d of %d prompts flagged\n", flagged, kPrompts);
  EXPECT_LE(flagged, kPrompts / 10000);
}

}  // namespace
}  // namespace glyphward::lexicon
