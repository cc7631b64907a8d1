// The reading with a term in it: token passing over a trie of the terms and the cells of a text.
//
// A state stands before a cell and at a node of the trie; it knows what the reading has cost since
// the text's first cell, ordinary words before the term included. From there it goes on by each
// reading of the cell, by a mask, a slip, a spelling by ear, over signs and spaces, each at the
// price of its rule (channel.h). Of states at the same node the cheapest stays, so that one pass
// serves all beginnings; a state stays only while it is no dearer than ordinary writing has been,
// and among the best kBeam of its cell and age. That bounds the work at each cell, whatever the
// text.
//
// Where a term ends, evidence = total cost of the ordinary reading - cost of this one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lexicon/channel/channel.h"
#include "lexicon/finding.h"
#include "lexicon/matching/entry.h"
#include "lexicon/matching/innocence.h"
#include "lexicon/matching/vocabulary.h"
#include "lexicon/text/normalization.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {

// Spellings by length and first letter: what a word with several hidden letters is compared with,
// since a pass through the trie would lead everywhere.
class Shapes {
 public:
  void add(std::uint32_t pattern, std::u32string_view letters);
  void finish();

  struct Shape {
    std::uint32_t key = 0;
    std::uint32_t pattern = 0;
    std::uint32_t letters = 0;  // in letters_
  };
  static constexpr std::uint32_t kLettersMax = 16;
  // All of a length and a first letter.
  std::pair<const Shape*, const Shape*> of(std::uint32_t length, char32_t first) const;
  const char32_t* letters(const Shape& shape) const { return letters_.data() + shape.letters; }

 private:
  std::vector<Shape> shapes_;
  std::u32string letters_;
};

class Search {
 public:
  // A reading that ends with a pattern. The evidence may be too little to count.
  struct Found {
    std::uint32_t pattern = 0;
    std::uint32_t begin = 0;  // cells: [begin, end)
    std::uint32_t end = 0;
    Rules rules = 0;
    Steps steps = 0;  // those that are no rule's: inflection, compound
    float evidence = 0;
  };

  // Keeps all that it is given.
  Search(const Terms& terms, const Shapes& shapes, const NormalizedText& text,
         const Innocence& innocence, Scope scope, const std::vector<std::uint32_t>& seams,
         Effort effort);

  // "50%": the sign hides nothing.
  static bool is_percent(const NormalizedText& text, std::uint32_t at) {
    return text.cells[at].source == U'%' && at > 0 && text.cells[at - 1].kind == CellKind::Digit;
  }
  // Whether the number in cells [begin, end) is one of money, or has a decimal: "14.88", "€ 1488".
  static bool is_amount(const NormalizedText& text, std::uint32_t begin, std::uint32_t end);

  // Where a term may begin; all cells otherwise.
  void begin_only(const std::vector<bool>& cells) { begins_ = &cells; }
  // What has evidence of `least` or more.
  std::vector<Found> run(float least);
  // The rules that led to it, each with its letter and cell, for people: the search is done again
  // from where the hit begins, and written down.
  std::string explain(const Found& found);

 private:
  // How much dearer than ordinary writing a reading may be on the way.
  static constexpr float kSlack = 5.0f;
  static constexpr std::size_t kBeam = Effort{}.terms;
  static constexpr std::uint32_t kNoBlock = 0xFFFFFFFFu;
  static constexpr char32_t kHidden = U'*';
  static constexpr LetterSet kAllLetters = ~LetterSet{0};

  struct State {
    float cost = 0;
    std::uint32_t node = Trie::kRoot;
    Rules rules = 0;
    std::uint32_t start = 0;
    std::uint32_t separator = 0;  // which signs stood between the letters so far; 0 for none
    std::uint32_t link = 0;
    char32_t last = 0;          // the letter read last, kHidden for a mask
    std::uint8_t read = 0;      // letters of the term
    std::uint8_t fragment = 0;  // letters since the last separator
    std::uint8_t known = 0;     // letters that the text shows
    bool spelled = false;
    bool inside = false;  // began within a word
    bool loose = false;   // behind letters that are neither beginning nor companion
  };
  struct Block {
    std::array<std::uint64_t, kBeam> keys;
    std::array<float, kBeam> scores;
    std::array<std::uint32_t, kBeam> turns;  // which came first
    std::array<State, kBeam> states;
    std::uint32_t count = 0;
    std::uint32_t turn = 0;
    std::uint32_t worst = 0;  // once it is full
  };
  // Of states before a cell: whether they began in the word that ends or stands there.
  enum class Age : std::uint8_t { Young, Old };
  static constexpr std::array kAges = {Age::Young, Age::Old};
  static constexpr std::size_t place(std::uint32_t at, Age age) {
    return 2 * static_cast<std::size_t>(at) + static_cast<std::size_t>(age);
  }
  // Of a reading that began at cell `start`, before cell `at`.
  std::size_t place_of(std::uint32_t start, std::uint32_t at) const {
    const bool young = at > 0 && start >= innocence_.word_begin(at - 1);
    return place(at, young ? Age::Young : Age::Old);
  }
  struct Link {
    std::uint32_t before = 0;
    Rule rule = Rule::Leet;
    char32_t letter = 0;
    std::uint32_t cell = 0;
  };
  // A run of signs and spaces between letters.
  struct Gap {
    std::uint32_t end = 0;
    std::uint32_t signature = 0;
    bool blank = false;
    std::uint32_t masks = 0;  // how many of the signs may hide a letter, if all do
  };
  // A spelling by ear whose letters stand at the cell at hand.
  struct Heard {
    const Channel::Sound* sound = nullptr;
    LetterSet first = 0;  // of the term's letters
    std::uint32_t end = 0;
  };

  void look_at_letters();
  void look_ahead();
  void look_around();
  // Whether a reading that began at cell `start` and costs so much before cell `at` may still come
  // to a term: no dearer than ordinary writing has been, nor than the states that the cell has, if
  // these are enough; and what ordinary writing is about to cost would pay for the term.
  bool admits(float cost, Rules rules, std::uint32_t node, std::uint32_t read, bool spelled,
              std::uint32_t start, std::uint32_t at) const;
  // The same of a rule that reads so many letters, whatever these are: what no node below admits
  // need not be tried.
  bool admits_rule(const State& state, Rule rule, std::uint32_t letters, float extra,
                   std::uint32_t at) const {
    return admits(state.cost + channel_.hide(rule, state.rules) + extra, bit(rule), state.node,
                  state.read + letters, false, state.start, at);
  }
  void set_ceilings(std::uint32_t from, std::uint32_t to);
  void walk(std::uint32_t from, std::uint32_t to);
  void walk_block(std::uint32_t& number, std::uint32_t at, std::uint32_t to);
  void look_at_cell(std::uint32_t at);
  std::optional<State> seed(std::uint32_t at) const;
  void push(const State& state, std::uint32_t at);
  State with(State state, Rule rule, char32_t letter, std::uint32_t cell, float extra = 0);

  void advance(const State& state, std::uint32_t at);
  void read_cell(const State& state, std::uint32_t at);
  void read_long_run(State state, std::uint32_t at);
  void read_drawn(const State& state, std::uint32_t at);
  void read_heard(const State& state, std::uint32_t at);
  void read_mask(const State& state, std::uint32_t at);
  void read_slip(const State& state, std::uint32_t at);
  void leave_out(const State& state, std::uint32_t at);
  void cross(const State& state, std::uint32_t at);
  void join_words(const State& state, std::uint32_t at);
  // By the readings of cell `at` from a node that is reached without one.
  void follow(const State& state, std::uint32_t node, std::uint32_t at, Rule rule, char32_t letter,
              float extra);

  void end(const State& state, std::uint32_t at);
  // The letters that stick to a term, on one side of it.
  struct Residue {
    float cost = kNever;
    bool any = false;
    bool affix = false;
    WordHash letters = 0;
    bool plural = false;
    bool companion = false;
    bool digits = false;
    bool loose = false;  // neither ending nor companion
  };
  Residue residue(std::uint32_t begin, std::uint32_t end, bool behind) const;
  Residue behind(std::uint32_t at, bool hidden) const;
  bool stands_alone(std::uint32_t begin, std::uint32_t end) const;
  float price_of(const Pattern& pattern, const State& state, std::uint32_t at,
                 const Residue& rest) const;
  bool is_within_katakana(std::uint32_t begin, std::uint32_t end) const;
  void search_shapes();
  void compare_shapes(std::uint32_t begin, std::uint32_t end, std::uint32_t signs);

  // A slip that makes an ordinary word is an ordinary word: "white powder".
  float other_word(std::uint32_t at) const {
    return innocence_.listed(at) ? price(Price::OtherWord) : 0;
  }
  bool may_begin(std::uint32_t at) const;
  bool follows(std::uint32_t node, std::uint32_t at) const {
    // The words of a phrase may be joined.
    return terms_.words.has_values(node) ||
           (terms_.words.next_letters(node) & (ahead_[at] | kSpaceLetter));
  }
  // The same where the cell may be the letter before it written twice.
  bool goes_on(std::uint32_t node, std::uint32_t at) const {
    return follows(node, at) || (at > 0 && (letters_[at] & letters_[at - 1]) != 0);
  }
  // Whether the letters of cell `at` and the next lead on from the node: more than one likeness
  // hardly counts (Price::FurtherSoft), so that there must be letters beside it.
  bool leads_on(std::uint32_t node, std::uint32_t at) const {
    return terms_.words.has_values(node) || (terms_.words.next_letters(node) & kSpaceLetter) != 0 ||
           terms_.words.any_child(node, ahead_[at],
                                  [&](std::uint32_t child) { return goes_on(child, at + 1); });
  }
  // Calls `use` with the letters that the node goes on with, and their nodes: those first that the
  // cells from `at` on lead on from, since all cost the same and the cell has no room for all.
  template <typename Use>
  void each_letter(std::uint32_t node, std::uint32_t at, Use use) const {
    for (const bool likely : {true, false}) {
      terms_.words.each_child(node, kAllLetters & ~kSpaceLetter,
                              [&](char32_t letter, std::uint32_t child) {
                                if (leads_on(child, at) == likely) use(letter, child);
                              });
    }
  }
  static constexpr LetterSet kVowels = 1u << ('a' - 'a') | 1u << ('e' - 'a') | 1u << ('i' - 'a') |
                                       1u << ('o' - 'a') | 1u << ('u' - 'a') | 1u << ('y' - 'a');
  bool unspaced(std::uint32_t at) const { return is_unspaced(text_.cells[at].plain); }
  char32_t plain(std::uint32_t at) const { return fold_script(text_.cells[at].plain); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(text_.cells.size()); }
  float price(Price what) const { return channel_.price(what); }
  float outlook(std::uint32_t read) const {
    return std::min(price(Price::Term) + price(Price::Plain), 1.7f * static_cast<float>(read));
  }

  const Terms& terms_;
  const Shapes& shapes_;
  const NormalizedText& text_;
  const Innocence& innocence_;
  const Channel& channel_ = Channel::shipped();
  Scope scope_;
  Effort effort_;
  const std::vector<std::uint32_t>& seams_;
  const std::vector<bool>* begins_ = nullptr;
  float least_ = 0;
  bool explains_ = false;  // links_ are kept
  LanguageNumber english_ = innocence_.table().language_number("en");

  std::vector<LetterSet> letters_;  // of each cell's readings, and three beyond
  std::vector<LetterSet> ahead_;    // of the next cells, over signs, to a letter
  // The most that ordinary writing may cost up to where a term ends that goes on at the cell: to
  // the end of the word, or less the gaps between a few more.
  std::vector<float> limits_;
  std::vector<bool> soft_;  // where likenesses are looked for
  std::vector<std::uint32_t> blocks_at_;
  // What a state at a place must be cheaper than, its outlook included.
  std::vector<float> ceilings_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::uint32_t> free_blocks_;
  std::vector<Link> links_;
  std::vector<std::uint32_t> found_links_;  // of found_, if links are kept
  std::vector<Heard> heard_;
  LetterSet heard_first_ = 0;  // of all of them
  LetterSet silent_letters_ = 0;
  Gap gap_;
  std::vector<Found> found_;
};

// Inline: asked of every way on from every state.
inline bool Search::admits(float cost, Rules rules, std::uint32_t node, std::uint32_t read,
                           bool spelled, std::uint32_t start, std::uint32_t at) const {
  if (at > size() || cost + outlook(read) >= ceilings_[place_of(start, at)]) return false;
  const float term =
      price(Price::Term) + price(Price::Stem) + (rules == 0 ? price(Price::Plain) : 0);
  // The node last: it seldom lies in the processor's cache.
  return spelled || cost + term + least_ <= limits_[at] || terms_.words.leads_to_phrase(node);
}

// The state after a rule: paid for and written down.
inline Search::State Search::with(State state, Rule rule, char32_t letter, std::uint32_t cell,
                                  float extra) {
  state.cost += channel_.hide(rule, state.rules) + extra;
  state.rules |= bit(rule);
  if (explains_) {
    links_.push_back({state.link, rule, letter, cell});
    state.link = static_cast<std::uint32_t>(links_.size() - 1);
  }
  return state;
}

}  // namespace glyphward::lexicon
