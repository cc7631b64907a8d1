#include "lexicon/matching/matcher.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "lexicon/categories.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

constexpr float kFrequentMax = 14.5f;  // a word of a language that people know

bool is_number(std::u32string_view word) {
  return std::all_of(word.begin(), word.end(),
                     [](char32_t c) { return c == U' ' || (c >= U'0' && c <= U'9'); });
}

// English: "foxes", "wishes".
bool takes_es(std::u32string_view word) {
  return word.ends_with(U's') || word.ends_with(U'x') || word.ends_with(U'z') ||
         word.ends_with(U"ch") || word.ends_with(U"sh");
}

}  // namespace

// ----- building -----

// The keys of the tries, gathered before these are built.
struct Matcher::Keys {
  std::vector<Trie::Key> words;
  std::vector<Trie::Key> stems;
  std::string language;  // of the entry before, whose number need not be looked up again
  LanguageNumber number = 0;
};

Matcher::Matcher(const std::vector<Entry>& entries, const std::vector<std::string>& allowed,
                 float least)
    : least_(least), allowed_(allowed) {
  Keys keys;
  terms_.patterns.reserve(entries.size());
  keys.words.reserve(entries.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    if (!(entries[i].flags & kWritten)) add_entry(i, entries[i], keys);
  }
  terms_.words.build(std::move(keys.words));
  terms_.stems.build(std::move(keys.stems));
  shapes_.finish();
  vocabulary_.finish();
  for (const std::string& phrase : allowed) {
    const std::u32string folded = fold_term(phrase);
    if (folded.find(U' ') == folded.npos) vocabulary_.allow(folded);
  }
}

// The spellings of an entry: its term and its forms, each as it is written, without its marks and
// with what English does to its last letter.
void Matcher::add_entry(std::uint32_t number, const Entry& entry, Keys& keys) {
  const Channel& channel = Channel::shipped();
  if (entry.term.language != keys.language) {
    keys.language = entry.term.language;
    keys.number = vocabulary_.table().language_number(keys.language);
  }
  const auto add_form = [&](std::string_view form, Steps steps, float cost) {
    const std::u32string folded = fold_term(form);
    const std::u32string stripped = strip_marks(folded);
    add_spelling(folded, number, entry, steps, cost, keys);
    if (stripped != folded) {
      add_spelling(
          stripped, number, entry, steps,
          cost + channel.price(entry.flags & kAccent ? Price::AccentNeeded : Price::AccentLost),
          keys, true);
    }
    // What English does to a last vowel or a hiss before an ending, no list of endings can say.
    if (entry.term.language != "en" || (entry.flags & kExact) || folded.size() < 4) return;
    const std::u32string stem = folded.substr(0, folded.size() - 1);
    if (folded.back() == U'y')
      add_spelling(stem + U"ies", number, entry, steps | kInflection, cost, keys);
    if (folded.back() == U'e' && !(entry.flags & kPlural))
      add_spelling(stem + U"ing", number, entry, steps | kInflection, cost, keys);
    if (takes_es(folded))
      add_spelling(folded + U"es", number, entry, steps | kInflection, cost, keys);
  };
  add_form(entry.term.term, 0, 0);
  for (const std::string& form : entry.forms) add_form(form, kSpelling, channel.price(Price::Form));
}

// One spelling, in every index in which it may be found.
void Matcher::add_spelling(std::u32string letters, std::uint32_t number, const Entry& entry,
                           Steps steps, float cost, Keys& keys, bool stripped) {
  if (letters.empty()) return;
  const auto id = static_cast<std::uint32_t>(terms_.patterns.size());
  const auto spaces = static_cast<std::size_t>(std::count(letters.begin(), letters.end(), U' '));
  const auto count = static_cast<std::uint32_t>(letters.size() - spaces);
  Pattern pattern;
  pattern.entry = number;
  pattern.letters = count;
  pattern.steps = steps;
  pattern.flags = entry.flags;
  // A disguise that is listed is a name only if names have it, too.
  if ((steps & kSpelling) && vocabulary_.table().name(letters) == kNever) pattern.flags &= ~kName;
  pattern.cost = cost;
  pattern.severity = static_cast<std::uint8_t>(entry.term.severity);
  pattern.language = keys.number;
  pattern.spaced = spaces > 0;
  pattern.stripped = stripped;
  pattern.spelled = count == spaces + 1;
  pattern.numeric = is_number(letters);
  // A word of another language, without a sign of the term's own.
  const WordTable::Word listed = vocabulary_.table().word(letters);
  if (listed.cost < kFrequentMax && listed.language != pattern.language && entry.term.severity < 5)
    pattern.cost += Channel::shipped().price(Price::OtherLanguage);
  LanguageSet harmless;
  for (const std::string& language : entry.harmless_in)
    harmless |= language_bit(vocabulary_.table().language_number(language));
  vocabulary_.exclude(letters, pattern, harmless);
  keys.words.push_back({letters, id, spaces > 0});
  const bool stem = entry.flags & (kStem | kHead);
  const bool compounds = stem || (count >= 4 && entry.term.language == "en" &&
                                  !(entry.flags & (kExact | kPlural)) && spaces == 0);
  pattern.inside = compounds && !(steps & kInflection) && !(steps & kSpelling);
  if (pattern.inside) keys.stems.push_back({letters, id});
  if (count >= 4 && entry.term.severity >= 2 && spaces == 0 && !is_unspaced(letters[0]))
    shapes_.add(id, letters);
  terms_.patterns.push_back(pattern);
}

// ----- searching -----

void Matcher::find(const NormalizedText& text, const View& view, std::vector<Hit>& hits,
                   const std::vector<std::uint32_t>& seams) const {
  std::vector<bool> begins;
  if (text.cells.empty() || !find_begins(text, view, begins)) return;
  const Innocence innocence(text, vocabulary_, allowed_.find(text, seams), view.effort);
  search(text, innocence, view, begins, hits, seams);
}

void Matcher::find(const NormalizedText& text, const Innocence& innocence, const View& view,
                   std::vector<Hit>& hits, const std::vector<std::uint32_t>& seams) const {
  std::vector<bool> begins;
  if (find_begins(text, view, begins)) search(text, innocence, view, begins, hits, seams);
}

// Read otherwise, a term hides only in what makes no sense as it stands: the cells where it may
// begin, none for all. False if it may nowhere.
bool Matcher::find_begins(const NormalizedText& text, const View& view,
                          std::vector<bool>& begins) const {
  if (!view.around || view.scope == Scope::Joined) return true;
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  const Channel& channel = Channel::shipped();
  const float least = view.cost + channel.price(Price::Term) + channel.price(Price::Plain) + least_;
  begins.assign(size, false);
  bool any = false;
  for (std::uint32_t i = 0; i < size;) {
    if (text.cells[i].kind == CellKind::Space) {
      ++i;
      continue;
    }
    const Around around = view.around(i, i + 1);
    const std::uint32_t end = std::max(around.end, i + 1);
    const bool worth = around.ordinary >= least;
    any = any || worth;
    for (; i < end; ++i) begins[i] = worth;
  }
  return any;
}

void Matcher::search(const NormalizedText& text, const Innocence& innocence, const View& view,
                     const std::vector<bool>& begins, std::vector<Hit>& hits,
                     const std::vector<std::uint32_t>& seams) const {
  Search search(terms_, shapes_, text, innocence, view.scope, seams, view.effort);
  if (!begins.empty()) search.begin_only(begins);
  const std::vector<AllowList::Range>& allowed = innocence.allowed();
  std::vector<std::pair<Search::Found, Hit>> counted;
  for (const Search::Found& found : search.run(least_)) {
    // A harmless phrase clears what it holds, if that is written as plainly, but no grave term that
    // it does not name.
    const bool grave = terms_.patterns[found.pattern].severity >= kGraveSeverityMin;
    const bool cleared =
        found.rules == 0 &&
        std::any_of(allowed.begin(), allowed.end(), [&](const AllowList::Range& range) {
          return range.begin <= found.begin && found.end <= range.end && !(grave && range.any_word);
        });
    if (cleared) continue;
    Hit hit;
    hit.evidence = found.evidence;
    if (view.around) {
      const Around around = view.around(found.begin, found.end);
      const float read = innocence.bound(around.end) - innocence.bound(around.begin);
      hit.evidence -= std::max(0.0f, view.cost + read - around.ordinary);
      if (found.rules & (kSoft | bit(Rule::Mask) | bit(Rule::MaskRun)))
        hit.evidence -= Channel::shipped().price(Price::MovedSoft);
    }
    if (hit.evidence < least_) continue;
    hit.entry = terms_.patterns[found.pattern].entry;
    hit.begin = found.begin;
    hit.end = found.end;
    hit.steps = steps_of(found.rules) | found.steps;
    counted.emplace_back(found, std::move(hit));
  }
  explain(counted, search, innocence);
  for (auto& [found, hit] : counted) hits.push_back(std::move(hit));
}

// Of many hits only those that no better one overlaps, which most are, and the best of those:
// people read few.
void Matcher::explain(std::vector<std::pair<Search::Found, Hit>>& counted, Search& search,
                      const Innocence& innocence) const {
  constexpr std::size_t kExplainedMax = 16;
  std::vector<std::size_t> order(counted.size());
  std::iota(order.begin(), order.end(), 0);
  if (counted.size() > kExplainedMax) {
    const auto rank = [&](std::size_t i) {
      return counted[i].second.evidence +
             kEvidenceOfSeverity * terms_.patterns[counted[i].first.pattern].severity;
    };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return rank(a) != rank(b) ? rank(a) > rank(b) : a < b;
    });
    std::vector<bool> taken(innocence.size());
    std::erase_if(order, [&](std::size_t i) {
      const auto first = taken.begin() + counted[i].second.begin;
      const auto last = taken.begin() + counted[i].second.end;
      if (*first || *(last - 1)) return true;
      std::fill(first, last, true);
      return false;
    });
    order.resize(std::min(order.size(), kExplainedMax));
  }
  for (const std::size_t i : order) {
    Hit& hit = counted[i].second;
    hit.reading = search.explain(counted[i].first);
    std::uint32_t begin = hit.begin;
    std::uint32_t end = hit.end;
    while (begin > 0 && innocence.before(begin) == kNever) --begin;
    while (end < innocence.size() && innocence.before(end) == kNever) ++end;
    hit.ordinary = innocence.reading(begin, end);
  }
}

}  // namespace glyphward::lexicon
