#include "lexicon/matching/matcher.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_set>

namespace glyphward::lexicon {
namespace {

constexpr std::uint32_t kSeparatorRunMax = 8;
// From one letter of a term to the next there are no more cells than this.
constexpr std::uint32_t kLetterReach = 24;
constexpr std::uint8_t kSurplusMax = 14;
constexpr std::uint8_t kWeakMax = 1;
constexpr std::size_t kGapsMax = 40;
constexpr LetterSet kMaskedEnd = kOtherLetters << 1;
constexpr std::u32string_view kNeverDoubled = U"ahijkquvwxyаиуыюяхй";

bool is_word(const Cell& cell) {
  return cell.kind == CellKind::Letter || cell.kind == CellKind::Digit;
}

// Characters, of which those of ASCII are found in one look.
class CharacterSet {
 public:
  explicit constexpr CharacterSet(std::u32string_view characters) : all_(characters) {
    for (const char32_t c : characters) {
      if (c < 128) ascii_[c >> 6] |= std::uint64_t{1} << (c & 63);
    }
  }
  constexpr bool contains(char32_t c) const {
    if (c < 128) return (ascii_[c >> 6] >> (c & 63) & 1) != 0;
    return all_.find(c) != std::u32string_view::npos;
  }

 private:
  std::u32string_view all_;
  std::array<std::uint64_t, 2> ascii_{};
};

bool is_vowel(char32_t c) {
  static constexpr CharacterSet kVowels(U"aeiouyáéíóúàèìòùäëïöüâêîôûãõåøæœаеёиоуыэюя");
  return kVowels.contains(c);
}

int latin_class(char32_t c) {
  if (c >= U'a' && c <= U'z') return static_cast<int>(c - U'a');
  return c == U' ' ? 26 : -1;
}

LetterSet letter_bit(char32_t c) {
  const int cls = latin_class(c);
  return cls >= 0 ? 1u << cls : kOtherLetters;
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
      U"chicken", U"goose",   U"bird",     U"birds",   U"apes",    U"eats",     U"tough",
      U"holey",   U"crazy",   U"cold",     U"thick",   U"deep",    U"horses",   U"bulls",
      U"dipped",  U"weak",    U"sick",     U"jerk",    U"trash",   U"cum",      U"jizz",
      U"sauce",   U"juice"};
  return words;
}

// A letter at the end of a masked word, or 0 for a mask: as the number of a bit.
std::size_t end_bit(char32_t c) {
  return static_cast<std::size_t>(std::countr_zero(c == 0 ? kMaskedEnd : letter_bit(c)));
}

// Words by their length and ends, of which one may be a masked vowel (0).
std::uint64_t shape(std::uint64_t length, char32_t first, char32_t last) {
  return length << 42 | static_cast<std::uint64_t>(first) << 21 | last;
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

// Latin letters without a vowel ("fck", "btch"): no word but the one that it is meant for.
bool is_coined(std::u32string_view word) {
  return word.size() >= 3 && !has_vowel(word) &&
         std::all_of(word.begin(), word.end(), [](char32_t c) { return c >= U'a' && c <= U'z'; });
}

bool is_number(std::u32string_view word) {
  return std::all_of(word.begin(), word.end(),
                     [](char32_t c) { return c == U' ' || (c >= U'0' && c <= U'9'); });
}

bool all_digits(std::u32string_view word) {
  return std::all_of(word.begin(), word.end(), [](char32_t c) { return c >= U'0' && c <= U'9'; });
}

bool is_apostrophe(char32_t c) { return c == U'\'' || c == U'’' || c == U'ʼ' || c == U'＇'; }

bool is_katakana(char32_t c) { return (c >= U'ァ' && c <= U'ヺ') || c == U'ー'; }
bool is_hiragana(char32_t c) { return c >= U'ぁ' && c <= U'ゖ'; }

// Whether a short word of kana may begin behind `before`: katakana and hiragana part words, and so
// do the particles.
bool kana_begins(char32_t before, char32_t first) {
  if (is_katakana(first)) return !is_katakana(before);
  return !is_hiragana(before) ||
         std::u32string_view(U"のはがをにとなもで、").find(before) != std::u32string_view::npos;
}
bool kana_ends(char32_t last, char32_t after) { return !(is_katakana(last) && is_katakana(after)); }

// A sign that goes on inside a word when a letter follows: "a$$ist".
bool joins_letters(const Cell& cell) { return cell.plain == U'@' || cell.plain == U'$'; }

// Letters put together from signs, the longest first.
struct Drawn {
  std::u32string_view signs;
  char32_t letter;
};
constexpr std::array<Drawn, 26> kDrawn = {
    {{U"|\\/|", U'm'}, {U"\\/\\/", U'w'}, {U"(_)", U'u'},  {U"|_|", U'u'},  {U"[_]", U'u'},
     {U"|-|", U'h'},   {U"]-[", U'h'},    {U"/-\\", U'a'}, {U"|\\|", U'n'}, {U"/\\/", U'n'},
     {U"|3", U'b'},    {U"|=", U'f'},     {U"|<", U'k'},   {U"|{", U'k'},   {U"|)", U'd'},
     {U"|>", U'p'},    {U"|2", U'r'},     {U"|_", U'l'},   {U"()", U'o'},   {U"[]", U'o'},
     {U"/\\", U'a'},   {U"\\/", U'v'},    {U"><", U'x'},   {U"}{", U'h'},   {U"|*", U'p'},
     {U"[)", U'd'}}};

// Whether the signs stand at cell `pos`.
bool stands_at(const NormalizedText& text, std::uint32_t pos, std::u32string_view signs) {
  if (pos + signs.size() > text.cells.size()) return false;
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (text.cells[pos + i].source != signs[i]) return false;
  }
  return true;
}

// Those that stand at cell `pos`: bit k for kDrawn[k].
std::uint32_t drawn_at(const NormalizedText& text, std::uint32_t pos) {
  static constexpr auto kByFirst = [] {
    std::array<std::uint32_t, 128> result{};
    for (std::size_t k = 0; k < kDrawn.size(); ++k) result[kDrawn[k].signs[0]] |= 1u << k;
    return result;
  }();
  const char32_t first = text.cells[pos].source;
  std::uint32_t result = 0;
  for (std::uint32_t rest = first < 128 ? kByFirst[first] : 0; rest != 0; rest &= rest - 1) {
    const int k = std::countr_zero(rest);
    if (stands_at(text, pos, kDrawn[static_cast<std::size_t>(k)].signs)) result |= 1u << k;
  }
  return result;
}

// A letter that sounds alike, or l for i: more often chance than a disguise.
bool is_weak(const Reading& reading, const Cell& cell) {
  return (reading.steps & kSound) ||
         ((reading.steps & kConfusables) && cell.source < 0x80 && reading.letters[0] < 0x80);
}

// What stands for a letter that is not to be seen; x too ("fxck").
bool is_mask(char32_t c) {
  static constexpr CharacterSet kMasks(U"*#_-.%?^•·●■█~✱★☆⁎∗×╳◾◼▪▮▓░…†+=&@!$x");
  return kMasks.contains(c);
}

// One letter that a sign looks like: what stands in a masked word beside the masks.
bool is_look_alike(const Reading& reading) {
  return reading.size == 1 && !(reading.steps & kSound);
}

// Signs that people put for several letters in a row; a full stop or a hyphen would be a separator.
bool is_strong_mask(char32_t c) {
  static constexpr CharacterSet kStrong(U"*#•●■█✱★☆⁎∗×╳▮▓░");
  return kStrong.contains(c);
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
  std::vector<std::uint32_t> inner_before(keys.size() + 1);
  for (std::size_t i = 0; i < keys.size(); ++i)
    inner_before[i + 1] = inner_before[i] + (keys[i].inner ? 1 : 0);
  nodes_.assign(1, Node{});
  std::vector<Range> todo = {{kRoot, 0, static_cast<std::uint32_t>(keys.size()), 0}};
  while (!todo.empty()) {
    // Depth first, so that a long tail of single letters lies in one place.
    const Range range = todo.back();
    todo.pop_back();
    std::uint32_t i = range.first;
    nodes_[range.node].first_value = static_cast<std::uint32_t>(values_.size());
    nodes_[range.node].inner = inner_before[range.last] > inner_before[range.first];
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
        nodes_[range.node].next |= letter_bit(letter);
      } else {
        nodes_[range.node].next |= kOtherLetters;
        ++nodes_[range.node].others;
        letters_.push_back(letter);
      }
      child.node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back().letter = letter;
    }
    for (auto edge = edges.rbegin(); edge != edges.rend(); ++edge) todo.push_back(edge->second);
  }
  index_openings();
}

void Trie::index_openings() {
  after_two_.assign(kLatinLetters * kLatinLetters, 0);
  short_openings_ = 0;
  for (std::size_t i = 0; i < kLatinLetters; ++i) {
    const std::uint32_t first = child(kRoot, static_cast<char32_t>(U'a' + i));
    if (first == kNone) continue;
    if (has_values(first) || (nodes_[first].next & kSpaceLetter)) short_openings_ |= 1u << i;
    for (std::size_t k = 0; k < kLatinLetters; ++k) {
      const std::uint32_t second = child(first, static_cast<char32_t>(U'a' + k));
      LetterSet& after = after_two_[i * kLatinLetters + k];
      if (second == kNone) continue;
      after = nodes_[second].next;
      // Behind a key's end, or that of its first word, anything may follow.
      if (has_values(second) || (after & kSpaceLetter)) after = kEnds;
    }
  }
}

bool Trie::may_begin(LetterSet first, LetterSet second, LetterSet third) const {
  if (((first | second | third) & kOtherLetters) || (first & short_openings_)) return true;
  for (LetterSet a = first; a != 0; a &= a - 1) {
    const std::size_t row = static_cast<std::size_t>(std::countr_zero(a)) * kLatinLetters;
    for (LetterSet b = second; b != 0; b &= b - 1) {
      if (after_two_[row + static_cast<std::size_t>(std::countr_zero(b))] & (third | kEnds))
        return true;
    }
  }
  return false;
}

std::uint32_t Trie::child(std::uint32_t node, char32_t letter) const {
  const Node& n = nodes_[node];
  if (const int cls = latin_class(letter); cls >= 0) {
    const std::uint32_t bit = 1u << cls;
    return n.next & bit ? n.first_child + count_bits(n.next & (bit - 1)) : kNone;
  }
  if (n.others == 0) return kNone;
  const auto first = letters_.begin() + n.first_other;
  const auto last = first + n.others;
  const auto it = std::lower_bound(first, last, letter);
  if (it == last || *it != letter) return kNone;
  return n.first_child + count_bits(n.next & ~kOtherLetters) +
         static_cast<std::uint32_t>(it - first);
}

const std::uint32_t* Trie::values_begin(std::uint32_t node) const {
  return values_.data() + nodes_[node].first_value;
}
const std::uint32_t* Trie::values_end(std::uint32_t node) const {
  return values_begin(node) + nodes_[node].values;
}

// ----- Matcher -----

// The letters beside a match: few, so they need no memory of their own.
class Matcher::Letters {
 public:
  static constexpr std::size_t kMax = 20;  // no ending or companion is so long
  void push_back(char32_t c) {
    if (size_ < kMax) letters_[size_++] = c;
  }
  void clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void reverse() { std::reverse(letters_.begin(), letters_.begin() + size_); }
  std::u32string_view view() const { return {letters_.data(), size_}; }

 private:
  std::array<char32_t, kMax> letters_;
  std::uint8_t size_ = 0;
};

// How far a walk came, and how it came there. Many are copied, so it is small.
struct Matcher::State {
  std::uint32_t node = Trie::kRoot;
  std::uint32_t pos = 0;  // the next cell
  Steps steps = 0;
  std::uint8_t read = 0;                                      // letters of the term
  std::uint8_t surplus = 0;                                   // letters that only repeat one
  std::uint8_t natives = 0, digits = 0, signs = 0, weak = 0;  // how all of them were written
  std::uint8_t doubles = 0;  // letters written twice where the term has one
  std::uint8_t accents = 0,
               ornate = 0;  // letters stripped of marks: those of alphabets, and others
  std::uint8_t gaps = 0;
  std::uint8_t fragment = 0;   // letters since the last gap
  bool odd_double = false;     // one of the doubled letters is never doubled
  bool long_run = false;       // a letter was written three times or more
  bool single = true;          // every fragment so far is one letter
  bool space_gap = false;      // a gap holds a space
  bool sign_gap = false;       // a gap holds something else
  std::uint8_t last_read = 0;  // the cell of the last letter, from the start of the walk
  std::array<std::uint8_t, 3> gap_begin{};  // the first gaps' cells, from the start of the walk
  std::array<std::uint8_t, 3> gap_end{};

  int cost() const {
    return 8 * weak + 4 * digits + 2 * (signs + ornate) + 2 * surplus + gaps + accents;
  }

  // How a letter was written: too much of one kind and it is another word.
  void count(const Reading& reading, const Cell& cell) {
    if (reading.steps & kMarks) ++(reading.ornate ? ornate : accents);
    if (is_weak(reading, cell)) {
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

// What a walk asks of a text again and again.
struct Matcher::Terrain {
  // Walks that start in a block of this many cells share one set of letters.
  static constexpr std::uint32_t kBlock = 256;

  struct Spot {
    LetterSet letters = 0;  // first letters of the cell's readings; kOtherLetters if one has more
    LetterSet next = 0;     // and of those that come next, over signs and spaces, to a letter
    LetterSet near = 0;     // of all cells from it on, as far as a term's next letter may be
    std::uint32_t next_word = 0;  // first cell from it on that is no separator
    std::uint32_t drawn = 0;      // bit k: kDrawn[k] stands there
    bool amid = false;            // no space stands between it and a letter before it
  };
  std::vector<Spot> spots;          // of the cells, and three beyond them
  std::vector<LetterSet> in_reach;  // all letters that walks from the cells of block i come to

  Terrain(const NormalizedText& text, bool plain_only);
  // Whether walks from the cell come to a space.
  bool spaces_near(std::uint32_t start) const { return in_reach[start / kBlock] & kSpaceLetter; }
  // Whether one of the keys may begin at cell i and go on in the next cells, nothing between them.
  bool may_begin(const Trie& trie, std::uint32_t i) const {
    const LetterSet first = spots[i].letters;
    const LetterSet second = spots[i + 1].letters;
    const LetterSet third = spots[i + 2].letters;
    // The same letter again may only repeat the one before.
    return ((first | third) & second) != 0 || trie.may_begin(first, second, third);
  }
  bool empty() const { return spots.front().next_word + kBeyond == spots.size(); }

 private:
  static constexpr std::uint32_t kBeyond = 3;
  void look_ahead(const NormalizedText& text);
};

// Whether terms can be made of few letters, by node of a trie. Text that repeats a few letters for
// long ("1!|l") leads every walk far, and to no term.
class Matcher::Completions {
 public:
  explicit Completions(const Trie& trie) : trie_(trie) {}

  // From now on, of these letters.
  void use(LetterSet letters) {
    if (letters == letters_) return;
    letters_ = letters;
    active_ = count_bits(letters & ~kSpaceLetter) <= kFewLetters;
    if (active_) known_.assign(kSlots, 0);
  }
  // Whether a term may be reached from the node by these letters alone; true if it isn't known.
  bool possible(std::uint32_t node) { return !active_ || complete(node); }

 private:
  static constexpr std::uint32_t kFewLetters = 12;
  static constexpr std::uint32_t kSlots = 4096;
  static constexpr std::uint32_t kBudget = 50000;  // nodes looked at, for one text

  bool complete(std::uint32_t node) {
    if (trie_.has_values(node)) return true;
    const std::uint32_t known = (node + 1) << 1;
    if (known_[node % kSlots] >> 1 == node + 1) return known_[node % kSlots] & 1;
    if (budget_ == 0) return true;
    --budget_;
    const bool result = trie_.any_child(node, letters_ | kSpaceLetter,
                                        [&](std::uint32_t child) { return complete(child); });
    if (budget_ > 0) known_[node % kSlots] = known | (result ? 1 : 0);
    return result;
  }

  const Trie& trie_;
  LetterSet letters_ = ~LetterSet{0};
  bool active_ = false;
  std::uint32_t budget_ = kBudget;
  // By node % kSlots: node + 1, and the answer in the lowest bit.
  std::vector<std::uint32_t> known_;
};

// The states that wait, by the cell that they read next.
struct Matcher::Waiting {
  static constexpr std::size_t kPlaces = 16;  // more than any step is long
  std::array<std::vector<State>, kPlaces> places{};
  std::size_t count = 0;  // in all places

  std::vector<State>& at(std::uint32_t pos) { return places[pos % kPlaces]; }
};

struct Matcher::Walk {
  const NormalizedText& text;
  const Trie& trie;
  const Terrain& terrain;
  const std::vector<std::uint32_t>& seams;
  Scope scope;
  bool inside;  // starts within a word: only stems, only compounds
  Waiting& waiting;
  std::vector<Hit>& hits;
  std::uint32_t start = 0;
  Completions completions{trie};

  // Whether a walk at the node may come to a term from cell `pos` on.
  bool promising(std::uint32_t node, std::uint32_t pos) {
    if (trie.has_values(node)) return true;
    if (pos >= size() || !completions.possible(node)) return false;
    LetterSet wanted = trie.next_letters(node);
    if (wanted & kSpaceLetter) {
      // Or the next word's first letter.
      wanted = (wanted & ~kSpaceLetter) | trie.next_letters(trie.child(node, U' '));
    }
    const Terrain::Spot& spot = terrain.spots[pos];
    if (wanted & spot.next) return true;
    // It may stand behind letters that repeat the one before.
    return (spot.next & letter_bit(trie.letter(node))) && (wanted & spot.near);
  }

  // Of several ways to the same node and place the plainest stays.
  void push(const State& state) {
    if (state.pos - start > kReachMax) return;
    std::vector<State>& there = waiting.at(state.pos);
    for (State& other : there) {
      if (other.node != state.node || other.single != state.single ||
          (other.gaps > 0) != (state.gaps > 0))
        continue;
      if (state.cost() < other.cost()) other = state;
      return;
    }
    there.push_back(state);
    ++waiting.count;
  }

  const Cell& cell(std::uint32_t i) const { return text.cells[i]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(text.cells.size()); }

  // Whether the match up to `end` is a word of kana of its own.
  bool kana_boundary(std::uint32_t end) const {
    return (start == 0 || kana_begins(cell(start - 1).source, cell(start).source)) &&
           (end >= size() || kana_ends(cell(end - 1).source, cell(end).source));
  }

  // The letters that stick to [begin, end) on either side.
  void letters_before(std::uint32_t begin, Letters& out) const {
    for (std::uint32_t i = begin; i > 0 && out.size() < Letters::kMax; --i) {
      const Cell& c = cell(i - 1);
      const bool joins =
          joins_letters(c) && i >= 2 && is_word(cell(i - 2)) && i < size() && is_word(cell(i));
      if (!is_word(c) && !joins) break;
      out.push_back(c.plain);
    }
    out.reverse();
  }
  void letters_after(std::uint32_t end, Letters& out) const {
    for (std::uint32_t i = end; i < size() && out.size() < Letters::kMax; ++i) {
      const bool joins = joins_letters(cell(i)) && i + 1 < size() && is_word(cell(i + 1));
      if (!is_word(cell(i)) && !joins) break;
      out.push_back(cell(i).plain);
    }
  }
  // For Scope::Joined: the letters from `end` to the next seam; false if other things stand there,
  // or if it is the seam of the first of several pieces.
  bool letters_to_seam(std::uint32_t end, Letters& out) const {
    const auto first = std::upper_bound(seams.begin(), seams.end(), start);
    const auto seam = std::lower_bound(first, seams.end(), end);
    if (seam == seams.end() || (seam == first && seams.size() > 2)) return false;
    bool letter = true;
    for (std::uint32_t i = end; i < *seam; ++i) {
      const bool word = is_word(cell(i));
      if ((word && !letter) || out.size() >= Letters::kMax) return false;
      letter = word;
      if (word) out.push_back(cell(i).plain);
    }
    return true;
  }
  // Whether nothing else can be read in the text than what ends at `end`.
  bool alone(std::uint32_t end) const {
    return terrain.spots[0].next_word == start && terrain.spots[end].next_word == size();
  }
  // The token of one letter that holds cell i alone.
  bool single_letter(std::uint32_t i) const {
    return is_word(cell(i)) && (i == 0 || !is_word(cell(i - 1))) &&
           (i + 1 >= size() || !is_word(cell(i + 1)));
  }
  // Whether a gap at [gap_begin, gap_end), the first of the walk, only goes on with a run of
  // spelled letters that began long before: "x*x*x*". Such a run is found from its beginning, or as
  // a word that is found inside others.
  bool amid_run(const State& state, std::uint32_t gap_end) const {
    if (state.gaps > 0 || trie.leads_inside(state.node)) return false;
    if (scope == Scope::Joined || (scope == Scope::Words && terrain.spaces_near(start)))
      return false;
    std::uint32_t run = start;
    Letters left;
    while (run > gap_end - state.pos && left.size() < Letters::kMax) {
      const std::uint32_t gap = run - (gap_end - state.pos);
      if (gap == 0 || !single_letter(gap - 1) || !same_gap(gap, run, state.pos, gap_end)) break;
      left.push_back(cell(gap - 1).plain);
      run = gap - 1;
    }
    // The likes of "a" and "i" are words, digits stand beside words, and kana part from Latin.
    if (left.empty() || left.view()[0] < U'b' || left.view()[0] > U'z' || left.view()[0] == U'i')
      return false;
    left.reverse();
    return !companions().contains(left.view());
  }
  // Whether the state's gaps part words, whatever follows; of fragments of several letters
  // (acceptable_gaps).
  bool parts_words(const State& state) const {
    if (state.gaps == 0 || state.single || scope == Scope::Joined) return false;
    if (state.space_gap)
      return scope != Scope::Words || state.sign_gap || state.gaps > state.gap_begin.size();
    return terrain.spots[start].amid;
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
  std::vector<Trie::Key> turned;
  const auto add = [&](std::u32string letters, std::uint32_t entry, Steps steps,
                       bool disguised = false) {
    if (letters.empty()) return;
    const auto id = static_cast<std::uint32_t>(patterns_.size());
    const auto count =
        static_cast<std::uint32_t>(letters.size() - static_cast<std::size_t>(std::count(
                                                        letters.begin(), letters.end(), U' ')));
    const Term& term = entries_[entry].term;
    patterns_.push_back({entry, count, steps, entries_[entry].flags, letters.front(),
                         letters.back(), static_cast<std::uint8_t>(term.severity),
                         term.language == "en", term.language == "ru",
                         letters.find(U' ') != std::u32string::npos, disguised, is_coined(letters),
                         is_number(letters)});
    words.push_back({letters, id, (entries_[entry].flags & kStem) || is_unspaced(letters.front())});
    if (!is_short(patterns_.back())) turned.push_back({letters, id});
    const bool stem = entries_[entry].flags & (kStem | kHead);
    const bool compounds = stem || (count >= 4 && !(entries_[entry].flags & (kExact | kPlural)) &&
                                    letters.find(U' ') == letters.npos);
    if (compounds && !(steps & kInflection) && (!(steps & kSpelling) || is_coined(letters)))
      stems.push_back({letters, id});
    if (count >= 4 && term.severity >= 2 && letters.find(U' ') == letters.npos) {
      const char32_t first = letters.front();
      const char32_t last = letters.back();
      MaskKey key{id};
      for (std::size_t k = 0; k < std::min(key.inner.size(), letters.size() - 1); ++k)
        key.inner[k] = static_cast<std::uint8_t>(std::countr_zero(letter_bit(letters[k + 1])));
      const auto add_shape = [&](char32_t from, char32_t to) {
        by_shape_[shape(count, from, to)].push_back(key);
        if (count <= kMaskedWordMax) shape_ends_[count][end_bit(from)] |= 1u << end_bit(to);
      };
      add_shape(first, last);
      if (is_vowel(first)) add_shape(0, last);
      if (is_vowel(last)) add_shape(first, 0);
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
  turned_.build(std::move(turned));
}

namespace {

// The letters that a cell's readings begin with, and those that they go on with.
struct CellLetters {
  LetterSet first = 0;
  LetterSet later = 0;
};

CellLetters letters_of(const NormalizedText& text, const Cell& cell, bool plain_only) {
  CellLetters result;
  for (const Reading* r = text.begin(cell); r != text.end(cell); ++r) {
    if (plain_only && is_weak(*r, cell)) continue;
    result.first |= letter_bit(r->letters[0]) | (r->size > 1 ? kOtherLetters : 0);
    for (std::uint8_t k = 1; k < r->size; ++k) result.later |= letter_bit(r->letters[k]);
  }
  return result;
}

using AsciiLetters = std::array<CellLetters, 128>;

AsciiLetters ascii_letters(bool plain_only) {
  AsciiLetters result;
  for (std::size_t c = 0; c < result.size(); ++c) {
    const NormalizedText text = normalize(std::string(1, static_cast<char>(c)));
    for (const Cell& cell : text.cells) {
      if (cell.shared) result[c] = letters_of(text, cell, plain_only);
    }
  }
  return result;
}

}  // namespace

Matcher::Terrain::Terrain(const NormalizedText& text, bool plain_only) {
  static const std::array<AsciiLetters, 2> ascii = {ascii_letters(false), ascii_letters(true)};
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  spots.resize(size + kBeyond);
  in_reach.resize(size / kBlock + 1);
  bool after_letter = false;
  for (std::uint32_t i = 0; i < size; ++i) {
    const Cell& cell = text.cells[i];
    Spot& spot = spots[i];
    spot.amid = after_letter;
    after_letter = cell.kind != CellKind::Space && (after_letter || is_word(cell));
    const CellLetters letters =
        cell.shared ? ascii[plain_only][cell.source] : letters_of(text, cell, plain_only);
    spot.letters = letters.first;
    if (!plain_only) {
      if (cell.plain == U'p') spot.letters |= letter_bit(U'f');  // ph
      if (cell.plain == U'v') spot.letters |= letter_bit(U'w');  // vv
      spot.drawn = drawn_at(text, i);
      for (std::uint32_t rest = spot.drawn; rest != 0; rest &= rest - 1)
        spot.letters |= letter_bit(kDrawn[static_cast<std::size_t>(std::countr_zero(rest))].letter);
    }
    in_reach[i / kBlock] |=
        spot.letters | letters.later | (cell.kind == CellKind::Space ? kSpaceLetter : 0);
  }
  look_ahead(text);
}

void Matcher::Terrain::look_ahead(const NormalizedText& text) {
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  static_assert(kReachMax < kBlock, "a walk ends in the next block at the latest");
  for (std::size_t i = 0; i + 1 < in_reach.size(); ++i) in_reach[i] |= in_reach[i + 1];
  // The union over a sliding window, from unions within stretches of its size: from each cell to
  // the stretch's end, and from the next stretch's begin to the window's end.
  std::uint32_t next_word = size;
  LetterSet to_end = 0;
  for (std::uint32_t i = size; i-- > 0;) {
    next_word = spots[i].letters != 0 ? i : next_word;
    to_end = spots[i].letters | ((i + 1) % kLetterReach == 0 ? 0 : to_end);
    spots[i].next_word = next_word;
    spots[i].next = spots[i].letters | (is_word(text.cells[i]) ? 0 : spots[i + 1].next);
    spots[i].near = to_end;
  }
  for (std::uint32_t i = size; i < spots.size(); ++i) spots[i].next_word = size;
  LetterSet from_begin = 0;
  for (std::uint32_t last = kLetterReach; last < size + kLetterReach - 1; ++last) {
    if (last % kLetterReach == 0) from_begin = 0;
    if (last < size) from_begin |= spots[last].letters;
    const std::uint32_t i = last - (kLetterReach - 1);
    if (i % kLetterReach != 0) spots[i].near |= from_begin;
  }
}

void Matcher::find(const NormalizedText& text, Scope scope, std::vector<Hit>& hits,
                   const std::vector<std::uint32_t>& seams) const {
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  const bool turned = scope == Scope::Whole || scope == Scope::Turned;
  const Terrain terrain(text, turned);
  if (terrain.empty()) return;
  Waiting waiting;
  Walk whole{text, turned ? turned_ : words_, terrain, seams, scope, false, waiting, hits};
  if (scope == Scope::Joined) {
    for (std::size_t i = 0; i + 1 < seams.size(); ++i) {
      if (const std::uint32_t start = terrain.spots[seams[i]].next_word; start < seams[i + 1])
        walk(whole, start);
    }
    return;
  }
  Walk inside{text, stems_, terrain, seams, scope, true, waiting, hits};
  for (std::uint32_t i = 0; i < size; ++i) {
    const Cell& cell = text.cells[i];
    if (terrain.spots[i].letters == 0) continue;
    const bool after_word = i > 0 && is_word(text.cells[i - 1]);
    const bool unspaced =
        is_unspaced(cell.plain) || (after_word && is_unspaced(text.cells[i - 1].plain));
    if (!after_word || unspaced) {
      walk(whole, i);
    } else if (scope == Scope::Words && terrain.may_begin(stems_, i)) {
      walk(inside, i);
    }
  }
  // No mask stands between two pieces.
  if (scope == Scope::Words && seams.empty()) find_masked(text, hits);
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
    next.odd_double = next.odd_double ||
                      kNeverDoubled.find(walk.trie.letter(state.node)) != std::u32string_view::npos;
  }
  return next;
}

void Matcher::walk(Walk& walk, std::uint32_t start) const {
  walk.start = start;
  if (walk.size() > Terrain::kBlock / 2) {  // shorter texts cost little anyway
    walk.completions.use(walk.terrain.in_reach[start / Terrain::kBlock]);
    if (!walk.completions.possible(Trie::kRoot)) return;
  }
  State first;
  first.pos = start;
  step_read(walk, first);
  // States wait at the cell that they read next, so each cell is seen once and none is seen before
  // all ways to it are known.
  for (std::uint32_t pos = start + 1; walk.waiting.count > 0; ++pos) {
    std::vector<State>& here = walk.waiting.at(pos);
    for (std::size_t i = 0; i < here.size(); ++i) {
      const State state = here[i];
      arrive(walk, state);
      step_word_end(walk, state);
      if (pos >= walk.size()) continue;
      step_read(walk, state);
      step_over(walk, state);
    }
    walk.waiting.count -= here.size();
    here.clear();
  }
}

// Follows every reading of the cell.
void Matcher::step_read(Walk& walk, const State& state) const {
  const Cell& cell = walk.cell(state.pos);
  // Backwards and upside down, look-alikes count for nothing, so they need not be followed.
  const bool plain_only = walk.scope == Scope::Whole || walk.scope == Scope::Turned;
  const auto read = [&](const Reading& reading, std::uint32_t cells) {
    std::uint32_t node = state.node;
    for (std::uint8_t i = 0; i < reading.size; ++i) {
      node = walk.trie.child(node, reading.letters[i]);
      if (node == Trie::kNone) return;
    }
    if (!walk.promising(node, state.pos + cells)) return;
    State next = state;
    next.node = node;
    next.last_read = static_cast<std::uint8_t>(state.pos - walk.start);
    next.read = static_cast<std::uint8_t>(state.read + reading.size);
    next.pos += cells;
    next.steps |= reading.steps;
    next.count(reading, cell);
    if (cell.long_run) {
      next.long_run = true;
      next.steps |= kRepeats;
    }
    if (next.weak > kWeakMax || next.digits > next.natives + 4 ||
        next.signs > next.natives + next.digits + 2) {
      return;
    }
    if (state.fragment >= 1) next.single = false;
    if (walk.parts_words(next)) return;
    if (next.fragment < 250) ++next.fragment;
    walk.push(next);
  };
  for (const Reading* r = walk.text.begin(cell); r != walk.text.end(cell); ++r) {
    if (walk.inside && (r->steps & kSound)) continue;
    if (plain_only && is_weak(*r, cell)) continue;
    read(*r, 1);
    // Three of a letter are a term's three, or one drawn out: "kkk".
    if (r->size == 1 && cell.long_run && cell.source < 0x80 && cell.end - cell.start == 2)
      read(Reading{{r->letters[0], r->letters[0]}, 2, r->steps}, 1);
    const bool repeats =
        state.pos != walk.start && r->size == 1 && r->letters[0] == walk.trie.letter(state.node);
    // Behind a separator the same glyph must stand again: "f-u-u-c-k".
    if (repeats && state.surplus < std::min(kSurplusMax, state.read) &&
        (state.fragment > 0 || walk.cell(walk.start + state.last_read).plain == cell.plain)) {
      if (walk.promising(state.node, state.pos + 1)) walk.push(repeated(walk, state, *r));
    }
  }
  if (walk.inside || plain_only || state.pos + 1 >= walk.size()) return;
  if (cell.kind == CellKind::Sign) {
    for (std::uint32_t rest = walk.terrain.spots[state.pos].drawn; rest != 0; rest &= rest - 1) {
      const Drawn& drawn = kDrawn[static_cast<std::size_t>(std::countr_zero(rest))];
      read(Reading{{drawn.letter}, 1, kLeet}, static_cast<std::uint32_t>(drawn.signs.size()));
    }
  }
  const char32_t next = walk.cell(state.pos + 1).plain;
  if (cell.plain == U'p' && next == U'h') read(Reading{{U'f'}, 1, kSound}, 2);
  if (cell.plain == U'v' && next == U'v') read(Reading{{U'w'}, 1, kConfusables}, 2);
}

// A term of several words goes on behind a space, or without one: "killyourself".
void Matcher::step_word_end(Walk& walk, const State& state) const {
  if (walk.trie.letter(state.node) == U' ') return;
  const std::uint32_t child = walk.trie.child(state.node, U' ');
  if (child == Trie::kNone) return;
  State next = state;
  next.node = child;
  if (state.pos < walk.size() && walk.cell(state.pos).count == 0) {
    const std::uint32_t to = walk.terrain.spots[state.pos].next_word;
    if (to < walk.size() && to - state.pos <= kSeparatorRunMax) {
      next.pos = to;
      next.fragment = 0;
      next.single = true;
      if (walk.promising(child, to)) walk.push(next);
      return;
    }
  }
  next.steps |= kCompound;
  if (walk.promising(child, state.pos)) walk.push(next);
}

// Steps over what stands between letters.
void Matcher::step_over(Walk& walk, const State& state) const {
  if (walk.inside || is_word(walk.cell(state.pos)) || walk.trie.letter(state.node) == U' ') return;
  if (state.gaps >= state.read + state.surplus) return;
  // A word uses such signs as letters or as separators, hardly as both.
  if (walk.cell(state.pos).count > 0 && state.signs > 1) return;
  // Words are not put together from more pieces than this.
  if (state.gaps >=
      (state.single ? kGapsMax : state.gap_begin.size() + (state.space_gap ? 0 : kGapsMax)))
    return;
  std::uint32_t to = state.pos;
  bool space = state.space_gap;
  bool sign = state.sign_gap;
  while (to < walk.size() && !is_word(walk.cell(to)) && to - state.pos < kSeparatorRunMax) {
    (walk.cell(to).kind == CellKind::Space ? space : sign) = true;
    ++to;
    // Signs right before a letter may be the first of that word: stop there too.
    const bool near_word = to + 2 >= walk.size() || is_word(walk.cell(to)) ||
                           is_word(walk.cell(to + 1)) || is_word(walk.cell(to + 2));
    const bool stop = to < walk.size() && walk.terrain.spots[to].letters != 0 && near_word;
    if (!stop) continue;
    const bool goes_on = (walk.trie.next_letters(state.node) & walk.terrain.spots[to].letters) ||
                         walk.cell(to).plain == walk.cell(walk.start + state.last_read).plain;
    if (!goes_on) continue;
    if (to - walk.start > kReachMax || walk.amid_run(state, to)) return;
    State next = state;
    if (next.gaps < next.gap_begin.size()) {
      next.gap_begin[next.gaps] = static_cast<std::uint8_t>(state.pos - walk.start);
      next.gap_end[next.gaps] = static_cast<std::uint8_t>(to - walk.start);
    }
    ++next.gaps;
    next.fragment = 0;
    next.pos = to;
    next.steps |= kSeparators;
    next.space_gap = space;
    next.sign_gap = sign;
    if (!walk.parts_words(next)) walk.push(next);
  }
}

// Judges a walk that has come to the end of a pattern.
void Matcher::arrive(Walk& walk, const State& state) const {
  if (state.fragment == 0) return;  // the last thing was a gap
  const std::uint32_t* value = walk.trie.values_begin(state.node);
  const std::uint32_t* last = walk.trie.values_end(state.node);
  if (value == last) return;
  const bool any = std::any_of(value, last, [&](std::uint32_t id) {
    return acceptable_letters(walk, state, patterns_[id]);
  });
  if (!any) return;
  Letters left;
  Letters right;
  if (walk.scope == Scope::Joined) {
    if (!walk.letters_to_seam(state.pos, right)) return;
  } else if (state.gaps > 0) {
    const bool grave =
        std::any_of(value, last, [&](std::uint32_t id) { return patterns_[id].severity >= 5; });
    if (!acceptable_gaps(walk, state, grave, left, right)) return;
  } else {
    walk.letters_before(walk.start, left);
    walk.letters_after(state.pos, right);
  }
  if (state.digits == 0) {
    if (all_digits(left.view())) left.clear();
    if (all_digits(right.view())) right.clear();
  }
  for (; value != last; ++value) {
    const Pattern& pattern = patterns_[*value];
    Steps steps = state.steps | pattern.steps;
    if (!acceptable_letters(walk, state, pattern)) continue;
    if (pattern.letters == 2 && is_hiragana(pattern.front) && !walk.kana_boundary(state.pos))
      continue;
    if (pattern.disguised &&
        (steps & (kConfusables | kLeet | kSeparators | kEnclosed | kRepeats)) == 0)
      continue;
    const bool whole = walk.scope == Scope::Whole || walk.scope == Scope::Turned;
    if (!acceptable_rest(pattern, left.view(), right.view(), steps)) continue;
    if (whole && (!left.empty() ||
                  (!right.empty() && (!(steps & kInflection) || (pattern.steps & kSpelling))))) {
      continue;
    }
    // Within a longer word, look-alikes are chance.
    const bool chance = state.weak > 0 || (state.digits > 0 && !(pattern.flags & kStem)) ||
                        (state.steps & kConfusables);
    const bool longer = (steps & kCompound) && !(left.empty() && right.empty());
    if (chance && longer) continue;
    walk.hits.push_back({pattern.entry, walk.start, state.pos, steps});
  }
}

bool Matcher::is_short(const Pattern& pattern) {
  return pattern.letters < 4 && !is_unspaced(pattern.front);
}

bool Matcher::acceptable_letters(const Walk& walk, const State& state, const Pattern& pattern) {
  const std::uint32_t n = pattern.letters;
  const bool short_word = is_short(pattern);
  // A number is meant only where it is all that stands there: "1488", not "1488 Oak Lane".
  if (pattern.numeric) return state.natives == n && walk.alone(state.pos);
  if (state.natives == 0) return false;
  if ((pattern.flags & kNoLeet) && state.digits + state.signs > 0) return false;
  // A few accents make another word: "râpe" and "höre" are not "rape" and "hore".
  const bool accented = state.accents > 0 && state.ornate == 0 && state.accents * 2u <= n;
  const bool picky = (pattern.flags & kNoLeet) || (pattern.steps & kSpelling);
  if (accented && picky && pattern.english) return false;
  if (state.digits > (n == 3 ? 1u : n == 4 ? 2u : (n + 1) / 2)) return false;
  if (state.weak > 0 && (short_word || state.weak > kWeakMax || pattern.severity < 3 ||
                         (pattern.flags & kNoSound) || state.natives < 2)) {
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
    if (!state.odd_double && !many && (state.doubles > 1 || n < 5 || pattern.severity < 5)) {
      return false;
    }
  }
  if (state.gaps > 0 && walk.inside) return false;
  if (walk.scope == Scope::Whole || walk.scope == Scope::Turned) {
    if (state.weak > 0) return false;
    if (walk.scope == Scope::Whole &&
        ((pattern.flags & kNoReverse) || ((pattern.steps & kSpelling) && n < 5))) {
      return false;
    }
    if (pattern.spaced && state.gaps > 0) return false;
  }
  return true;
}

// Whether what was stepped over parted letters of one word, and not words. Gives the word's other
// letters.
bool Matcher::acceptable_gaps(const Walk& walk, const State& state, bool grave, Letters& left,
                              Letters& right) {
  const std::uint32_t begin = walk.start;
  const std::uint32_t end = state.pos;
  walk.letters_before(begin, left);
  if (!left.empty()) return false;
  walk.letters_after(end, right);
  if (state.single) return acceptable_spelling(walk, state, left, right);
  if (!state.space_gap) {
    // An apostrophe shortens words, it does not part letters: "Dumas's".
    for (std::uint8_t i = 0; i < std::min<std::size_t>(state.gaps, state.gap_begin.size()); ++i) {
      for (std::uint32_t c = begin + state.gap_begin[i]; c < begin + state.gap_end[i]; ++c) {
        if (is_apostrophe(walk.cell(c).source)) return false;
      }
    }
    // Within one stretch without spaces, the whole stretch must be the term.
    if (walk.terrain.spots[begin].amid) return false;
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
    const std::uint32_t to = i < state.gaps ? begin + state.gap_begin[i] : end;
    Letters fragment;
    for (std::uint32_t c = from; c < to; ++c) fragment.push_back(walk.cell(c).plain);
    broken = broken ||
             (fragment.size() <= 3 ? !is_short_word(fragment.view()) : !has_vowel(fragment.view()));
    if (i < state.gaps) {
      from = begin + state.gap_end[i];
      // An apostrophe, a comma or a full stop ends a word.
      for (std::uint32_t c = to; c < from; ++c) {
        if (walk.cell(c).kind != CellKind::Space) return false;
      }
    }
  }
  // Two long pieces of a grave term are seldom two words by chance.
  return broken || (state.gaps == 1 && state.natives >= 7 && grave);
}

// Spelled out, letter by letter: the run goes on as long as the same separators do, and all of it
// must be the term.
bool Matcher::acceptable_spelling(const Walk& walk, const State& state, Letters& left,
                                  Letters& right) {
  const std::uint32_t begin = walk.start;
  const std::uint32_t end = state.pos;
  const std::uint32_t gap_first = begin + state.gap_begin[0];
  const std::uint32_t gap_last = begin + state.gap_end[0];
  const bool spelled_end = walk.single_letter(end - 1);
  if (!right.empty() && spelled_end) return false;
  for (std::uint32_t at = begin; at > 0 && left.size() < Letters::kMax;) {
    std::uint32_t gap_begin = at;
    while (gap_begin > 0 && !is_word(walk.cell(gap_begin - 1)) &&
           at - gap_begin <= kSeparatorRunMax)
      --gap_begin;
    if (gap_begin == 0 || gap_begin == at || !walk.single_letter(gap_begin - 1)) break;
    if (!walk.same_gap(gap_begin, at, gap_first, gap_last)) break;
    left.push_back(walk.cell(gap_begin - 1).plain);
    at = gap_begin - 1;
  }
  for (std::uint32_t at = end; spelled_end && at < walk.size() && right.size() < Letters::kMax;) {
    std::uint32_t gap_end = at;
    while (gap_end < walk.size() && !is_word(walk.cell(gap_end)) &&
           gap_end - at <= kSeparatorRunMax)
      ++gap_end;
    if (gap_end >= walk.size() || gap_end == at || !walk.single_letter(gap_end)) break;
    if (!walk.same_gap(at, gap_end, gap_first, gap_last)) break;
    right.push_back(walk.cell(gap_end).plain);
    at = gap_end + 1;
  }
  left.reverse();
  if (state.space_gap && (left.view() == U"a" || left.view() == U"i")) left.clear();
  return true;
}

// A plural, a participle ... of the term's language.
bool Matcher::is_ending(const Pattern& pattern, std::u32string_view letters) {
  if (letters.empty()) return true;
  if (letters == U"es" && pattern.english) {
    return std::u32string_view(U"sxzho").find(pattern.back) != std::u32string_view::npos;
  }
  if (pattern.flags & kPlural) return letters == U"s" || letters == U"z";
  if (pattern.russian) return !(pattern.steps & kSpelling) && russian_endings().contains(letters);
  if ((pattern.steps & kSpelling) && !pattern.coined) {
    // Another spelling is often a harmless word but for an ending: "hoar" and "hoard".
    return letters == U"s" || (pattern.letters >= 4 && plain_endings().contains(letters));
  }
  if (!pattern.english) return other_endings().contains(letters);
  if (english_endings().contains(letters)) return true;
  // shit -> shitt+ing
  return letters.size() > 2 && letters.front() == pattern.back &&
         english_endings().contains(letters.substr(1));
}

// Whether a term with more letters around it is still the term: an ending, a compound.
bool Matcher::acceptable_rest(const Pattern& pattern, std::u32string_view left,
                              std::u32string_view right, Steps& steps) {
  if (left.empty() && right.empty()) return true;
  if (is_unspaced(pattern.front)) {
    // Nothing parts words there, so a term is found wherever it stands; one syllable is too little
    // for that.
    if (pattern.letters < 2) return false;
    const bool hangul = pattern.front >= 0xAC00 && pattern.front <= 0xD7A3;
    return !hangul || pattern.letters > 2 || left.empty() || !is_unspaced(left.back());
  }
  if ((!left.empty() && is_unspaced(left.back()) && right.empty()) ||
      (!right.empty() && is_unspaced(right.front()) && left.empty())) {
    return true;  // a Latin word between kana or Hangul
  }
  if (pattern.flags & kExact) return false;
  if (left.empty() && is_ending(pattern, right)) {
    steps |= kInflection;
    return true;
  }
  steps |= kCompound;
  if (pattern.steps & kSpelling) {
    return pattern.coined && (left.empty() || companions().contains(left)) &&
           (is_ending(pattern, right) || companions().contains(right));
  }
  if (pattern.flags & kStem) return true;
  if (pattern.flags & kHead) {
    // A vowel after it begins no new word: "shitake", "Shitov".
    return (left.empty() || companions().contains(left)) &&
           (is_ending(pattern, right) || !is_vowel(right.front()) || companions().contains(right));
  }
  // "ass" + "goblin": no other words end so.
  static const Words insults = {
      U"goblin",   U"goblins", U"weasel", U"nugget",  U"waffle", U"waffles", U"gibbon",
      U"trumpet",  U"canoe",   U"nozzle", U"clown",   U"clowns", U"bandit",  U"wipe",
      U"wipes",    U"hat",     U"hats",   U"face",    U"faces",  U"wad",     U"wads",
      U"stain",    U"stains",  U"licker", U"lickers", U"sucker", U"suckers", U"muncher",
      U"munchers", U"breath",  U"head",   U"heads",   U"hole",   U"holes",   U"bag",
      U"bags",     U"monkey",  U"fucker", U"fuckers", U"wit",    U"nugget",  U"sniffer"};
  if (pattern.english && left.empty() && (pattern.flags & kPlural) && pattern.severity >= 3 &&
      insults.contains(right)) {
    return true;
  }
  if (pattern.letters < 4 || (pattern.flags & kPlural) || !pattern.english) return false;
  return (left.empty() || companions().contains(left)) &&
         (is_ending(pattern, right) || companions().contains(right));
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
    if (masks > 0 && masks < end - begin) match_masks(text, begin, end, hits);
    begin = end == begin ? begin + 1 : end;
  }
}

// A word with signs in place of letters: "f*ck", "n****r". One sign stands for a vowel; several
// stand for what is between the first and the last letter.
void Matcher::match_masks(const NormalizedText& text, std::uint32_t begin, std::uint32_t end,
                          std::vector<Hit>& hits) const {
  const std::vector<Cell>& cells = text.cells;
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
  // Signs that can be nothing but masks: of two or more, all must be strong (match_mask).
  std::uint32_t longest = 0;
  std::uint32_t hidden = 0;
  bool all_strong = true;
  for (; longest < std::min(end - begin, kMaskedWordMax); ++longest) {
    const Cell& cell = cells[begin + longest];
    if (!masked(begin + longest) || std::any_of(text.begin(cell), text.end(cell), is_look_alike))
      continue;
    ++hidden;
    all_strong = all_strong && is_strong_mask(cell.plain);
    if (hidden > 1 && !all_strong) break;
  }
  if (longest < shortest) return;
  const auto ends = [&](std::uint32_t i, Letters& letters) {
    letters.clear();
    if (masked(i)) letters.push_back(0);
    for (const Reading* r = text.begin(cells[i]); r != text.end(cells[i]); ++r) {
      if (is_look_alike(*r)) letters.push_back(r->letters[0]);
    }
  };
  // What each cell of the word may stand for.
  std::array<LetterSet, kMaskedWordMax> allowed{};
  for (std::uint32_t i = begin; i < std::min(end, begin + kMaskedWordMax); ++i) {
    LetterSet& set = allowed[i - begin];
    if (masked(i)) set = ~LetterSet{0};
    for (const Reading* r = text.begin(cells[i]); r != text.end(cells[i]); ++r) {
      if (r->size == 1) set |= letter_bit(r->letters[0]);
    }
  }
  const auto fits = [&](const MaskKey& key, std::uint32_t length) {
    for (std::size_t k = 0; k < std::min<std::size_t>(key.inner.size(), length - 1); ++k) {
      if (!(allowed[k + 1] >> key.inner[k] & 1)) return false;
    }
    return true;
  };
  Letters firsts;
  Letters lasts;
  ends(begin, firsts);
  std::uint32_t letter_cells = 0;
  for (std::uint32_t i = begin; i < begin + shortest - 1 && i < end; ++i)
    letter_cells += cells[i].kind == CellKind::Letter ? 1 : 0;
  for (std::uint32_t length = shortest; length <= longest; ++length) {
    letter_cells += cells[begin + length - 1].kind == CellKind::Letter ? 1 : 0;
    if (letter_cells < 2) continue;  // "@#$%!" is no word
    LetterSet possible = 0;
    for (const char32_t first : firsts.view()) possible |= shape_ends_[length][end_bit(first)];
    if (possible == 0) continue;
    Letters right;
    bool plain_rest = true;
    for (std::uint32_t i = begin + length; i < word_end && plain_rest; ++i) {
      plain_rest = cells[i].kind == CellKind::Letter && right.size() < Letters::kMax;
      right.push_back(cells[i].plain);
    }
    if (!plain_rest) continue;
    ends(begin + length - 1, lasts);
    for (const char32_t first : firsts.view()) {
      for (const char32_t last : lasts.view()) {
        if (!(shape_ends_[length][end_bit(first)] >> end_bit(last) & 1)) continue;
        const auto it = by_shape_.find(shape(length, first, last));
        if (it == by_shape_.end()) continue;
        for (const MaskKey& key : it->second) {
          if (fits(key, length)) match_mask(text, begin, length, right.view(), key.id, hits);
        }
      }
    }
  }
}

void Matcher::match_mask(const NormalizedText& text, std::uint32_t begin, std::uint32_t length,
                         std::u32string_view right, std::uint32_t id,
                         std::vector<Hit>& hits) const {
  const std::vector<Cell>& cells = text.cells;
  const auto reads = [&](std::uint32_t i, char32_t letter) {
    return std::any_of(text.begin(cells[i]), text.end(cells[i]), [&](const Reading& r) {
      return is_look_alike(r) && r.letters[0] == letter;
    });
  };
  const auto masked = [&](std::uint32_t i) { return is_mask(cells[i].plain); };
  const Pattern& pattern = patterns_[id];
  const std::u32string& letters = pattern_letters_[id];
  std::uint32_t masks = 0;
  bool vowels = true;
  bool strong = true;
  bool x_masked = false;
  for (std::uint32_t i = 0; i < length; ++i) {
    if (reads(begin + i, letters[i])) continue;
    if (!masked(begin + i)) return;
    ++masks;
    x_masked = cells[begin + i].plain == U'x';
    vowels = vowels && is_vowel(letters[i]);
    strong = strong && is_strong_mask(cells[begin + i].plain);
  }
  const std::uint32_t known = length - masks;
  if (masks == 0 || known < 2) return;
  const bool ends_known = !masked(begin) && !masked(begin + length - 1);
  if (!(masks == 1 && vowels && (ends_known || strong)) &&
      !(strong && ends_known && (vowels || masks >= 2))) {
    return;
  }
  // x is a letter too: "texts", "sixty".
  const bool x = masks == 1 && x_masked;
  if (x && (!right.empty() || pattern.severity < 5 || (pattern.steps & kSpelling))) return;
  Steps steps = kMask | pattern.steps;
  if (!acceptable_rest(pattern, {}, right, steps)) return;
  hits.push_back({pattern.entry, begin, begin + length, steps});
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

std::vector<AllowList::Range> AllowList::find(const NormalizedText& text,
                                              const std::vector<std::uint32_t>& seams) const {
  std::vector<Range> ranges;
  const auto size = static_cast<std::uint32_t>(text.cells.size());
  std::vector<bool> at_seam(size);
  for (const std::uint32_t seam : seams) {
    if (seam < size) at_seam[seam] = true;
  }
  const auto plain = [&](std::uint32_t i) {
    const char32_t c = text.cells[i].plain;
    if (c >= U'ァ' && c <= U'ヶ') return static_cast<char32_t>(c - 0x60);
    return c == U'ё' ? U'е' : c;
  };
  for (std::uint32_t start = 0; start < size; ++start) {
    const bool unspaced = is_unspaced(text.cells[start].plain);
    if (!is_word(text.cells[start])) continue;
    if (start > 0 && is_word(text.cells[start - 1]) && !unspaced && !at_seam[start]) continue;
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
        while (*v == 1 && end < size && is_word(text.cells[end]) && !at_seam[end]) ++end;
        const bool boundary = end >= size || !is_word(text.cells[end]) || unspaced || at_seam[end];
        if (boundary) ranges.push_back({start, end});
      }
    }
  }
  return ranges;
}

}  // namespace glyphward::lexicon
