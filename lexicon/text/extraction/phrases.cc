// phrases.tsv, and the search for its phrases. A phrase is a run of tokens, so that it begins and
// ends where words do in every script; in its last word, * stands for any ending. Its words are
// known with a slip of the key, too.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/table.h"
#include "lexicon/tables.h"
#include "lexicon/text/extraction/tokens.h"
#include "lexicon/words/word_table.h"

namespace glyphward::lexicon::extraction {
namespace {

struct NamedClass {
  Class value;
  std::string_view name;  // as phrases.tsv has it
};
constexpr std::array kClasses = {NamedClass{kSays, "says"},       NamedClass{kReads, "reads"},
                                 NamedClass{kWritten, "written"}, NamedClass{kPen, "pen"},
                                 NamedClass{kNoun, "noun"},       NamedClass{kTitle, "title"},
                                 NamedClass{kBearer, "bearer"},   NamedClass{kNamed, "named"},
                                 NamedClass{kNamable, "namable"}, NamedClass{kWrite, "write"},
                                 NamedClass{kOnIt, "onit"},       NamedClass{kBehind, "behind"},
                                 NamedClass{kBefore, "before"},   NamedClass{kFiller, "filler"},
                                 NamedClass{kLetters, "letters"}, NamedClass{kArticle, "article"},
                                 NamedClass{kPlace, "place"},     NamedClass{kScene, "scene"},
                                 NamedClass{kLink, "link"},       NamedClass{kJoin, "join"},
                                 NamedClass{kStop, "stop"},       NamedClass{kStyle, "style"},
                                 NamedClass{kAcronym, "acronym"}, NamedClass{kAcrostic, "acrostic"},
                                 NamedClass{kSubject, "subject"}, NamedClass{kWork, "work"},
                                 NamedClass{kBe, "be"},           NamedClass{kShort, "short"},
                                 NamedClass{kFont, "font"},       NamedClass{kShows, "shows"},
                                 NamedClass{kWord, "word"},       NamedClass{kLook, "look"},
                                 NamedClass{kMark, "mark"},       NamedClass{kDraw, "draw"},
                                 NamedClass{kOnto, "onto"},       NamedClass{kCall, "call"},
                                 NamedClass{kOrdinal, "ordinal"}, NamedClass{kPart, "part"},
                                 NamedClass{kJoined, "joined"},   NamedClass{kCipher, "cipher"},
                                 NamedClass{kAnd, "and"},         NamedClass{kRadio, "radio"}};

static_assert(
    [] {
      for (std::size_t i = 0; i < kClasses.size(); ++i) {
        if (kClasses[i].value != 1ull << i || kClasses[i].name.empty()) return false;
      }
      return kBehindLastClass == (1ull << (kClasses.size() - 1)) + 1;
    }(),
    "every class has one bit and one name, in the same order");

struct Phrase {
  std::vector<std::string> words;
  Classes classes = 0;
  bool open = false;  // the last word may go on
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using ByFirst = std::unordered_map<std::string, std::vector<Phrase>, Hash, std::equal_to<>>;

constexpr std::size_t kStemMin = 4;   // bytes of the shortest stem, ...
constexpr std::size_t kStemMax = 24;  // ... and of the longest

// ----- slips of the key -----

// The table's words that prompts cannot do without, as they come out when a key is missed: one
// letter too many, too few, another, or two swapped. A word is found by what is left of it with a
// letter left out.
class Slips {
 public:
  void add(const std::string& word) {
    if (word.size() < kLeast || word.size() > kMost) return;
    if (!std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; })) return;
    if (std::find(words_.begin(), words_.end(), word) != words_.end()) return;
    const auto number = static_cast<std::uint32_t>(words_.size());
    words_.push_back(word);
    each_rest(word, [&](const std::string& rest) { by_rest_[rest].push_back(number); });
  }

  // The word that is meant; empty if none is.
  std::string_view meant(std::string_view word, bool title) const {
    if (word.size() < (title ? kTitleMin : kLeast) || word.size() > kMost + 1) return {};
    if (is_listed(word, title)) return {};
    std::string_view found;
    each_rest(std::string(word), [&](const std::string& rest) {
      const auto it = by_rest_.find(rest);
      if (it == by_rest_.end() || !found.empty()) return;
      for (const std::uint32_t number : it->second) {
        if (is_slip(word, words_[number])) {
          found = words_[number];
          return;
        }
      }
    });
    return found;
  }

 private:
  static constexpr std::size_t kLeast = 4;
  static constexpr std::size_t kMost = 14;
  // With a capital it may be a name.
  static constexpr std::size_t kTitleMin = 6;
  // Of two words with four letters another letter makes too many: word, work, wore.
  static constexpr std::size_t kOtherLetterMin = 5;
  // Words that are rarer than one in nine millions are mostly slips themselves.
  static constexpr float kRare = 16;

  static bool is_listed(std::string_view word, bool title) {
    std::u32string letters;
    for (const char c : word) {
      if (c < 'a' || c > 'z') return true;
      letters.push_back(static_cast<char32_t>(c));
    }
    const WordTable& words = WordTable::shipped();
    return words.word(letters).cost < kRare || (title && words.name(letters) < kNever);
  }

  template <typename Use>
  static void each_rest(const std::string& word, Use use) {
    use(word);
    for (std::size_t i = 0; i < word.size(); ++i) use(word.substr(0, i) + word.substr(i + 1));
  }

  // The first letter is hit; one letter too many, too few, another, or two swapped.
  static bool is_slip(std::string_view written, std::string_view word) {
    if (written[0] != word[0] || written == word) return false;
    std::size_t first = 0;
    while (first < std::min(written.size(), word.size()) && written[first] == word[first]) ++first;
    const std::string_view a = written.substr(first);
    const std::string_view b = word.substr(first);
    if (a.size() == b.size() + 1) return a.substr(1) == b;
    if (a.size() + 1 == b.size()) return a == b.substr(1);
    if (a.size() != b.size()) return false;
    const bool swapped = a.size() > 1 && a[0] == b[1] && a[1] == b[0] && a.substr(2) == b.substr(2);
    return swapped || (word.size() >= kOtherLetterMin && a.substr(1) == b.substr(1));
  }

  std::vector<std::string> words_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_rest_;
};

constexpr Classes kSlipClasses =
    kSays | kReads | kPen | kNoun | kWord | kTitle | kBearer | kWrite | kNamed | kMark | kCall;

class PhraseTable {
 public:
  PhraseTable() {
    TableReader reader("lexicon/text/extraction/phrases.tsv",
                       tables::lexicon_text_extraction_phrases_tsv);
    reader.expect_header({"class", "language", "phrases"});
    while (reader.next()) read(reader);
    // The longest first: 上面写着 before 上面写.
    for (ByFirst* map : {&words_, &stems_}) {
      for (auto& [_, phrases] : *map) {
        std::stable_sort(phrases.begin(), phrases.end(), [](const Phrase& a, const Phrase& b) {
          return a.words.size() > b.words.size();
        });
      }
    }
  }

  void mend(Tokens& tokens, std::size_t at) const {
    Token& token = tokens.list[at];
    if (token.kind != TokenKind::Word || token.capitals) return;
    const std::string_view key = tokens.key(token);
    if (words_.contains(key)) return;
    const std::string_view meant = slips_.meant(key, token.title && at > 0);
    if (meant.empty()) return;
    token.key = static_cast<std::uint32_t>(tokens.keys.size());
    token.key_size = static_cast<std::uint32_t>(meant.size());
    tokens.keys += meant;
  }

  void find(Tokens& tokens, std::size_t at) const {
    Token& token = tokens.list[at];
    if (token.kind == TokenKind::Line) return;
    const std::string_view key = tokens.key(token);
    if (const auto it = words_.find(key); it != words_.end()) take_longest(tokens, at, it->second);
    if (token.kind != TokenKind::Word || key.size() < kStemMin) return;
    if (!stem_starts_.test(static_cast<unsigned char>(key[0]), static_cast<unsigned char>(key[1])))
      return;
    for (std::size_t size = std::min(key.size(), kStemMax); size >= kStemMin; --size) {
      const auto it = stems_.find(key.substr(0, size));
      if (it != stems_.end()) return take_longest(tokens, at, it->second);
    }
  }

 private:
  // Pairs of first bytes.
  class Starts {
   public:
    void set(unsigned char a, unsigned char b) { bits_[a * 256u + b] = true; }
    bool test(unsigned char a, unsigned char b) const { return bits_[a * 256u + b]; }

   private:
    std::vector<bool> bits_ = std::vector<bool>(65536);
  };

  void read(const TableReader& reader) {
    const auto named = std::find_if(kClasses.begin(), kClasses.end(), [&](const NamedClass& one) {
      return one.name == reader.fields()[0];
    });
    if (named == kClasses.end()) reader.fail("class", "unknown: '" + reader.fields()[0] + "'");
    for (std::string phrase : split(reader.fields()[2], '|')) {
      const bool open = phrase.ends_with('*');
      if (open) phrase.pop_back();
      const Tokens tokens = tokenize(phrase);
      if (tokens.list.empty() || tokens.list.size() > 12)
        reader.fail("phrases", "expected 1 to 12 words, found '" + phrase + "'");
      std::vector<std::string> words;
      for (const Token& token : tokens.list) words.emplace_back(tokens.key(token));
      if ((named->value & kSlipClasses) != 0) {
        for (const std::string& word : words) slips_.add(word);
      }
      add(std::move(words), open, named->value, reader);
    }
  }

  void add(std::vector<std::string> words, bool open, Classes classes, const TableReader& reader) {
    const bool stem = open && words.size() == 1;
    if (stem && (words[0].size() < kStemMin || words[0].size() > kStemMax))
      reader.fail("phrases", "expected 4 to 24 bytes before *, found '" + words[0] + "'");
    if (stem)
      stem_starts_.set(static_cast<unsigned char>(words[0][0]),
                       static_cast<unsigned char>(words[0][1]));
    std::vector<Phrase>& known = (stem ? stems_ : words_)[words[0]];
    for (Phrase& phrase : known) {
      if (phrase.words != words || phrase.open != open) continue;
      phrase.classes |= classes;
      return;
    }
    known.push_back({std::move(words), classes, open});
  }

  static void take_longest(Tokens& tokens, std::size_t at, const std::vector<Phrase>& phrases) {
    Token& token = tokens.list[at];
    for (const Phrase& phrase : phrases) {
      const bool one = phrase.words.size() == 1;
      if ((phrase.words.size() < token.length && !one) || !matches(tokens, at, phrase)) continue;
      if (one) token.own |= phrase.classes;
      if (phrase.words.size() < token.length) continue;
      if (phrase.words.size() > token.length) token.classes = 0;
      token.length = static_cast<std::uint8_t>(phrase.words.size());
      token.classes |= phrase.classes;
    }
  }

  static bool matches(const Tokens& tokens, std::size_t at, const Phrase& phrase) {
    if (at + phrase.words.size() > tokens.list.size()) return false;
    for (std::size_t i = 1; i < phrase.words.size(); ++i) {
      const Token& token = tokens.list[at + i];
      const std::string_view key = tokens.key(token);
      const bool last = i + 1 == phrase.words.size();
      if (last && phrase.open ? !key.starts_with(phrase.words[i]) : key != phrase.words[i])
        return false;
    }
    return true;
  }

  ByFirst words_;
  ByFirst stems_;
  Starts stem_starts_;
  Slips slips_;
};

}  // namespace

void find_phrases(Tokens& tokens) {
  static const PhraseTable table;
  for (std::size_t at = 0; at < tokens.list.size(); ++at) table.mend(tokens, at);
  for (std::size_t at = 0; at < tokens.list.size(); ++at) table.find(tokens, at);
}

}  // namespace glyphward::lexicon::extraction
