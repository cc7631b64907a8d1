// The innocent reading of a text: what its cells cost when they are ordinary writing. A text is cut
// at the boundaries of words and signs, and every way to read a piece is an edge with a price: a
// listed word, one misspelt, spelled out, masked, broken by signs, a number, a harmless phrase, or
// a word that nobody knows. The cheapest path to each boundary, and from there to the end, is found
// once and serves all terms that are looked for.
//
// Disguise is read here by the same rules as in search.h, at the price that ordinary writing pays:
// so a disguised ordinary word does not look like a disguised term.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "lexicon/channel/channel.h"
#include "lexicon/matching/allow_list.h"
#include "lexicon/matching/vocabulary.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

// How many readings of the same letters are followed at once.
struct Effort {
  std::size_t ordinary = 6;  // of a word
  std::size_t terms = 10;    // before a cell, and of the same age
  // Whether likenesses are looked for in any word; else beside ordinary words only, and at the
  // text's beginning and end.
  bool everywhere = true;
};
// In a prompt that is longer than any picture's.
inline constexpr Effort kLittleEffort = {1, 2, false};

// Linear in the text's cells. For one thread.
class Innocence {
 public:
  // Keeps the text and the vocabulary. `allowed`: the runs of cells that harmless phrases cover.
  Innocence(const NormalizedText& text, const Vocabulary& vocabulary,
            std::vector<AllowList::Range> allowed, Effort effort = {});

  std::uint32_t size() const { return static_cast<std::uint32_t>(text_.cells.size()); }
  // The cheapest reading of what stands before cell i, and of what stands from it on; kNever within
  // a word.
  float before(std::uint32_t i) const { return before_[i]; }
  float from(std::uint32_t i) const { return from_[i]; }
  float total() const { return before_.back(); }
  // before(), and within a word what its letters have cost so far.
  float bound(std::uint32_t i) const { return bound_[i]; }

  // Part of a word: a letter, a digit, an apostrophe between letters.
  bool in_word(std::uint32_t i) const { return words_[i].inside; }
  // The word that holds the cell; i itself where none does.
  std::uint32_t word_begin(std::uint32_t i) const { return words_[i].begin; }
  std::uint32_t word_end(std::uint32_t i) const { return words_[i].end; }
  // An ordinary word so frequent, written so plainly, that no disguise can be likelier.
  bool quiet(std::uint32_t i) const { return words_[i].quiet; }
  // In a word whose first letter alone is a capital.
  bool titled(std::uint32_t i) const {
    const std::uint32_t begin = words_[i].begin;
    return begin + 1 < words_[i].end && text_.cells[begin].upper && !text_.cells[begin + 1].upper;
  }
  // In a word that is listed and holds no term.
  bool listed(std::uint32_t i) const { return words_[i].listed; }

  // Languages of the text's own words, but for those that are terms: at least one word and a third
  // of all.
  LanguageSet languages() const { return languages_; }

  // How many words of two letters or more are no terms as they stand.
  std::uint32_t other_words() const { return other_words_; }

  // Harmless phrases.
  const std::vector<AllowList::Range>& allowed() const { return allowed_; }

  // The letters of cells [begin, end) as they stand.
  std::u32string plain(std::uint32_t begin, std::uint32_t end) const;
  // As part of a longer word, in nats, by its letters.
  float fragment(std::u32string_view letters) const { return table_.fragment(letters); }
  // A word of its own, listed or not.
  float word(std::u32string_view letters) const { return price_word(letters).cost; }
  bool is_listed(std::u32string_view letters) const {
    return vocabulary_.listed(hash_of(letters), languages_).cost < kNever;
  }
  // Several listed words, one behind the other without spaces, and `extra`; kNever if it is none or
  // comes to `most`.
  float run_together(std::u32string_view letters, float extra, float most) const;
  const WordTable& table() const { return table_; }

  // The cheapest reading of [begin, end), word by word with its cost, for people.
  std::string reading(std::uint32_t begin, std::uint32_t end) const;

 private:
  enum class How : std::uint8_t {
    Sign,
    Listed,
    Near,
    Compound,
    Unknown,
    Number,
    Code,
    Spelled,
    Broken,
    Masked,
    Phrase,
    Name
  };
  struct Priced {
    float cost = kNever;
    How how = How::Unknown;
  };
  struct Edge {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    Priced price;
  };
  struct Word {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool inside = false;
    bool quiet = false;
    bool listed = false;
  };
  struct Letters;
  using Cells = std::vector<std::uint32_t>;

  void find_words();
  using Votes = std::array<float, LanguageSet().size()>;  // by LanguageNumber
  void weigh_languages();
  void share_vote(WordHash hash, const WordTable::Word& word, Votes& votes) const;
  void add_word(std::uint32_t begin, std::uint32_t end);
  bool add_name(std::uint32_t begin, std::uint32_t end, std::u32string_view letters);
  bool is_year(std::uint32_t begin, std::uint32_t end) const;
  void add_unspaced(std::uint32_t begin, std::uint32_t end);
  void add_stretches();
  void add_drawn(std::uint32_t begin, std::uint32_t end);
  void add_masked(std::uint32_t begin, std::uint32_t end);
  void add_spelled();
  void add_broken();
  void add_colours();
  void add_codes();
  void find_paths();

  void add(std::uint32_t begin, std::uint32_t end, Priced price) {
    if (price.cost < kNever) edges_.push_back({begin, end, price});
  }
  float price(Price what) const { return channel_.price(what); }
  Priced price_word(std::u32string_view letters) const;
  Priced price_near(std::u32string_view letters, float most) const;
  Priced price_unlisted(std::u32string_view letters) const;
  Priced price_parts(std::u32string_view letters, float most) const;
  float price_unknown(std::u32string_view letters) const;
  // Of cells in a row as one word, through all readings.
  Priced price_run(const Cells& cells) const;
  Priced price_letters(const Letters& letters) const;
  bool is_term(std::u32string_view letters) const;
  static constexpr std::size_t kRunMax = 48;  // longer runs are no words
  // The letter that the cell shows as it stands.
  char32_t letter_of(const Cell& cell) const;
  bool is_plain(std::uint32_t i) const;
  bool unspaced(std::uint32_t i) const;

  const NormalizedText& text_;
  const Vocabulary& vocabulary_;
  const WordTable& table_;
  std::vector<AllowList::Range> allowed_;
  Effort effort_;
  const Channel& channel_ = Channel::shipped();
  std::vector<Word> words_;  // of the cells, and one beyond
  std::vector<Edge> edges_;
  std::vector<float> before_;
  std::vector<float> from_;
  std::vector<float> bound_;
  std::vector<std::uint32_t> back_;  // the edge by which before() comes to a boundary, + 1
  mutable std::unordered_map<WordHash, Priced> unlisted_;  // price_unlisted() of words so far
  LanguageSet languages_;
  std::uint32_t other_words_ = 0;
};

}  // namespace glyphward::lexicon
