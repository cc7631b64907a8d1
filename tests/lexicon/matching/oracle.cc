#include "tests/lexicon/matching/oracle.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "lexicon/channel/drawn_letters.h"
#include "lexicon/text/unicode.h"
#include "tests/lexicon/matching/oracle_prices.h"

namespace glyphward::lexicon {
namespace {

constexpr std::size_t kPlacesMax = 60000;  // more are given up
constexpr char32_t kHidden = 1;            // in place of the letter read last: a mask
// A reading is given up that is so much dearer than ordinary writing has been, each letter that it
// has read counted as so much (Search::outlook).
constexpr float kDearer = 5.0f;
constexpr float kOutlook = 1.7f;

}  // namespace

// ----- spellings -----

Oracle::Oracle(const std::vector<Entry>& entries) {
  const Channel& channel = Channel::shipped();
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    std::vector<std::string> forms = entry.forms;
    forms.insert(forms.begin(), entry.term.term);
    for (std::size_t k = 0; k < forms.size(); ++k) {
      const Steps steps = k == 0 ? Steps{0} : kSpelling;
      const float cost = k == 0 ? 0 : channel.price(Price::Form);
      const std::u32string folded = fold_term(forms[k]);
      const std::u32string bare = strip_marks(folded);
      add(folded, i, entry, steps, cost);
      if (bare != folded) {
        const bool needed = entry.flags & kAccent;
        add(bare, i, entry, steps,
            cost + channel.price(needed ? Price::AccentNeeded : Price::AccentLost));
      }
      if (entry.term.language != "en" || (entry.flags & kExact) || folded.size() < 4) continue;
      const std::u32string stem = folded.substr(0, folded.size() - 1);
      if (folded.ends_with(U'y')) add(stem + U"ies", i, entry, steps | kInflection, cost);
      if (folded.ends_with(U'e') && !(entry.flags & kPlural))
        add(stem + U"ing", i, entry, steps | kInflection, cost);
    }
  }
}

void Oracle::add(const std::u32string& letters, std::uint32_t number, const Entry& entry,
                 Steps steps, float cost) {
  const WordTable& table = WordTable::shipped();
  const auto spaces = static_cast<std::uint32_t>(std::count(letters.begin(), letters.end(), U' '));
  const auto size = static_cast<std::uint32_t>(letters.size());
  Pattern pattern;
  pattern.entry = number;
  pattern.letters = size - spaces;
  pattern.steps = steps;
  pattern.flags = entry.flags;
  pattern.cost = cost;
  pattern.severity = static_cast<std::uint8_t>(entry.term.severity);
  pattern.language = table.language_number(entry.term.language);
  pattern.spaced = spaces > 0;
  pattern.spelled = pattern.letters == spaces + 1;
  pattern.numeric = letters.find_first_not_of(U" 0123456789") == letters.npos;
  // A well known word of another language.
  const WordTable::Word listed = table.word(letters);
  if (listed.cost < 14.5f && listed.language != pattern.language && entry.term.severity < 5)
    pattern.cost += Channel::shipped().price(Price::OtherLanguage);
  const bool english = entry.term.language == "en" && pattern.letters >= 4 && spaces == 0 &&
                       !(entry.flags & (kExact | kPlural));
  pattern.inside = steps == 0 && (english || (entry.flags & (kStem | kHead)));
  spellings_.push_back({letters, pattern});
}

// ----- reading -----

// One spelling laid against one text.
class OracleRun : private OraclePrices {
 public:
  OracleRun(const Oracle::Spelling& spelling, const NormalizedText& text,
            const Innocence& innocence, Scope scope, float least)
      : OraclePrices(spelling.pattern, text, innocence, scope),
        letters_(spelling.letters),
        least_(least) {}

  bool run(std::vector<Oracle::Reading>& readings) {
    for (std::uint32_t start = 0; start < size_; ++start) {
      if (!begin(start)) continue;
      for (std::uint32_t at = start; at <= size_; ++at) {
        for (const auto& [place, way] : layers_[at]) {
          if (place.letter == letters_.size()) end(place, way, at, readings);
          if (at < size_) go_on(place, way, at);
        }
        if (places_ > kPlacesMax) return false;
      }
    }
    shapes(readings);
    return true;
  }

 private:
  // How far a reading has come, with all that its further cost depends on.
  struct Place {
    std::size_t letter = 0;  // of the spelling, the next to be read
    Rules rules = 0;
    char32_t last = 0;
    std::vector<char32_t> separator;  // the signs that stood between letters
    int fragment = 0;                 // letters since then, 2 for more
    int known = 0;                    // letters that the text shows, 2 for more
    bool begun = false;
    bool spelled = false;
    bool distorted = false;  // by the last step
    bool given_up = false;   // by Search

    auto tie() const {
      return std::tie(letter, rules, last, separator, fragment, known, begun, spelled, distorted,
                      given_up);
    }
    bool operator<(const Place& other) const { return tie() < other.tie(); }
  };
  struct Way {
    float cost = 0;
    std::string spelled;
  };
  bool more(const Place& place, std::size_t k = 0) const {
    return place.letter + k < letters_.size() && letters_[place.letter + k] != U' ';
  }
  // Where Search asks the letters whether a term begins within a word.
  bool opening(std::uint32_t at) const { return inside_ && at < start_ + 3; }
  float other_word(std::uint32_t at) const {
    return innocence_.listed(at) ? price(Price::OtherWord) : 0;
  }

  // ----- where it begins -----

  bool begin(std::uint32_t start) {
    layers_.assign(size_ + 1, {});
    start_ = start;
    inside_ = loose_ = false;
    if (cell(start).kind == CellKind::Space) return false;
    Way way;
    const std::uint32_t word = innocence_.word_begin(start);
    if (!innocence_.in_word(start) || word == start || unspaced(start)) {
      way.cost = innocence_.before(start);
    } else if (is_apostrophe(cell(start - 1).source)) {
      if (innocence_.word_end(start) < start + 3) return false;
      way.cost = innocence_.before(word) + innocence_.word(innocence_.plain(word, start - 1)) +
                 price(Price::Apostrophe);
    } else {
      if (scope_ != Scope::Words || innocence_.listed(start)) return false;
      const Rest before = rest(word, start, false);
      way.cost = innocence_.before(word) + before.cost;
      inside_ = true;
      loose_ = before.loose;
    }
    if (way.cost >= kNever) return false;
    Place place;
    // Only its letters tell whether a term may begin within a word.
    const auto blank = [&](std::uint32_t i) {
      return i < size_ && (cell(i).kind == CellKind::Space || is_apostrophe(cell(i).source));
    };
    place.given_up = inside_ && (!pattern_.inside || blank(start + 1) || blank(start + 2));
    put(place, way, start);
    return true;
  }

  void put(Place place, Way way, std::uint32_t at) {
    if (at > size_) return;
    // The least that is still to be paid for a term.
    float term = price(Price::Term) - (pattern_.numeric ? 6.0f : 0.0f);
    for (std::size_t i = 0; i < kPriceCount; ++i)
      term += std::min(0.0f, price(static_cast<Price>(i)));
    const bool listed = (pattern_.spaced || pattern_.letters == 1) &&
                        (place.rules & ~bit(Rule::Compatibility)) == 0;
    if (!listed && innocence_.total() - way.cost - term < least_) return;
    const float outlook = std::min(price(Price::Term) + price(Price::Plain),
                                   kOutlook * static_cast<float>(place.letter));
    place.given_up = place.given_up || way.cost + outlook > innocence_.bound(at) + kDearer;
    place.fragment = std::min(place.fragment, 2);
    place.known = std::min(place.known, 2);
    const auto [it, fresh] = layers_[at].emplace(std::move(place), way);
    if (fresh) {
      ++places_;
    } else if (way.cost < it->second.cost) {
      it->second = std::move(way);
    }
  }

  // Pays for a rule and writes it down.
  void use(Place& place, Way& way, Rules rules, std::uint32_t at, float extra = 0) const {
    way.cost += channel_.hide(rules, place.rules) + extra;
    for (Rules rest = rules; rest != 0; rest &= rest - 1) {
      way.spelled += std::string(rule_name(static_cast<Rule>(__builtin_ctz(rest)))) + "@" +
                     std::to_string(at) + " ";
    }
    place.rules |= rules;
  }

  // ----- the ways on -----

  void go_on(const Place& place, const Way& way, std::uint32_t at) {
    const bool quiet = innocence_.quiet(at);
    if (cell(at).kind != CellKind::Space) {
      by_letters(place, way, at);
      if (!quiet) {
        if (!is_word(cell(at))) by_drawing(place, way, at);
        if (is_word(cell(at))) by_ear(place, way, at);
        if (place.begun) {
          by_mask(place, way, at);
          if (innocence_.in_word(at)) by_slip(place, way, at);
          if (place.fragment > 0 && !unspaced(at)) by_omission(place, way, at);
        }
      }
    }
    if (!place.begun || place.fragment == 0) return;
    std::uint32_t gap = at;
    while (gap < size_ && !is_word(cell(gap))) ++gap;
    if (gap > at) {
      if (gap < size_) over_gap(place, way, at, gap);
    } else if (innocence_.in_word(at) && innocence_.word_begin(at) != at && place.last != U' ' &&
               place.letter < letters_.size() && letters_[place.letter] == U' ') {
      Place next = place;
      Way on = way;
      ++next.letter;
      next.distorted = false;
      use(next, on, bit(Rule::Joined), at);
      by_one(next, on, at);
    }
  }

  void by_letters(const Place& place, const Way& way, std::uint32_t at) {
    for (const CellReading* r = text_.begin(cell(at)); r != text_.end(cell(at)); ++r) {
      if ((r->steps & kSound) || (innocence_.quiet(at) && r->steps != 0)) continue;
      Place next = place;
      Way on = way;
      use(next, on, rules_of(*r, cell(at)), at);
      next.last = r->letters[r->size - 1];
      if (place.spelled && place.fragment > 0) use(next, on, bit(Rule::Irregular), at);
      if (r->size == 1 && place.begun && r->letters[0] == place.last) {
        Place again = next;
        Way repeated = on;
        use(again, repeated, bit(cell(at).long_run ? Rule::Repeat : Rule::Double), at);
        // Of a term of one letter, each letter written twice is also the next.
        const bool one_letter = letters_.find_first_not_of(letters_[0]) == letters_.npos;
        again.given_up = again.given_up || again.distorted || one_letter;
        put(again, repeated, at + 1);
      }
      const std::u32string_view read(r->letters.data(), r->size);
      if (std::u32string_view(letters_).substr(place.letter, read.size()) != read) continue;
      next.letter += read.size();
      next.begun = true;
      next.distorted = false;
      ++next.known;
      ++next.fragment;
      put(next, on, at + 1);
      // So many letters as are written.
      const std::uint32_t count = cell(at).end - cell(at).start;
      if (!cell(at).long_run || r->size != 1 || cell(at).source >= 0x80 || count > 6) continue;
      if (std::u32string_view(letters_).substr(next.letter, count - 1) !=
          std::u32string(count - 1, next.last))
        continue;
      next.letter += count - 1;
      next.known += static_cast<int>(count) - 1;
      put(next, on, at + 1);
    }
  }

  void by_drawing(const Place& place, const Way& way, std::uint32_t at) {
    for (std::uint32_t rest = drawn_at(text_, at); rest != 0; rest &= rest - 1) {
      const Drawn& drawn = kDrawn[static_cast<std::size_t>(__builtin_ctz(rest))];
      if (!more(place) || letters_[place.letter] != drawn.letter) continue;
      Place next = place;
      Way on = way;
      use(next, on, bit(Rule::Drawn), at);
      next.distorted = false;
      shown(next, 1, 1, drawn.letter);
      put(next, on, at + static_cast<std::uint32_t>(drawn.signs.size()));
    }
  }

  void shown(Place& place, std::size_t letters, int count, char32_t last) const {
    place.letter += letters;
    place.known += count;
    place.fragment += count;
    place.last = last;
    place.begun = true;
  }

  void by_ear(const Place& place, const Way& way, std::uint32_t at) {
    for (const Channel::Sound& sound : channel_.sounds(plain(at))) {
      const std::uint32_t to = at + static_cast<std::uint32_t>(sound.written.size());
      bool fits = to <= size_ && std::u32string_view(letters_).substr(
                                     place.letter, sound.term.size()) == sound.term;
      for (std::uint32_t i = at; fits && i < to; ++i) fits = plain(i) == sound.written[i - at];
      if (!fits) continue;
      Place next = place;
      Way on = way;
      use(next, on, bit(Rule::Sound), at, sound.cost + other_word(at));
      next.given_up = next.given_up || next.distorted || opening(at);
      shown(next, sound.term.size(), 1, sound.written.back());
      put(next, on, to);
    }
  }

  void by_mask(const Place& place, const Way& way, std::uint32_t at) {
    const Masking mask = masking(cell(at));
    if (mask == Masking::None || Search::is_percent(text_, at)) return;
    const bool sign = mask == Masking::Plain;
    const auto same = [&](std::uint32_t i) {
      return i < size_ && cell(i).source == cell(at).source;
    };
    if (!sign && (same(at + 2) || (at >= 2 && same(at - 2)))) return;
    if (place.last == kHidden) {
      // More signs than letters are hidden.
      if (!sign || !same(at - 1)) return;
      Way on = way;
      on.cost += channel_.hide(bit(Rule::MaskRun), bit(Rule::MaskRun)) / 2;
      put(place, on, at + 1);
      return;
    }
    if (!more(place)) return;
    Place next = place;
    Way on = way;
    const char32_t letter = letters_[place.letter];
    use(next, on, bit(sign ? Rule::Mask : Rule::WeakMask), at,
        is_vowel(letter) ? 0.0f
        : sign           ? 0.3f
                         : 0.8f);
    ++next.letter;
    ++next.fragment;
    next.distorted = true;
    next.last = kHidden;
    put(next, on, at + 1);
    if (!sign || same(at + 1) || !more(next)) return;
    use(next, on, bit(Rule::MaskRun), at);
    ++next.letter;
    put(next, on, at + 1);
  }

  void by_slip(const Place& place, const Way& way, std::uint32_t at) {
    if ((place.rules & kSlips) || !place.separator.empty() || unspaced(at)) return;
    const char32_t c = plain(at);
    if (more(place) && letters_[place.letter] != c) {
      const char32_t meant = letters_[place.letter];
      const bool vowels = is_vowel(meant) && is_vowel(c);
      Place next = place;
      Way on = way;
      const float far = vowels || Channel::are_neighbours(meant, c) ? 0.0f : 1.5f;
      use(next, on, bit(vowels ? Rule::Vowel : Rule::Slip), at, far + other_word(at));
      ++next.letter;
      ++next.fragment;
      next.last = c;
      next.given_up = next.given_up || next.distorted || opening(at);
      next.distorted = true;
      put(next, on, at + 1);
      if (at + 1 < size_ && plain(at + 1) == meant && innocence_.word_end(at) > at + 1 &&
          more(place, 1) && letters_[place.letter + 1] == c) {
        next = place;
        on = way;
        use(next, on, bit(Rule::Swap), at, other_word(at));
        next.given_up = next.given_up || next.distorted || opening(at);
        shown(next, 2, 2, c);
        put(next, on, at + 2);
      }
    }
    Place next = place;
    Way on = way;
    use(next, on, bit(Rule::Extra), at,
        (Channel::are_neighbours(c, place.last) ? 0.0f : 1.0f) + other_word(at));
    next.given_up = next.given_up || next.distorted || opening(at);
    next.distorted = true;
    put(next, on, at + 1);
  }

  // The cell as the next letter, behind one that it does not have.
  void by_one(const Place& place, const Way& way, std::uint32_t at) {
    if (place.letter >= letters_.size()) return;
    for (const CellReading* r = text_.begin(cell(at)); r != text_.end(cell(at)); ++r) {
      if (r->size != 1 || (r->steps & kSound) || r->letters[0] != letters_[place.letter]) continue;
      if (innocence_.quiet(at) && r->steps != 0) continue;
      Place next = place;
      Way on = way;
      use(next, on, rules_of(*r, cell(at)), at);
      shown(next, 1, 1, r->letters[0]);
      put(next, on, at + 1);
    }
  }

  void by_omission(const Place& place, const Way& way, std::uint32_t at) {
    if (!more(place)) return;
    const char32_t letter = letters_[place.letter];
    const auto without = [&](Rule rule, float extra) {
      Place next = place;
      Way on = way;
      ++next.letter;
      next.given_up = next.given_up || next.distorted || opening(at);
      use(next, on, bit(rule), at, extra);
      by_one(next, on, at);
    };
    if (is_vowel(letter)) {
      without(Rule::DropVowel, other_word(at));
    } else if (!(place.rules & kSlips) && place.separator.empty()) {
      without(Rule::Drop, other_word(at));
    }
    for (const Channel::Sound& silent : channel_.silent()) {
      if (silent.term == std::u32string_view(&letter, 1)) without(Rule::Sound, silent.cost);
    }
  }

  void over_gap(const Place& place, const Way& way, std::uint32_t at, std::uint32_t to) {
    // An owner's s.
    if (is_apostrophe(cell(at).source) && to == at + 1 && plain(to) == U's' &&
        innocence_.word_end(at) == at + 2)
      return;
    std::vector<char32_t> signs;
    std::size_t masks = 0;
    bool blank = true;
    for (std::uint32_t i = at; i < to; ++i) {
      signs.push_back(cell(i).source);
      masks += masking(cell(i)) == Masking::Plain ? 1 : 0;
      blank = blank && cell(i).kind == CellKind::Space;
    }
    if (place.letter < letters_.size() && letters_[place.letter] == U' ') {
      Place next = place;
      Way on = way;
      ++next.letter;
      next.last = U' ';
      next.fragment = 0;
      next.distorted = false;
      on.cost += blank ? 0 : 1;
      put(next, on, to);
    }
    if (innocence_.quiet(at > 0 ? at - 1 : 0) && innocence_.quiet(to)) return;
    Place next = place;
    Way on = way;
    next.fragment = 0;
    if (place.fragment == 1 && place.separator.empty()) {
      if (inside_ && blank) return;  // the last letter of a word stands not alone
      use(next, on, bit(Rule::Spelled), at, 0.02f * static_cast<float>(to - at));
      next.spelled = true;
      next.separator = signs;
    } else if (place.fragment == 1 && place.spelled && place.separator == signs) {
      on.cost += channel_.hide(bit(Rule::Spelled), bit(Rule::Spelled));
    } else if (place.spelled) {
      use(next, on, bit(Rule::Irregular), at);
    } else if (place.separator == signs && !blank) {
      on.cost += price(Price::SameGap);
    } else {
      float extra = place.separator.empty() || place.separator == signs ? 0 : 1;
      if (is_apostrophe(cell(at).source) && to == at + 1) extra += price(Price::ApostropheGap);
      if (masks == signs.size() && masks > 1)
        extra += price(Price::HiddenGap) * static_cast<float>(masks);
      use(next, on, bit(blank ? Rule::SpaceGap : Rule::Gap), at, extra);
      next.separator = signs;
    }
    put(next, on, to);
  }

  // ----- where it ends -----

  void end(const Place& place, const Way& way, std::uint32_t at,
           std::vector<Oracle::Reading>& readings) const {
    if (place.known == 0 || place.fragment == 0) return;
    const Rest after = behind(at, place.last == kHidden);
    const float cost = term(place.rules, place.known, at, after);
    const float tail = innocence_.from(after.any ? innocence_.word_end(at) : at);
    if (after.cost >= kNever || cost >= kNever || tail >= kNever) return;
    Oracle::Reading reading;
    reading.evidence = innocence_.total() - (way.cost + after.cost + tail + cost);
    const bool phrase = ((pattern_.spaced && !pattern_.spelled) || pattern_.letters == 1) &&
                        (place.rules & ~bit(Rule::Compatibility)) == 0 && !after.any && !inside_ &&
                        !(pattern_.flags & (kLocal | kName));
    if (phrase) reading.evidence = std::max(reading.evidence, kEvidenceMin + 1);
    if (reading.evidence < least_) return;
    reading.entry = pattern_.entry;
    reading.begin = start_;
    reading.end = at;
    reading.rules = place.rules;
    reading.steps = steps_of(place.rules) | pattern_.steps;
    if (inside_) reading.steps |= kCompound;
    if (after.any) reading.steps |= after.affix ? kInflection : kCompound;
    reading.followed = !place.given_up;
    reading.spelled = encode(letters_) + ": " + way.spelled;
    readings.push_back(std::move(reading));
  }

  // ----- words with one sign in place of several letters -----

  void shapes(std::vector<Oracle::Reading>& readings) {
    if (scope_ != Scope::Words || pattern_.letters < 4 || pattern_.letters > 16 ||
        pattern_.severity < 2 || pattern_.spaced || is_unspaced(letters_[0]))
      return;
    for (start_ = 0; start_ + pattern_.letters <= size_; ++start_) {
      if (!innocence_.in_word(start_) || unspaced(start_)) continue;
      if (innocence_.before(start_) >= kNever || plain(start_) != letters_[0]) continue;
      inside_ = loose_ = false;
      const std::uint32_t at = start_ + pattern_.letters;
      char32_t sign = 0;
      int signs = 0;
      bool fits = true;
      Rule rule = Rule::Mask;
      for (std::uint32_t i = start_ + 1; fits && i < at; ++i) {
        if (is_word(cell(i))) {
          fits = std::any_of(text_.begin(cell(i)), text_.end(cell(i)), [&](const CellReading& r) {
            return r.size == 1 && !(r.steps & kSound) && r.letters[0] == letters_[i - start_];
          });
          continue;
        }
        const Masking mask = masking(cell(i));
        fits = mask != Masking::None && (sign == 0 || sign == cell(i).source);
        if (mask == Masking::Weak) rule = Rule::WeakMask;
        sign = cell(i).source;
        ++signs;
      }
      // All of the signs in a row hide something.
      if (!fits || signs < 2 || (at < size_ && cell(at).source == sign)) continue;
      // One letter tells nothing, but of a word of four.
      if (static_cast<std::uint32_t>(signs) + 1 >= pattern_.letters && pattern_.letters > 4)
        continue;
      Place place;
      // Only from the first word of a stretch without spaces.
      for (std::uint32_t i = start_; i > 0 && cell(i - 1).kind != CellKind::Space; --i)
        place.given_up = place.given_up || innocence_.in_word(i - 1);
      place.known = 2;
      Way way;
      way.cost = innocence_.before(start_);
      use(place, way, bit(rule), start_);
      way.cost +=
          std::min(1.0f, channel_.hide(bit(rule), bit(rule))) * static_cast<float>(signs - 1);
      place.last = is_word(cell(at - 1)) ? cell(at - 1).plain : kHidden;
      place.fragment = 1;
      way.spelled += "shape ";
      end(place, way, at, readings);
    }
  }

  const std::u32string& letters_;
  float least_;
  std::vector<std::map<Place, Way>> layers_;
  std::size_t places_ = 0;
};

bool Oracle::read(const NormalizedText& text, const Innocence& innocence, Scope scope, float least,
                  std::vector<Reading>& readings) const {
  for (const Spelling& spelling : spellings_) {
    OracleRun run(spelling, text, innocence, scope, least);
    if (!run.run(readings)) return false;
  }
  return true;
}

}  // namespace glyphward::lexicon
