// The matcher against all readings of a short text (tests/lexicon/matching/oracle.h).
//
// - Soundness: what the matcher finds can be read so by the rules that it names, and its evidence
//   is no more than the best of these readings has.
// - Completeness: where a reading by few rules has evidence above the margin by kTolerance, the
//   matcher finds its entry there, or something with no less evidence.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lexicon/matching/matcher.h"
#include "tests/lexicon/matching/oracle.h"

namespace {

using namespace glyphward::lexicon;

constexpr std::size_t kCellsMax = 24;
constexpr float kRounding = 0.01f;  // sums of floats, in another order
// Of the readings that come to the same place of a term at the same cell, Search follows the
// cheapest, though a dearer one, disguised less, may have less to pay where the term ends: up to 12
// nats for a slip within a longer word (soft_inside and slip_and_rest). Of those at a cell it
// follows the ten cheapest.
constexpr float kTolerance = 12;
// Each further kind of disguise makes more readings that are nearly as cheap: so many kinds it must
// see through.
constexpr std::uint32_t kKindsMax = 3;

Entry entry(const char* term, int severity, const char* language, std::uint32_t flags = 0,
            std::vector<std::string> forms = {}, std::vector<std::string> harmless_in = {}) {
  Entry result;
  result.term = {term, "insult", severity, language};
  result.flags = flags;
  result.forms = std::move(forms);
  result.harmless_in = std::move(harmless_in);
  return result;
}

// Mild words, with every flag.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> list = {
      entry("darnit", 3, "en"),
      entry("heck", 5, "en", kPlural),
      entry("moron", 3, "en", kStem),
      entry("nitwit", 2, "en", 0, {"knitwhit"}),
      entry("twerp", 5, "en", kHead),
      entry("silly", 2, "en", kNoSound),
      entry("doofe", 3, "en", kNoLeet),
      entry("fie", 3, "en", kExact),
      entry("pooh bah", 4, "en"),
      entry("big oaf", 2, "en", kName),
      entry("zzz", 3, "und"),
      entry("4815", 3, "und"),
      entry("ñoño", 3, "es", kAccent | kLocal),
      entry("bobo", 3, "es", kNoReverse, {}, {"en"}),
      entry("dussel", 3, "de", kPlural),
      entry("дурак", 5, "ru"),
      entry("ばか", 5, "ja"),
      entry("バカ者", 3, "ja"),
      entry("rascal", 1, "en"),
  };
  return list;
}

// Printable ASCII stands for itself, the other bytes for these.
std::string text_of(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string_view> kPieces = {
      "darnit", "heck", "moron", "nitwit",  "twerp", "silly",  "doofe",  "fie",    "pooh", "bah",
      "big",    "oaf",  "zzz",   "4815",    "ñoño",  "bobo",   "dussel", "дурак",  "ばか", "者",
      "the",    "sign", "hello", "welcome", "open",  "shop",   "is",     "el",     "der",  "не",
      "ing",    "s",    "ed",    "head",    "mega",  "er",     "'s",     "un",     "ph",   "ck",
      "а",      "е",    "о",     "с",       "к",     "і",      "ё",      "д",      "у",    "р",
      "é",      "ñ",    "ó",     "ï",       "ş",     "\u0301", "\u200b", "\u0336", "ｄ",   "ａ",
      "ｏ",     "𝐡",    "ⓔ",     "🅲",       "🇰",     "ｒ",     "ﬁ",      "ß",      "ı",    "ø",
      "—",      "•",    "★",     "’",       "…",     "●",      "\n",     "\t",     "│",    "·",
      "バ",     "カ",   "か",    "ば",      "の",    "人",     "한",     "ท",      "|-|",  "()",
      "|_|",    "|)",   "|=",    "/\\",     "|3",    "****",   "***",    "ee",     "ooo",  "ttt"};
  std::string text;
  for (std::size_t i = 0; i < size && text.size() < 200; ++i) {
    if (data[i] >= 0x20 && data[i] < 0x7F) {
      text.push_back(static_cast<char>(data[i]));
    } else {
      text += kPieces[(data[i] < 0x20 ? data[i] : data[i] - 0x5Fu) % kPieces.size()];
    }
  }
  return text;
}

[[noreturn]] void fail(const char* what, const std::string& text, const std::vector<Hit>& hits,
                       const Oracle::Reading* reading) {
  std::fprintf(stderr, "%s: \"%s\"\n", what, text.c_str());
  for (const Hit& hit : hits)
    std::fprintf(stderr, "  hit %s [%u, %u) steps %x evidence %.3f: %s; ordinary %s\n",
                 entries()[hit.entry].term.term.c_str(), hit.begin, hit.end, hit.steps,
                 hit.evidence, hit.reading.c_str(), hit.ordinary.c_str());
  if (reading != nullptr)
    std::fprintf(stderr, "  reading [%u, %u) steps %x evidence %.3f: %s\n", reading->begin,
                 reading->end, reading->steps, reading->evidence, reading->spelled.c_str());
  std::abort();
}

void compare(const std::string& text, const NormalizedText& normalized, Scope scope) {
  static const Matcher matcher(entries(), {"welcome to heck", "fief*"});
  static const Oracle oracle(entries());
  std::vector<Hit> hits;
  matcher.find(normalized, scope, hits);
  const Innocence innocence = matcher.innocence(normalized);
  std::vector<Oracle::Reading> readings;
  if (!oracle.read(normalized, innocence, scope, matcher.least() - kRounding, readings)) return;
  for (const Hit& hit : hits) {
    const Oracle::Reading* best = nullptr;
    for (const Oracle::Reading& reading : readings) {
      if (reading.entry == hit.entry && reading.begin == hit.begin && reading.end == hit.end &&
          reading.steps == hit.steps && (best == nullptr || best->evidence < reading.evidence))
        best = &reading;
    }
    if (best == nullptr) fail("no such reading", text, {hit}, nullptr);
    if (hit.evidence > best->evidence + kRounding) fail("too much evidence", text, {hit}, best);
  }
  for (const Oracle::Reading& reading : readings) {
    if (!reading.followed || reading.evidence < matcher.least() + kTolerance ||
        count_bits(reading.rules) > kKindsMax)
      continue;
    bool found = false;
    for (const AllowList::Range& range : innocence.allowed())
      found =
          found || (reading.rules == 0 && range.begin <= reading.begin && reading.end <= range.end);
    for (const Hit& hit : hits)
      found = found || (hit.begin < reading.end && reading.begin < hit.end &&
                        (hit.entry == reading.entry || hit.evidence >= reading.evidence));
    if (!found) fail("not found", text, hits, &reading);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text = text_of(data, size);
  NormalizedText normalized = normalize(text);
  if (normalized.cells.size() > kCellsMax) {
    text.resize(normalized.cells[kCellsMax].start);
    normalized = normalize(text);
  }
  compare(text, normalized, Scope::Words);
  compare(text, reverse(normalized), Scope::Whole);
  return 0;
}
