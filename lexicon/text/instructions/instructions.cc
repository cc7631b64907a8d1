#include "lexicon/text/instructions/instructions.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/table.h"
#include "lexicon/tables.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

using Piece = std::pair<std::uint32_t, std::uint32_t>;  // bytes of the prompt

enum class Kind : std::uint8_t {
  Swap,
  Swapped,
  Without,
  First,
  Last,
  Prepend,
  Append,
  Rhyme,
  Rhymed,
  Parts,
  Acronym,
  Turned,
  Means,
  Unless,
  Gate
};
constexpr std::array<std::string_view, 15> kKinds = {
    "swap",   "swapped", "without", "first",  "last",  "prepend", "append", "rhyme",
    "rhymed", "parts",   "acronym", "turned", "means", "unless",  "gate"};

// What stands for a longer expression in the table.
constexpr std::pair<std::string_view, std::string_view> kShort[] = {
    {"{q}", R"((?:["'`]|“|”|‘|’|«|»|„)?)"},
    {"{l}", "[a-z]{1,2}"},
    {"{a}",
     R"((?:(?:the |an? |letters? |capital |das |ein |den |la |el |le |un |una |une |il |o |a |letra |lettre |lettera |buchstaben? ){0,3}))"},
    {"{w}", "[a-z]{2,16}"},
    {"{LEAD}",
     R"(\b(?:with|of|in|saying|says?|reads?|reading|spell(?:s|ing)?|writ(?:e|es|ing|ten)|paint(?:s|ed|ing)?|carv(?:e|ed|ing)|draw|shows?|showing|display(?:s|ing)?|bear(?:s|ing)|contain(?:s|ing)|featuring|that is|is|as|just|only|put|add|print(?:s|ed)?|mit|auf dem|con|avec|com|met|z|с|with a|:) (?:\w+ ){0,5}?)"}};

struct Instruction {
  Kind kind;
  std::string word;
  std::unique_ptr<RE2> expression;
};

struct Table {
  std::vector<Instruction> rows;
  static const Table& instance() {
    static const Table table;
    return table;
  }

 private:
  Table() {
    RE2::Options options;
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    TableReader reader("lexicon/text/instructions/instructions.tsv",
                       tables::lexicon_text_instructions_instructions_tsv);
    reader.expect_header({"kind", "word", "expression"});
    while (reader.next()) {
      const auto* kind = std::find(kKinds.begin(), kKinds.end(), reader.fields()[0]);
      if (kind == kKinds.end()) reader.fail("kind", "unknown: " + reader.fields()[0]);
      std::string expression = reader.fields()[2];
      for (const auto& [name, meaning] : kShort) {
        for (std::size_t at = 0; (at = expression.find(name, at)) != expression.npos;)
          expression.replace(at, name.size(), meaning);
      }
      auto compiled = std::make_unique<RE2>(expression, options);
      if (!compiled->ok()) reader.fail("expression", compiled->error());
      rows.push_back(
          {static_cast<Kind>(kind - kKinds.begin()), reader.fields()[1], std::move(compiled)});
    }
  }
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_vowel(char c) {
  return std::string_view("aeiou").find(ascii_lower(c)) != std::string_view::npos;
}
bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

// A word under construction.
class Word {
 public:
  void add(std::string_view letters, Piece from) {
    run_.text += letters;
    run_.origins.insert(run_.origins.end(), letters.size(), from);
  }
  // Each letter from where it stands in the prompt.
  void add_each(std::string_view letters, Piece from) {
    for (std::uint32_t i = 0; i < letters.size(); ++i)
      add(letters.substr(i, 1), {from.first + i, from.first + i + 1});
  }
  DecodedRun take() && { return std::move(run_); }
  std::size_t size() const { return run_.text.size(); }

 private:
  DecodedRun run_;
};

class Follower {
 public:
  Follower(std::string_view prompt, const std::vector<RenderedText>& shown)
      : prompt_(prompt), shown_(shown) {}

  std::vector<DecodedRun> run() && {
    const std::vector<Instruction>& rows = Table::instance().rows;
    bool silent = false;
    for (const Instruction& row : rows) {
      if (row.kind == Kind::Gate && !says(row)) return {};
      if (row.kind == Kind::Unless) silent = first_match(row).has_value();
      if (row.kind != Kind::Means || !silent) follow(row);
    }
    return std::move(runs_);
  }

 private:
  struct Match {
    std::array<std::string_view, 3> groups;  // the first is all of it
    std::string_view operator[](std::size_t i) const { return groups[i]; }
  };

  Piece piece(std::string_view part) const {
    const auto start = static_cast<std::uint32_t>(part.data() - prompt_.data());
    return {start, start + static_cast<std::uint32_t>(part.size())};
  }

  bool says(const Instruction& row) const {
    return RE2::PartialMatch({prompt_.data(), prompt_.size()}, *row.expression);
  }
  // The next match from `from` on that does not begin in a text that is drawn.
  std::optional<Match> next_match(const Instruction& row, std::size_t& from) const {
    std::array<re2::StringPiece, 3> groups;
    const int count = 1 + std::min(2, row.expression->NumberOfCapturingGroups());
    while (from < prompt_.size() &&
           row.expression->Match({prompt_.data(), prompt_.size()}, from, prompt_.size(),
                                 RE2::UNANCHORED, groups.data(), count)) {
      Match match;
      for (std::size_t i = 0; i < groups.size(); ++i)
        match.groups[i] = {groups[i].data(), groups[i].size()};
      const Piece at = piece(match[0]);
      from = std::max<std::size_t>(at.first + 1, at.second > 0 ? at.second - 1 : 0);
      if (!is_shown(at)) return match;
    }
    return std::nullopt;
  }
  std::optional<Match> first_match(const Instruction& row) const {
    std::size_t from = 0;
    return next_match(row, from);
  }
  bool is_shown(Piece at) const {
    return std::any_of(shown_.begin(), shown_.end(), [&](const RenderedText& text) {
      return text.quoted && text.start <= at.first && at.first < text.end;
    });
  }

  void follow(const Instruction& row) {
    if (row.kind == Kind::Parts) return put_together(row);
    const std::optional<Match> match = first_match(row);
    if (!match) return;
    switch (row.kind) {
      case Kind::Swap:
        return each_text([&](std::string_view text) { swap(text, (*match)[2], (*match)[1]); });
      case Kind::Swapped:
        return each_text([&](std::string_view text) { swap(text, (*match)[1], (*match)[2]); });
      case Kind::Without:
        return each_text([&](std::string_view text) { swap(text, (*match)[1], {}); });
      case Kind::First:
        return each_text([&](std::string_view text) {
          begin_with((*match)[1], text, 1);
          if (onset(text) > 1) begin_with((*match)[1], text, onset(text));
        });
      case Kind::Last:
        return each_text([&](std::string_view text) {
          keep({text.substr(0, text.size() - 1), (*match)[1]});
        });
      case Kind::Prepend:
        return each_text([&](std::string_view text) { begin_with((*match)[1], text, 0); });
      case Kind::Append:
        return each_text([&](std::string_view text) { keep({text, (*match)[1]}); });
      case Kind::Rhyme:
        return begin_with((*match)[2], (*match)[1], onset((*match)[1]));
      case Kind::Rhymed:
        return begin_with((*match)[1], (*match)[2], onset((*match)[2]));
      case Kind::Acronym:
        return initials();
      case Kind::Turned:
        return turned_digits();
      case Kind::Means:
        return name(row.word, (*match)[0]);
      case Kind::Parts:
      case Kind::Unless:
      case Kind::Gate:
        return;
    }
  }

  // The texts that are drawn as the prompt writes them, and are no letters of an instruction.
  template <typename Do>
  void each_text(Do act) {
    constexpr std::size_t kTextMax = 40;
    for (const RenderedText& text : shown_) {
      if (text.end - text.start < 3 || text.end - text.start > kTextMax) continue;
      if (text.end > prompt_.size()) continue;
      act(prompt_.substr(text.start, text.end - text.start));
    }
  }

  // All letters `old` as `written`; nothing if there are none.
  void swap(std::string_view text, std::string_view old, std::string_view written) {
    Word word;
    bool any = false;
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view here = text.substr(at, old.size());
      const bool swaps = same(here, old);
      any = any || swaps;
      word.add(swaps ? written : text.substr(at, 1), piece(swaps ? here : text.substr(at, 1)));
      at += swaps ? old.size() : 1;
    }
    if (any) keep(std::move(word));
  }

  static std::size_t onset(std::string_view word) {
    std::size_t letters = 0;
    while (letters + 1 < word.size() && !is_vowel(word[letters])) ++letters;
    return letters;
  }
  void begin_with(std::string_view letter, std::string_view text, std::size_t from) {
    keep({letter, text.substr(from)});
  }

  void keep(std::initializer_list<std::string_view> parts) {
    Word word;
    for (const std::string_view part : parts) word.add_each(part, piece(part));
    keep(std::move(word));
  }
  void keep(Word word) {
    if (word.size() >= 3) runs_.push_back(std::move(word).take());
  }

  // "a = wan and b = ker"
  void put_together(const Instruction& row) {
    Word word;
    std::size_t parts = 0;
    std::size_t from = 0;
    while (const std::optional<Match> match = next_match(row, from)) {
      word.add_each((*match)[1], piece((*match)[1]));
      ++parts;
    }
    if (parts > 1) keep(std::move(word));
  }

  // The first letters of three or more words with capitals, and little words between.
  void initials() {
    Word word;
    std::size_t small = 0;
    const auto finish = [&] {
      keep(std::move(word));
      word = {};
    };
    for (std::size_t at = 0; at < prompt_.size();) {
      if (!is_ascii_letter(prompt_[at])) {
        if (prompt_[at] == '.' || prompt_[at] == ',' || prompt_[at] == '"') finish();
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < prompt_.size() && (is_ascii_letter(prompt_[end]) || prompt_[end] == '\'')) ++end;
      const bool capital = is_upper(prompt_[at]);
      small = capital ? 0 : small + 1;
      if (capital) word.add(prompt_.substr(at, 1), piece(prompt_.substr(at, end - at)));
      if (small > 2 || (small > 0 && end - at > 3)) finish();
      at = end;
    }
    finish();
  }

  // 5318008
  void turned_digits() {
    constexpr std::string_view kLetters = "oizehsglbg";
    constexpr std::size_t kDigitsMin = 4;
    for (std::size_t at = 0; at < prompt_.size();) {
      std::size_t end = at;
      while (end < prompt_.size() &&
             (is_ascii_digit(prompt_[end]) || (prompt_[end] == '.' && end > at)))
        ++end;
      if (end - at >= kDigitsMin) {
        Word word;
        for (std::size_t i = end; i-- > at;) {
          if (!is_ascii_digit(prompt_[i])) continue;
          word.add(kLetters.substr(static_cast<std::size_t>(prompt_[i] - '0'), 1),
                   piece(prompt_.substr(at, end - at)));
        }
        keep(std::move(word));
      }
      at = std::max(end, at + 1);
    }
  }

  void name(const std::string& meaning, std::string_view said) {
    Word word;
    word.add(meaning, piece(said));
    keep(std::move(word));
  }

  std::string_view prompt_;
  const std::vector<RenderedText>& shown_;
  std::vector<DecodedRun> runs_;
};

}  // namespace

std::vector<DecodedRun> follow_instructions(std::string_view prompt,
                                            const std::vector<RenderedText>& shown) {
  // No text encoder reads more of a prompt.
  constexpr std::size_t kReadMax = 4096;
  return Follower(prompt.substr(0, kReadMax), shown).run();
}

}  // namespace glyphward::lexicon
