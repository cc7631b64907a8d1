// What the matcher searches for and what it finds.
//
//   Entry, a line of a list (entry.h) -> its Patterns, one per spelling -> Hit, a run of cells that
//   reads as one of them -> Finding, what the lexicon makes of a hit (lexicon.cc)
#pragma once

#include <cstdint>
#include <string>

#include "lexicon/steps.h"

namespace glyphward::lexicon {

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
