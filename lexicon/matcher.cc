#include "lexicon/matcher.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_set>

namespace glyphward::lexicon {
namespace {

constexpr std::uint32_t kSeparatorRunMax = 8;
constexpr std::uint8_t kSurplusMax = 14;
constexpr std::uint8_t kWeakMax = 1;
constexpr std::size_t kGapsMax = 40;
constexpr std::uint32_t kMaskedWordMax = 24;
constexpr std::u32string_view kNeverDoubled = U"ahijkquvwxyаиуыюяхй";

bool is_word(const Cell& cell) {
  return cell.kind == CellKind::Letter || cell.kind == CellKind::Digit;
}

bool is_vowel(char32_t c) {
  return std::u32string_view(U"aeiouyáéíóúàèìòùäëïöüâêîôûãõåøæœаеёиоуыэюя").find(c) !=
         std::u32string_view::npos;
}

int latin_class(char32_t c) {
  if (c >= U'a' && c <= U'z') return static_cast<int>(c - U'a');
  return c == U' ' ? 26 : -1;
}

// Without the processor's own instruction, which the baseline build may not use, std::popcount is a
// call.
std::uint32_t count_bits(std::uint32_t bits) {
  bits -= (bits >> 1) & 0x55555555u;
  bits = (bits & 0x33333333u) + ((bits >> 2) & 0x33333333u);
  return (((bits + (bits >> 4)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24;
}

using Words = std::unordered_set<std::u32string_view>;

// Words that English joins with a swear word: dog+shit, fuck+face, porn+hub.
const Words& companions() {
  static const Words words = {
      U"ass",     U"fat",     U"big",      U"face",    U"faced",   U"head",     U"headed",
      U"heads",   U"hole",    U"holes",    U"hub",     U"boy",     U"boys",     U"boi",
      U"girl",    U"girls",   U"man",      U"men",     U"you",     U"u",        U"this",
      U"that",    U"them",    U"him",      U"her",     U"off",     U"up",       U"it",
      U"all",     U"show",    U"storm",    U"bag",     U"bags",    U"bird",     U"brain",
      U"brained", U"brains",  U"eat",      U"eater",   U"eaters",  U"eating",   U"suck",
      U"sucks",   U"sucker",  U"suckers",  U"sucking", U"lick",    U"licker",   U"licking",
      U"lover",   U"lovers",  U"hunter",   U"hunters", U"master",  U"king",     U"queen",
      U"lord",    U"bucket",  U"stain",    U"stains",  U"stick",   U"wit",      U"wits",
      U"wad",     U"wads",    U"tard",     U"tards",   U"bull",    U"horse",    U"dog",
      U"dogs",    U"cat",     U"bat",      U"rat",     U"ape",     U"dip",      U"dumb",
      U"jack",    U"hot",     U"wet",      U"hard",    U"mother",  U"mothers",  U"father",
      U"sister",  U"brother", U"cluster",  U"mind",    U"clown",   U"nugget",   U"nuts",
      U"fest",    U"house",   U"houses",   U"town",    U"land",    U"less",     U"ful",
      U"like",    U"the",     U"my",       U"your",    U"our",     U"their",    U"god",
      U"holy",    U"stupid",  U"dirty",    U"little",  U"old",     U"lazy",     U"free",
      U"live",    U"tube",    U"star",     U"stars",   U"site",    U"sites",    U"video",
      U"videos",  U"world",   U"life",     U"pig",     U"monkey",  U"fuck",     U"fucker",
      U"fuckers", U"fucking", U"shit",     U"cunt",    U"crap",    U"piss",     U"hate",
      U"love",    U"kill",    U"gang",     U"bang",    U"hand",    U"job",      U"jobs",
      U"blow",    U"rim",     U"foot",     U"toe",     U"butt",    U"nose",     U"mouth",
      U"mouthed", U"muncher", U"munching", U"slap",    U"slapper", U"puncher",  U"bait",
      U"bang",    U"banger",  U"basher",   U"breath",  U"cake",    U"can",      U"chute",
      U"cut",     U"dick",    U"cock",     U"drinker", U"dump",    U"dumpster", U"pile",
      U"pit",     U"hell",    U"kicker",   U"list",    U"load",    U"loads",    U"post",
      U"posting", U"poster",  U"talk",     U"talker",  U"ton",     U"tons",     U"weasel",
      U"goblin",  U"gibbon",  U"waffle",   U"trumpet", U"canoe",   U"nozzle",   U"rag",
      U"rags",    U"bot",     U"club",     U"gate",    U"zone",    U"day",      U"week",
      U"time",    U"party",   U"crew",     U"squad",   U"team",    U"nation",   U"city",
      U"street",  U"world",   U"no",       U"so",      U"too",     U"very",     U"super",
      U"mega",    U"ultra",   U"uber",     U"total",   U"totally", U"absolute", U"absolutely",
      U"go",      U"get",     U"give",     U"white",   U"black",   U"brown",    U"yellow",
      U"red",     U"sand",    U"jew",      U"camel",   U"goat",    U"sheep",    U"twat",
      U"tit",     U"tits",    U"boob",     U"boobs",   U"pussy",   U"anal",     U"oral",
      U"sex",     U"sexy",    U"porn",     U"rape",    U"slut",    U"whore",    U"bitch",
      U"skank",   U"fag",     U"homo",     U"lesbo",   U"gay",     U"teen",     U"milf",
      U"mom",     U"dad",     U"granny",   U"slave",   U"hoe",     U"ho",       U"hoes",
      U"ya",      U"yo",      U"er",       U"wagon",   U"wank",    U"wanker",   U"arse",
      U"cum",     U"jizz",    U"sauce",    U"juice"};
  return words;
}

const Words& english_endings() {
  static const Words words = {
      U"s",    U"es", U"z",  U"ed",  U"d",   U"er",    U"ers", U"r",    U"rs",     U"ing",
      U"ings", U"in", U"y",  U"ies", U"ish", U"able",  U"ier", U"iest", U"yness",  U"ery",
      U"ty",   U"a",  U"as", U"ah",  U"az",  U"ingly", U"ed",  U"ness", U"tastic", U"ity"};
  return words;
}

// Endings that make a verb or a doer of any word.
const Words& plain_endings() {
  static const Words words = {U"z", U"ed", U"er", U"ers", U"ing", U"in"};
  return words;
}

const Words& russian_endings() {
  static const Words words = {
      U"а",  U"я",   U"ы",   U"и",   U"у",   U"ю",   U"е",    U"о",    U"ой",  U"ей",  U"ом",
      U"ем", U"ам",  U"ям",  U"ами", U"ями", U"ах",  U"ях",   U"ов",   U"ев",  U"ый",  U"ий",
      U"ая", U"яя",  U"ое",  U"ее",  U"ые",  U"ие",  U"ого",  U"его",  U"ому", U"ему", U"ым",
      U"им", U"ых",  U"их",  U"ную", U"ною", U"ка",  U"ки",   U"ку",   U"ок",  U"ец",  U"цы",
      U"ик", U"ики", U"ный", U"ная", U"ное", U"ные", U"ский", U"ство", U"ня",  U"ню",  U"ни",
      U"ть", U"л",   U"ла",  U"ли",  U"н",   U"ь",   U"ью"};
  return words;
}

const Words& other_endings() {
  static const Words words = {U"s",  U"es", U"a",  U"as",  U"os",    U"e",
                              U"en", U"n",  U"em", U"ern", U"innen", U"ens"};
  return words;
}

// Two or three letters that are words: "as she" parts words, "fu ck" does not.
bool is_short_word(std::u32string_view word) {
  static const Words words = {
      U"a",   U"i",   U"o",   U"u",   U"am",  U"an",  U"as",  U"at",  U"be",  U"by",  U"do",
      U"go",  U"he",  U"hi",  U"if",  U"in",  U"is",  U"it",  U"me",  U"mr",  U"ms",  U"my",
      U"no",  U"of",  U"oh",  U"ok",  U"on",  U"or",  U"ox",  U"pa",  U"ma",  U"so",  U"to",
      U"tv",  U"uk",  U"up",  U"us",  U"we",  U"ad",  U"ah",  U"re",  U"la",  U"le",  U"el",
      U"un",  U"de",  U"da",  U"di",  U"st",  U"dr",  U"pi",  U"bi",  U"ex",  U"id",  U"lo",
      U"se",  U"te",  U"tu",  U"ti",  U"co",  U"hit", U"pen", U"the", U"and", U"for", U"you",
      U"she", U"who", U"his", U"her", U"its", U"our", U"out", U"was", U"ass", U"can", U"cut",
      U"but", U"bus", U"bit", U"ton", U"ten", U"tin", U"art", U"arm", U"old", U"one", U"two",
      U"six", U"day", U"way", U"may", U"say", U"how", U"now", U"new", U"not", U"hot", U"pot",
      U"pop", U"top", U"tip", U"tie", U"sit", U"set", U"see", U"sea", U"sun", U"son", U"red",
      U"bed", U"big", U"bad", U"bag", U"ban", U"bar", U"bat", U"box", U"boy", U"buy", U"car",
      U"cat", U"cow", U"cup", U"dad", U"dog", U"dry", U"ear", U"eat", U"egg", U"end", U"eye",
      U"far", U"fat", U"few", U"fit", U"fix", U"fly", U"fog", U"fox", U"fun", U"fur", U"gas",
      U"get", U"gin", U"god", U"got", U"gum", U"gun", U"guy", U"hat", U"hen", U"him", U"hip",
      U"ice", U"ink", U"inn", U"jam", U"jar", U"jet", U"job", U"joy", U"key", U"kid", U"kit",
      U"law", U"lay", U"leg", U"let", U"lie", U"lip", U"log", U"lot", U"low", U"man", U"map",
      U"mat", U"men", U"met", U"mix", U"mom", U"mud", U"mum", U"nor", U"nut", U"oak", U"odd",
      U"off", U"oil", U"owl", U"own", U"pan", U"pat", U"pay", U"pet", U"pie", U"pig", U"pin",
      U"pit", U"put", U"ran", U"rat", U"raw", U"ray", U"rib", U"rid", U"rim", U"rip", U"rob",
      U"rod", U"row", U"rub", U"rug", U"run", U"sad", U"sat", U"saw", U"shy", U"sin", U"sip",
      U"sir", U"ski", U"sky", U"spa", U"spy", U"sum", U"tag", U"tan", U"tap", U"tar", U"tax",
      U"tea", U"toe", U"too", U"toy", U"try", U"tub", U"tug", U"use", U"van", U"war", U"wax",
      U"web", U"wet", U"why", U"win", U"won", U"yes", U"yet", U"zip", U"zoo", U"are", U"all",
      U"any", U"ask", U"ate", U"add", U"age", U"ago", U"aid", U"aim", U"air", U"ale", U"ant",
      U"ape", U"bee", U"bet", U"dip", U"did", U"die", U"dig", U"due", U"fan", U"fee", U"gap",
      U"gym", U"had", U"has", U"hey", U"hug", U"led", U"mad", U"net", U"per", U"pub", U"sew",
      U"sob", U"sow", U"tie", U"und", U"der", U"die", U"das", U"les", U"des", U"sur", U"que",
      U"con", U"por", U"los", U"las", U"una", U"uma", U"est", U"sus", U"mas", U"sin"};
  return words.contains(word);
}

bool has_vowel(std::u32string_view word) { return std::any_of(word.begin(), word.end(), is_vowel); }

bool all_digits(std::u32string_view word) {
  return std::all_of(word.begin(), word.end(), [](char32_t c) { return c >= U'0' && c <= U'9'; });
}

bool is_apostrophe(char32_t c) { return c == U'\'' || c == U'’' || c == U'ʼ' || c == U'＇'; }

// A sign that goes on inside a word when a letter follows: "a$$ist".
bool joins_letters(const Cell& cell) { return cell.plain == U'@' || cell.plain == U'$'; }

// What stands for a letter that is not to be seen; x too ("fxck").
bool is_mask(char32_t c) {
  return std::u32string_view(U"*#_-.%?^•·●■█~✱★☆⁎∗×╳◾◼▪▮▓░…†+=&@!$x").find(c) !=
         std::u32string_view::npos;
}

// Signs that people put for several letters in a row; a full stop or a hyphen would be a separator.
bool is_strong_mask(char32_t c) {
  return std::u32string_view(U"*#•●■█✱★☆⁎∗×╳▮▓░").find(c) != std::u32string_view::npos;
}

}  // namespace

// ----- Trie -----

void Trie::build(std::vector<Key> keys) {
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return a.letters != b.letters ? a.letters < b.letters : a.value < b.value;
  });
  struct Range {
    std::uint32_t node, first, last, depth;
  };
  nodes_.assign(1, Node{});
  std::vector<Range> todo = {{kRoot, 0, static_cast<std::uint32_t>(keys.size()), 0}};
  while (!todo.empty()) {
    // Depth first, so that a long tail of single letters lies in one place.
    const Range range = todo.back();
    todo.pop_back();
    std::uint32_t i = range.first;
    nodes_[range.node].first_value = static_cast<std::uint32_t>(values_.size());
    for (; i < range.last && keys[i].letters.size() == range.depth; ++i) {
      values_.push_back(keys[i].value);
      ++nodes_[range.node].values;
    }
    std::vector<std::pair<char32_t, Range>> edges;
    while (i < range.last) {
      const char32_t letter = keys[i].letters[range.depth];
      std::uint32_t end = i;
      while (end < range.last && keys[end].letters[range.depth] == letter) ++end;
      edges.push_back({letter, {0, i, end, range.depth + 1}});
      i = end;
    }
    std::stable_sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) {
      const auto order = [](char32_t c) { return latin_class(c) >= 0 ? latin_class(c) : 27; };
      return order(a.first) < order(b.first);
    });
    nodes_[range.node].first_child = static_cast<std::uint32_t>(nodes_.size());
    nodes_[range.node].first_other = static_cast<std::uint32_t>(letters_.size());
    for (auto& [letter, child] : edges) {
      if (latin_class(letter) >= 0) {
        nodes_[range.node].latin |= 1u << latin_class(letter);
      } else {
        ++nodes_[range.node].others;
        letters_.push_back(letter);
      }
      child.node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
    }
    for (auto edge = edges.rbegin(); edge != edges.rend(); ++edge) todo.push_back(edge->second);
  }
}

std::uint32_t Trie::child(std::uint32_t node, char32_t letter) const {
  const Node& n = nodes_[node];
  if (const int cls = latin_class(letter); cls >= 0) {
    const std::uint32_t bit = 1u << cls;
    return n.latin & bit ? n.first_child + count_bits(n.latin & (bit - 1)) : kNone;
  }
  if (n.others == 0) return kNone;
  const auto first = letters_.begin() + n.first_other;
  const auto last = first + n.others;
  const auto it = std::lower_bound(first, last, letter);
  if (it == last || *it != letter) return kNone;
  return n.first_child + count_bits(n.latin) + static_cast<std::uint32_t>(it - first);
}

const std::uint32_t* Trie::values_begin(std::uint32_t node) const {
  return values_.data() + nodes_[node].first_value;
}
const std::uint32_t* Trie::values_end(std::uint32_t node) const {
  return values_begin(node) + nodes_[node].values;
}

// ----- Matcher -----

// How far a walk came, and how it came there.
struct Matcher::State {
  std::uint32_t node = Trie::kRoot;
  std::uint32_t pos = 0;  // the next cell
  Steps steps = 0;
  char32_t last = 0;  // the letter read last
  std::uint8_t natives = 0, digits = 0, signs = 0, weak = 0, surplus = 0;
  std::uint8_t doubles = 0;  // letters written twice where the term has one
  std::uint8_t accents = 0,
               ornate = 0;  // letters stripped of marks: those of alphabets, and others
  bool odd_double = false;  // one of them is a letter that is never doubled
  bool long_run = false;    // a letter was written three times or more
  std::uint8_t gaps = 0;
  std::uint8_t fragment = 0;  // letters since the last gap
  bool single = true;         // every fragment so far is one letter
  bool space_gap = false;
  std::array<std::uint32_t, 3> gap_begin{};  // the first gaps' cells
  std::array<std::uint32_t, 3> gap_end{};

  std::uint32_t letters() const { return 0u + natives + digits + signs + weak; }
  int cost() const {
    return 8 * weak + 4 * digits + 2 * (signs + ornate) + 2 * surplus + gaps + accents;
  }

  // How a letter was written: too much of one kind and it is another word.
  void count(const Reading& reading, const Cell& cell) {
    const bool ascii_lookalike = (reading.steps & kConfusables) && cell.source < 0x80 &&
                                 reading.letters[0] < 0x80;  // l for i
    if (reading.steps & kMarks) ++(reading.ornate ? ornate : accents);
    if ((reading.steps & kSound) || ascii_lookalike) {
      ++weak;
    } else if (reading.digit) {
      ++digits;
    } else if (reading.steps & kLeet) {
      ++signs;
    } else {
      ++natives;
    }
  }
};

struct Matcher::Walk {
  const NormalizedText& text;
  const Trie& trie;
  const std::vector<std::uint32_t>& next_word;  // first cell at or after i that is no separator
  Scope scope;
  bool inside;  // starts within a word: only stems, only compounds
  std::vector<Hit>& hits;
  std::uint32_t start = 0;
  std::size_t waiting = 0;  // states in all places

  static constexpr std::size_t kPlaces = 16;  // more than any step is long
  std::array<std::vector<State>, kPlaces> places{};

  std::vector<State>& at(std::uint32_t pos) { return places[pos % kPlaces]; }

  // Of several ways to the same node and place the plainest stays.
  void push(const State& state) {
    std::vector<State>& there = at(state.pos);
    for (State& other : there) {
      if (other.node != state.node || other.single != state.single ||
          (other.gaps > 0) != (state.gaps > 0))
        continue;
      if (state.cost() < other.cost()) other = state;
      return;
    }
    there.push_back(state);
    ++waiting;
  }

  const Cell& cell(std::uint32_t i) const { return text.cells[i]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(text.cells.size()); }

  // The letters that stick to [begin, end) on either side.
  std::u32string letters_before(std::uint32_t begin) const {
    std::u32string letters;
    std::uint32_t i = begin;
    while (i > 0 && letters.size() < 32) {
      const Cell& c = cell(i - 1);
      const bool joins =
          joins_letters(c) && i >= 2 && is_word(cell(i - 2)) && i < size() && is_word(cell(i));
      if (!is_word(c) && !joins) break;
      letters.push_back(c.plain);
      --i;
    }
    std::reverse(letters.begin(), letters.end());
    return letters;
  }
  std::u32string letters_after(std::uint32_t end) const {
    std::u32string letters;
    for (std::uint32_t i = end; i < size() && letters.size() < 32; ++i) {
      const bool joins = joins_letters(cell(i)) && i + 1 < size() && is_word(cell(i + 1));
      if (!is_word(cell(i)) && !joins) break;
      letters.push_back(cell(i).plain);
    }
    return letters;
  }
  // The token of one letter that holds cell i alone.
  bool single_letter(std::uint32_t i) const {
    return is_word(cell(i)) && (i == 0 || !is_word(cell(i - 1))) &&
           (i + 1 >= size() || !is_word(cell(i + 1)));
  }
  bool same_gap(std::uint32_t a_begin, std::uint32_t a_end, std::uint32_t b_begin,
                std::uint32_t b_end) const {
    if (a_end - a_begin != b_end - b_begin) return false;
    for (std::uint32_t i = 0; i < a_end - a_begin; ++i) {
      if (cell(a_begin + i).source != cell(b_begin + i).source) return false;
    }
    return true;
  }
};

Matcher::Matcher(const std::vector<Entry>& entries) : entries_(entries) {
  std::vector<Trie::Key> words;
  std::vector<Trie::Key> stems;
  const auto add = [&](std::u32string letters, std::uint32_t entry, Steps steps,
                       bool disguised = false) {
    if (letters.empty()) return;
    const auto id = static_cast<std::uint32_t>(patterns_.size());
    const auto count =
        static_cast<std::uint32_t>(letters.size() - static_cast<std::size_t>(std::count(
                                                        letters.begin(), letters.end(), U' ')));
    patterns_.push_back({entry, count, steps, disguised});
    words.push_back({letters, id});
    const bool stem = entries_[entry].flags & (kStem | kHead);
    const bool compounds = stem || (count >= 4 && !(entries_[entry].flags & (kExact | kPlural)) &&
                                    letters.find(U' ') == letters.npos);
    if (compounds && !(steps & (kInflection | kSpelling))) stems.push_back({letters, id});
    if (count >= 4 && letters.find(U' ') == letters.npos) {
      by_shape_[count << 21 | letters.front()].push_back(id);
      if (is_vowel(letters.front())) by_shape_[count << 21].push_back(id);
    }
    pattern_letters_.push_back(std::move(letters));
  };
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const auto add_form = [&](std::string_view form, Steps steps) {
      const std::u32string folded = fold_term(form);
      std::vector<std::u32string> spellings = {folded};
      const std::u32string stripped = strip_marks(folded);
      if (stripped != folded && !(entry.flags & kAccent)) spellings.push_back(stripped);
      if (stripped != folded && (entry.flags & kAccent)) add(stripped, i, steps, true);
      for (const std::u32string& letters : spellings) {
        add(letters, i, steps);
        // English drops or changes the last vowel before an ending, which no list of endings can
        // say.
        if (entry.term.language != "en" || (entry.flags & kExact) || letters.size() < 4) continue;
        if (letters.back() == U'y')
          add(letters.substr(0, letters.size() - 1) + U"ies", i, steps | kInflection);
        if (letters.back() == U'e' && !(entry.flags & kPlural)) {
          add(letters.substr(0, letters.size() - 1) + U"ing", i, steps | kInflection);
        }
      }
    };
    add_form(entry.term.term, 0);
    for (const std::string& form : entry.forms) add_form(form, kSpelling);
  }
  words_.build(std::move(words));
  stems_.build(std::move(stems));
}

bool Matcher::begins_stem(const NormalizedText& text, const Cell& cell) const {
  return std::any_of(text.begin(cell), text.end(cell), [&](const Reading& reading) {
    return !(reading.steps & kSound) &&
           stems_.child(Trie::kRoot, reading.letters[0]) != Trie::kNone;
  });
}

void Matcher::find(const NormalizedText& text, Scope scope, std::vector<Hit>& hits) const {
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  std::vector<std::uint32_t> next_word(size + 1, size);
  for (std::uint32_t i = size; i-- > 0;) {
    next_word[i] = text.cells[i].count > 0 ? i : next_word[i + 1];
  }
  Walk whole{text, words_, next_word, scope, false, hits};
  Walk inside{text, stems_, next_word, scope, true, hits};
  for (std::uint32_t i = 0; i < size; ++i) {
    const Cell& cell = text.cells[i];
    if (cell.count == 0) continue;
    const bool after_word = i > 0 && is_word(text.cells[i - 1]);
    const bool unspaced =
        is_unspaced(cell.plain) || (after_word && is_unspaced(text.cells[i - 1].plain));
    if (!after_word || unspaced) {
      if (scope == Scope::Joined && i > 0) break;
      walk(whole, i);
    } else if (scope == Scope::Words && begins_stem(text, cell)) {
      walk(inside, i);
    }
  }
  if (scope == Scope::Words) find_masked(text, hits);
}

// The state after a cell that only repeats the letter before it.
Matcher::State Matcher::repeated(const Walk& walk, const State& state, const Reading& reading) {
  State next = state;
  next.count(reading, walk.cell(state.pos));
  next.natives = state.natives;
  ++next.pos;
  ++next.surplus;
  next.steps |= kRepeats | reading.steps;
  if (walk.cell(state.pos).long_run) {
    next.long_run = true;
  } else {
    ++next.doubles;
    next.odd_double =
        next.odd_double || kNeverDoubled.find(state.last) != std::u32string_view::npos;
  }
  return next;
}

void Matcher::walk(Walk& walk, std::uint32_t start) const {
  walk.start = start;
  State first;
  first.pos = start;
  walk.push(first);
  // States wait at the cell that they read next, so each cell is seen once and none is seen before
  // all ways to it are known.
  for (std::uint32_t pos = start; walk.waiting > 0; ++pos) {
    std::vector<State>& here = walk.at(pos);
    for (std::size_t i = 0; i < here.size(); ++i) {
      const State state = here[i];
      if (state.node != Trie::kRoot) arrive(walk, state);
      step_word_end(walk, state);
      if (pos >= walk.size()) continue;
      step_read(walk, state);
      step_over(walk, state);
    }
    walk.waiting -= here.size();
    here.clear();
  }
}

// Follows every reading of the cell.
void Matcher::step_read(Walk& walk, const State& state) const {
  const Cell& cell = walk.cell(state.pos);
  // Backwards and upside down, look-alikes count for nothing, so they need not be followed.
  const bool plain_only = walk.scope == Scope::Whole || walk.scope == Scope::Turned;
  const std::uint8_t weak_max = plain_only ? 0 : kWeakMax;
  const auto read = [&](const Reading& reading, std::uint32_t cells) {
    std::uint32_t node = state.node;
    for (std::uint8_t i = 0; i < reading.size; ++i) {
      node = walk.trie.child(node, reading.letters[i]);
      if (node == Trie::kNone) return;
    }
    State next = state;
    next.node = node;
    next.last = reading.letters[reading.size - 1u];
    next.pos += cells;
    next.steps |= reading.steps;
    next.count(reading, cell);
    if (cell.long_run) {
      next.long_run = true;
      next.steps |= kRepeats;
    }
    if (next.weak > weak_max || next.digits > next.natives + 4 ||
        next.signs > next.natives + next.digits + 2) {
      return;
    }
    if (state.fragment >= 1) next.single = false;
    if (next.fragment < 250) ++next.fragment;
    walk.push(next);
  };
  for (const Reading* r = walk.text.begin(cell); r != walk.text.end(cell); ++r) {
    if (walk.inside && (r->steps & kSound)) continue;
    read(*r, 1);
    const bool repeats = state.pos != walk.start && r->size == 1 && r->letters[0] == state.last;
    if (repeats && state.surplus < std::min<std::uint32_t>(kSurplusMax, state.letters()))
      walk.push(repeated(walk, state, *r));
  }
  if (walk.inside || state.pos + 1 >= walk.size()) return;
  const char32_t next = walk.cell(state.pos + 1).plain;
  if (cell.plain == U'p' && next == U'h') read(Reading{{U'f'}, 1, kSound}, 2);
  if (cell.plain == U'v' && next == U'v') read(Reading{{U'w'}, 1, kConfusables}, 2);
}

// A term of several words goes on behind a space, or without one: "killyourself".
void Matcher::step_word_end(Walk& walk, const State& state) const {
  if (state.last == 0 || state.last == U' ') return;
  const std::uint32_t child = walk.trie.child(state.node, U' ');
  if (child == Trie::kNone) return;
  State next = state;
  next.node = child;
  next.last = U' ';
  if (state.pos < walk.size() && walk.cell(state.pos).count == 0) {
    const std::uint32_t to = walk.next_word[state.pos];
    if (to < walk.size() && to - state.pos <= kSeparatorRunMax) {
      next.pos = to;
      next.fragment = 0;
      next.single = true;
      walk.push(next);
      return;
    }
  }
  next.steps |= kCompound;
  walk.push(next);
}

// Steps over what stands between letters.
void Matcher::step_over(Walk& walk, const State& state) const {
  if (state.pos == walk.start || walk.inside || state.last == U' ' || is_word(walk.cell(state.pos)))
    return;
  if (state.gaps >= state.letters() + state.surplus) return;
  // A word uses such signs as letters or as separators, hardly as both.
  if (walk.cell(state.pos).count > 0 && state.signs > 1) return;
  // Words are not put together from more pieces than this.
  if (state.gaps >=
      (state.single ? kGapsMax : state.gap_begin.size() + (state.space_gap ? 0 : kGapsMax)))
    return;
  std::uint32_t to = state.pos;
  bool space = state.space_gap;
  while (to < walk.size() && !is_word(walk.cell(to)) && to - state.pos < kSeparatorRunMax) {
    space = space || walk.cell(to).kind == CellKind::Space;
    ++to;
    // Signs right before a letter may be the first of that word: stop there too.
    const bool near_word = to + 2 >= walk.size() || is_word(walk.cell(to)) ||
                           is_word(walk.cell(to + 1)) || is_word(walk.cell(to + 2));
    const bool stop = to < walk.size() && walk.cell(to).count > 0 && near_word;
    if (!stop) continue;
    State next = state;
    if (next.gaps < next.gap_begin.size()) {
      next.gap_begin[next.gaps] = state.pos;
      next.gap_end[next.gaps] = to;
    }
    ++next.gaps;
    next.fragment = 0;
    next.pos = to;
    next.steps |= kSeparators;
    next.space_gap = space;
    walk.push(next);
  }
}

// Judges a walk that has come to the end of a pattern.
void Matcher::arrive(Walk& walk, const State& state) const {
  if (state.fragment == 0) return;  // the last thing was a gap
  const std::uint32_t* value = walk.trie.values_begin(state.node);
  const std::uint32_t* last = walk.trie.values_end(state.node);
  if (value == last) return;
  std::u32string left;
  std::u32string right;
  if (state.gaps > 0) {
    const bool grave = std::any_of(value, last, [&](std::uint32_t id) {
      return entries_[patterns_[id].entry].term.severity >= 5;
    });
    if (!acceptable_gaps(walk, state, grave, left, right)) return;
  } else {
    left = walk.letters_before(walk.start);
    right = walk.letters_after(state.pos);
  }
  if (state.digits == 0) {
    if (all_digits(left)) left.clear();
    if (all_digits(right)) right.clear();
  }
  if (walk.scope == Scope::Joined && (walk.start != 0 || state.pos + right.size() != walk.size()))
    return;
  for (; value != last; ++value) {
    const Pattern& pattern = patterns_[*value];
    const Entry& entry = entries_[pattern.entry];
    Steps steps = state.steps | pattern.steps;
    if (!acceptable_letters(walk, state, pattern)) continue;
    if (pattern.disguised &&
        (steps & (kConfusables | kLeet | kSeparators | kEnclosed | kRepeats)) == 0)
      continue;
    const bool whole = walk.scope == Scope::Whole || walk.scope == Scope::Turned;
    if (!acceptable_rest(entry, pattern, left, right, steps)) continue;
    if (whole && (!left.empty() ||
                  (!right.empty() && (!(steps & kInflection) || (pattern.steps & kSpelling))))) {
      continue;
    }
    // Within a longer word, look-alikes are chance.
    const bool chance = state.weak > 0 || (state.digits > 0 && !(entry.flags & kStem)) ||
                        (state.steps & kConfusables);
    const bool longer = (steps & kCompound) && !(left.empty() && right.empty());
    if (chance && longer) continue;
    walk.hits.push_back({pattern.entry, walk.start, state.pos, steps});
  }
}

bool Matcher::acceptable_letters(const Walk& walk, const State& state,
                                 const Pattern& pattern) const {
  const Entry& entry = entries_[pattern.entry];
  const std::uint32_t n = pattern.letters;
  const bool short_word =
      n < 4 && !is_unspaced(pattern_letters_[&pattern - patterns_.data()].front());
  if (state.natives == 0) return false;
  if ((entry.flags & kNoLeet) && state.digits + state.signs > 0) return false;
  // A few accents make another word: "râpe" and "höre" are not "rape" and "hore".
  const bool accented = state.accents > 0 && state.ornate == 0 && state.accents * 2u <= n;
  const bool picky = (entry.flags & kNoLeet) || (pattern.steps & kSpelling);
  if (accented && picky && entry.term.language == "en") return false;
  if (state.digits > (n == 3 ? 1u : n == 4 ? 2u : (n + 1) / 2)) return false;
  if (state.weak > 0 && (short_word || state.weak > kWeakMax || entry.term.severity < 3 ||
                         (entry.flags & kNoSound) || state.natives < 2)) {
    return false;
  }
  if (state.weak > 0 && (pattern.steps & kSpelling)) return false;
  // A phrase written as one word: "killyourself", but not "goodie".
  if ((state.steps & kCompound) && n < 7) return false;
  if (state.surplus > 0 && !state.long_run) {
    // "fuuck" is no English word; "rapper" and "moose" are.
    if (short_word || state.weak > 0 || (pattern.steps & kSpelling)) return false;
    const bool many = state.doubles >= 2 && state.doubles + 1u >= n;
    if (state.steps & kCompound) return false;
    if (!state.odd_double && !many && (state.doubles > 1 || n < 5 || entry.term.severity < 5)) {
      return false;
    }
  }
  if (state.gaps > 0 && walk.inside) return false;
  if (walk.scope == Scope::Whole || walk.scope == Scope::Turned) {
    if (short_word || state.weak > 0) return false;
    if (walk.scope == Scope::Whole &&
        ((entry.flags & kNoReverse) || ((pattern.steps & kSpelling) && n < 5))) {
      return false;
    }
    if (pattern_letters_[&pattern - patterns_.data()].find(U' ') != std::u32string::npos &&
        state.gaps > 0)
      return false;
  }
  return true;
}

// Whether what was stepped over parted letters of one word, and not words. Gives the word's other
// letters.
bool Matcher::acceptable_gaps(const Walk& walk, const State& state, bool grave,
                              std::u32string& left, std::u32string& right) const {
  const std::uint32_t begin = walk.start;
  const std::uint32_t end = state.pos;
  left = walk.letters_before(begin);
  right = walk.letters_after(end);
  if (walk.scope == Scope::Joined) return left.empty();
  if (state.single) {
    if (!left.empty()) return false;
    // Spelled out, letter by letter: the run goes on as long as the same separators do.
    const bool spelled_end = walk.single_letter(end - 1);
    if (!right.empty() && spelled_end) return false;
    std::uint32_t gap_begin = begin;
    for (std::uint32_t at = begin; at > 0;) {
      gap_begin = at;
      while (gap_begin > 0 && !is_word(walk.cell(gap_begin - 1)) &&
             at - gap_begin <= kSeparatorRunMax)
        --gap_begin;
      if (gap_begin == 0 || gap_begin == at || !walk.single_letter(gap_begin - 1)) break;
      if (!walk.same_gap(gap_begin, at, state.gap_begin[0], state.gap_end[0])) break;
      left.push_back(walk.cell(gap_begin - 1).plain);
      at = gap_begin - 1;
      if (left.size() > 32) break;
    }
    for (std::uint32_t at = end; spelled_end && at < walk.size();) {
      std::uint32_t gap_end = at;
      while (gap_end < walk.size() && !is_word(walk.cell(gap_end)) &&
             gap_end - at <= kSeparatorRunMax)
        ++gap_end;
      if (gap_end >= walk.size() || gap_end == at || !walk.single_letter(gap_end)) break;
      if (!walk.same_gap(at, gap_end, state.gap_begin[0], state.gap_end[0])) break;
      right.push_back(walk.cell(gap_end).plain);
      at = gap_end + 1;
      if (right.size() > 32) break;
    }
    std::reverse(left.begin(), left.end());
    if (state.space_gap && (left == U"a" || left == U"i")) left.clear();
    return true;
  }
  if (!left.empty()) return false;
  if (!state.space_gap) {
    // An apostrophe shortens words, it does not part letters: "Dumas's".
    for (std::uint8_t i = 0; i < std::min<std::size_t>(state.gaps, state.gap_begin.size()); ++i) {
      for (std::uint32_t c = state.gap_begin[i]; c < state.gap_end[i]; ++c) {
        if (is_apostrophe(walk.cell(c).source)) return false;
      }
    }
    // Within one stretch without spaces, the whole stretch must be the term.
    for (std::uint32_t i = begin; i > 0 && walk.cell(i - 1).kind != CellKind::Space; --i) {
      if (is_word(walk.cell(i - 1))) return false;
    }
    for (std::uint32_t i = end + static_cast<std::uint32_t>(right.size());
         i < walk.size() && walk.cell(i).kind != CellKind::Space; ++i) {
      if (is_word(walk.cell(i))) return false;
    }
    return true;
  }
  // Across spaces only if what they part are no words, and not backwards, where no fragment is one.
  if (walk.scope != Scope::Words) return false;
  if (begin > 0 && is_apostrophe(walk.cell(begin - 1).source)) return false;
  if (!right.empty() || state.gaps > state.gap_begin.size()) return false;
  bool broken = false;
  std::uint32_t from = begin;
  for (std::uint8_t i = 0; i <= state.gaps; ++i) {
    const std::uint32_t to = i < state.gaps ? state.gap_begin[i] : end;
    std::u32string fragment;
    for (std::uint32_t c = from; c < to; ++c) fragment.push_back(walk.cell(c).plain);
    broken = broken || (fragment.size() <= 3 ? !is_short_word(fragment) : !has_vowel(fragment));
    if (i < state.gaps) {
      from = state.gap_end[i];
      // An apostrophe, a comma or a full stop ends a word.
      for (std::uint32_t c = to; c < from; ++c) {
        if (walk.cell(c).kind != CellKind::Space) return false;
      }
    }
  }
  // Two long pieces of a grave term are seldom two words by chance.
  return broken || (state.gaps == 1 && state.natives >= 7 && grave);
}

// Whether a term with more letters around it is still the term: an ending, a compound.
bool Matcher::acceptable_rest(const Entry& entry, const Pattern& pattern, std::u32string_view left,
                              std::u32string_view right, Steps& steps) const {
  if (left.empty() && right.empty()) return true;
  const std::u32string& letters =
      pattern_letters_[static_cast<std::size_t>(&pattern - patterns_.data())];
  if (is_unspaced(letters.front())) {
    // Nothing parts words there, so a term is found wherever it stands; one syllable is too little
    // for that.
    if (letters.size() < 2) return false;
    const bool hangul = letters.front() >= 0xAC00 && letters.front() <= 0xD7A3;
    return !hangul || letters.size() > 2 || left.empty() || !is_unspaced(left.back());
  }
  if ((!left.empty() && is_unspaced(left.back()) && right.empty()) ||
      (!right.empty() && is_unspaced(right.front()) && left.empty())) {
    return true;  // a Latin word between kana or Hangul
  }
  if (entry.flags & kExact) return false;
  const auto is_ending = [&](std::u32string_view ending) {
    if (ending.empty()) return true;
    if (ending == U"es" && entry.term.language == "en") {
      return std::u32string_view(U"sxzho").find(letters.back()) != std::u32string_view::npos;
    }
    if (entry.flags & kPlural) return ending == U"s" || ending == U"z";
    if (entry.term.language == "ru") {
      return !(pattern.steps & kSpelling) && russian_endings().contains(ending);
    }
    if (pattern.steps & kSpelling) {
      // Another spelling is often a harmless word but for an ending: "hoar" and "hoard".
      return ending == U"s" || (pattern.letters >= 4 && plain_endings().contains(ending));
    }
    if (entry.term.language != "en") return other_endings().contains(ending);
    if (english_endings().contains(ending)) return true;
    // shit -> shitt+ing
    return ending.size() > 2 && ending.front() == letters.back() &&
           english_endings().contains(ending.substr(1));
  };
  if (left.empty() && is_ending(right)) {
    steps |= kInflection;
    return true;
  }
  steps |= kCompound;
  if (pattern.steps & kSpelling) return false;
  if (entry.flags & kStem) return true;
  if (entry.flags & kHead) return left.empty() || companions().contains(left);
  if (pattern.letters < 4 || (entry.flags & kPlural) || entry.term.language != "en") return false;
  return (left.empty() || companions().contains(left)) &&
         (is_ending(right) || companions().contains(right));
}

// ----- Masks -----

void Matcher::find_masked(const NormalizedText& text, std::vector<Hit>& hits) const {
  const std::vector<Cell>& cells = text.cells;
  const auto size = static_cast<std::uint32_t>(cells.size());
  for (std::uint32_t begin = 0; begin < size;) {
    std::uint32_t end = begin;
    std::uint32_t masks = 0;
    for (; end < size; ++end) {
      // Most cells are letters: those but x are neither masks nor signs.
      const char32_t c = cells[end].plain;
      if (is_word(cells[end])) {
        masks += c == U'x' ? 1 : 0;
      } else if (is_mask(c)) {
        ++masks;
      } else if (leet_letters(c).empty()) {
        break;
      }
    }
    if (masks > 0 && masks < end - begin) match_mask(text, begin, end, hits);
    begin = end == begin ? begin + 1 : end;
  }
}

// A word with signs in place of letters: "f*ck", "n****r". One sign stands for a vowel; several
// stand for what is between the first and the last letter.
void Matcher::match_mask(const NormalizedText& text, std::uint32_t begin, std::uint32_t end,
                         std::vector<Hit>& hits) const {
  const std::vector<Cell>& cells = text.cells;
  const auto reads = [&](std::uint32_t i, char32_t letter) {
    for (const Reading* r = text.begin(cells[i]); r != text.end(cells[i]); ++r) {
      if (r->size == 1 && r->letters[0] == letter && !(r->steps & kSound)) return true;
    }
    return false;
  };
  const auto masked = [&](std::uint32_t i) { return is_mask(cells[i].plain); };
  std::uint32_t word_end = end;
  while (word_end > begin && !is_word(cells[word_end - 1])) --word_end;
  // Signs before the first letter and after the last one are emphasis or punctuation, unless they
  // stand for a vowel.
  // An x alone is a letter far more often than a mask: then the word must be the term and no more.
  bool only_x = true;
  for (std::uint32_t i = begin; i < word_end; ++i)
    only_x = only_x && (!masked(i) || cells[i].plain == U'x');
  const std::uint32_t shortest = only_x ? std::max(4u, word_end - begin) : 4u;
  for (std::uint32_t length = shortest; length <= std::min(end - begin, kMaskedWordMax); ++length) {
    std::vector<std::uint64_t> keys;
    if (masked(begin)) keys.push_back(std::uint64_t{length} << 21);
    for (const Reading* r = text.begin(cells[begin]); r != text.end(cells[begin]); ++r) {
      const bool letter = r->size == 1 && !(r->steps & kSound);
      if (letter) keys.push_back(std::uint64_t{length} << 21 | r->letters[0]);
    }
    std::u32string right;
    bool plain_rest = true;
    for (std::uint32_t i = begin + length; i < word_end; ++i) {
      plain_rest = plain_rest && cells[i].kind == CellKind::Letter;
      right.push_back(cells[i].plain);
    }
    if (!plain_rest) continue;
    for (const std::uint64_t key : keys) {
      const auto it = by_shape_.find(key);
      if (it == by_shape_.end()) continue;
      for (const std::uint32_t id : it->second) {
        const Entry& entry = entries_[patterns_[id].entry];
        if (entry.term.severity < 2) continue;
        const std::u32string& letters = pattern_letters_[id];
        std::uint32_t masks = 0;
        bool vowels = true;
        bool strong = true;
        bool x_masked = false;
        bool fits = true;
        for (std::uint32_t i = 0; fits && i < length; ++i) {
          if (masked(begin + i) && !reads(begin + i, letters[i])) {
            ++masks;
            x_masked = cells[begin + i].plain == U'x';
            vowels = vowels && is_vowel(letters[i]);
            strong = strong && is_strong_mask(cells[begin + i].plain);
          } else {
            fits = reads(begin + i, letters[i]);
          }
        }
        if (!fits || masks == 0) continue;
        const std::uint32_t known = length - masks;
        const bool ends_known = !masked(begin) && !masked(begin + length - 1);
        if (!(masks == 1 && vowels && known >= 2 && (ends_known || strong)) &&
            !(strong && vowels && known >= 2 && ends_known) &&
            !(strong && ends_known && masks >= 2 && known >= 2)) {
          continue;
        }
        // x is a letter too: "texts", "sixty".
        const bool x = masks == 1 && x_masked;
        if (x && (!right.empty() || entry.term.severity < 5 || (patterns_[id].steps & kSpelling)))
          continue;
        Steps steps = kMask | patterns_[id].steps;
        if (!acceptable_rest(entry, patterns_[id], {}, right, steps)) continue;
        hits.push_back({patterns_[id].entry, begin, begin + length, steps});
      }
    }
  }
}

// ----- AllowList -----

AllowList::AllowList(const std::vector<std::string>& phrases) {
  std::vector<Trie::Key> keys;
  for (const std::string& phrase : phrases) {
    const bool open = !phrase.empty() && phrase.back() == '*';
    // Marks stay: the allow list sees the text before anything is stripped. Both writings of an
    // accent are listed by NFC.
    std::u32string letters = fold_term(open ? phrase.substr(0, phrase.size() - 1) : phrase);
    if (!letters.empty()) keys.push_back({std::move(letters), open ? 1u : 0u});
  }
  trie_.build(std::move(keys));
}

std::vector<AllowList::Range> AllowList::find(const NormalizedText& text) const {
  std::vector<Range> ranges;
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  const auto plain = [&](std::uint32_t i) {
    const char32_t c = text.cells[i].plain;
    if (c >= U'ァ' && c <= U'ヶ') return static_cast<char32_t>(c - 0x60);
    return c == U'ё' ? U'е' : c;
  };
  for (std::uint32_t start = 0; start < size; ++start) {
    const bool unspaced = is_unspaced(text.cells[start].plain);
    if (!is_word(text.cells[start]) || (start > 0 && is_word(text.cells[start - 1]) && !unspaced))
      continue;
    std::uint32_t node = Trie::kRoot;
    for (std::uint32_t i = start; i < size && node != Trie::kNone;) {
      if (is_word(text.cells[i])) {
        node = trie_.child(node, plain(i));
        ++i;
      } else {
        const std::uint32_t gap = i;
        while (i < size && !is_word(text.cells[i]) && i - gap < 4) ++i;
        if (i - gap > 3) break;
        node = trie_.child(node, U' ');
      }
      if (node == Trie::kNone) break;
      for (const std::uint32_t* v = trie_.values_begin(node); v != trie_.values_end(node); ++v) {
        std::uint32_t end = i;
        while (*v == 1 && end < size && is_word(text.cells[end])) ++end;
        const bool boundary = end >= size || !is_word(text.cells[end]) || unspaced;
        if (boundary) ranges.push_back({start, end});
      }
    }
  }
  return ranges;
}

}  // namespace glyphward::lexicon
