// What the matcher searches for and what it finds.
//
//   Entry, a line of a list -> its Patterns, one per spelling -> Hit, a run of cells that reads as
//   one of them -> Finding, what the lexicon makes of a hit (lexicon.cc)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lexicon/finding.h"
#include "lexicon/steps.h"

namespace glyphward::lexicon {

// The flags column of a lexicon file (docs/LEXICON.md).
enum Flag : std::uint32_t {
  kStem = 1u << 0,       // found inside longer words too, unless an allowed word covers it
  kPlural = 1u << 1,     // no endings but the plural's
  kExact = 1u << 2,      // no endings, no compounds
  kNoLeet = 1u << 3,     // not with digits, signs or marks on its letters
  kNoReverse = 1u << 4,  // reads as a harmless word backwards
  kNoSound = 1u << 5,    // sound-alike spellings are harmless words
  kAccent = 1u << 6,     // its marks are needed: "coño", not "cono"
  kLocal = 1u << 7,      // only where its own language is in evidence
  kName = 1u << 8,       // a name too: not beside a title, a first name or a street
  kHead = 1u << 9,       // like stem, but only a word of swearing may stand before it
  // Found as they are written and in no disguise (written/written.h):
  kLiteral = 1u << 10,  // the term and its forms are names, signs and all
  kRegex = 1u << 11,    // the forms are regular expressions, the term a name for what they match
  kForm = 1u << 12,     // the term names a kind of text: url, email ...
};
inline constexpr std::uint32_t kWritten = kLiteral | kRegex | kForm;

// No term or form may have more.
inline constexpr std::size_t kTermLettersMax = 100;

struct Entry {
  Term term;
  std::uint32_t flags = 0;
  std::vector<std::string> forms;        // other spellings that mean the term
  std::vector<std::string> harmless_in;  // languages in which the word is harmless
  std::string until = {};  // the last day on which it holds, YYYY-MM-DD; empty: always
};

// How a text is read.
enum class Scope {
  Words,   // words, spelled words, compounds
  Whole,   // whole words of four letters or more: for text read backwards
  Turned,  // the same for text read upside down, whose glyphs leave no doubt
  Joined   // several pieces in a row, from a seam to a seam, are one term
};

// A spelling of an entry, with all that is asked about it for every match: entries are too large to
// be looked at so often.
struct Pattern {
  std::uint32_t entry = 0;
  std::uint32_t letters = 0;  // without spaces
  Steps steps = 0;            // kSpelling, kInflection
  std::uint32_t flags = 0;    // the entry's
  float cost = 0;             // beside the term's own price: a form, marks stripped
  std::uint8_t severity = 0;
  std::uint8_t language = 0;  // LanguageNumber
  bool spaced = false;        // several words
  bool spelled = false;       // of one letter each
  bool stripped = false;      // of its marks
  bool numeric = false;       // digits only
  bool inside = false;        // found inside longer words too
};

// A nat for a step of severity: of overlapping hits the graver may be a little less likely, but a
// grave term is no excuse for a far-fetched reading.
inline constexpr float kEvidenceOfSeverity = 1.0f;

// A run of cells that reads as an entry.
struct Hit {
  std::uint32_t entry = 0;
  std::uint32_t begin = 0;  // cells: [begin, end)
  std::uint32_t end = 0;
  Steps steps = 0;
  // Nats by which the reading with the term is cheaper than the cheapest ordinary one.
  float evidence = 0;
  // How both readings go, for people.
  std::string reading;
  std::string ordinary;
};

}  // namespace glyphward::lexicon
