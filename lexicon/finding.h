// What the lexicon says of a prompt: plain values, for all who work with findings.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexicon/categories.h"

namespace glyphward::lexicon {

// One line of a lexicon file.
struct Term {
  std::string term;       // canonical form, NFC, lower case: "asshole"
  std::string category;   // one of kCategories, or one of the operator's own
  int severity = 0;       // 0 to kSeverityMax
  std::string language;   // BCP 47: "en"; "und" for any
  std::string list = {};  // the name of the file that has it, without its folder
};

// How the prompt is written: what its brackets, weights and braces mean to the engine that draws
// it.
enum class Syntax : std::uint8_t { Plain, A1111, ComfyUi, Json };
struct NamedSyntax {
  Syntax syntax;
  std::string_view name;
};
inline constexpr std::array kSyntaxes = {
    NamedSyntax{Syntax::Plain, "plain"}, NamedSyntax{Syntax::A1111, "a1111"},
    NamedSyntax{Syntax::ComfyUi, "comfyui"}, NamedSyntax{Syntax::Json, "json"}};
inline std::vector<std::string> syntax_names() {
  std::vector<std::string> names;
  names.reserve(kSyntaxes.size());
  for (const NamedSyntax& named : kSyntaxes) names.emplace_back(named.name);
  return names;
}

// How sure it is that the picture shows a text.
enum class Certainty : std::uint8_t {
  Described,  // marked, but said about the picture: a «retro» car
  Likely,     // no marks, or no word of writing beside them
  Surely,     // marked, and asked for
};
inline constexpr std::array<std::string_view, 3> kCertainties = {"described", "likely", "surely"};
inline std::string_view name_of(Certainty certainty) {
  return kCertainties[static_cast<std::size_t>(certainty)];
}

// A text that the picture would show.
struct RenderedText {
  std::string text;       // as it is drawn: without the marks around it, escapes resolved
  std::size_t start = 0;  // byte offsets into the prompt: [start, end)
  std::size_t end = 0;
  // Between quotation marks; otherwise after a verb of writing ("that says X").
  bool quoted = false;
  Certainty certainty = Certainty::Likely;
  // Where `text` is not the prompt's own bytes: for each of its bytes those of the prompt that it
  // was made of, [first, second), ascending. Empty otherwise.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> origins = {};
};

// The margin: from this evidence on a reading with a term counts, in nats, unless whoever loads the
// lexicon says otherwise.
inline constexpr float kEvidenceMin = 4.0f;

// The evidence of what is found as it is written (a name, a regular expression, a form): no doubt.
inline constexpr double kEvidenceWritten = 50;

// A term found. Offsets are bytes into the prompt as the user sent it, whatever normalization did
// in between.
struct Finding {
  std::string term;  // canonical form, as the lexicon has it
  std::string category;
  int severity = 0;
  std::string language;
  std::size_t start = 0;  // [start, end): the smallest run of the prompt that holds the whole match
  std::size_t end = 0;
  std::string matched;    // prompt.substr(start, end - start)
  bool rendered = false;  // in the text to be rendered; otherwise elsewhere in the prompt
  // The normalizations that led from matched to term: {"confusables", "leet"}.
  std::vector<std::string> steps;
  // If the term was put together from several quotes or lines: the bytes of each, [first, second).
  // Empty otherwise.
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
  // Of the text that holds it; Likely where it counts as drawn only because nothing proves that it
  // is description; Described where it is not rendered.
  Certainty certainty = Certainty::Surely;
  std::string list = {};  // the term's
  // Nats by which the reading with the term is likelier than the likeliest ordinary one: at least
  // the lexicon's margin.
  double evidence = 0;
  // How it is read as the term: "leet(i)@1", rule, letter and cell of each disguise. Empty if there
  // is none, and for all but the first findings of a text.
  std::string reading = {};
  // The likeliest ordinary reading and what each word costs: "?d!ckhead 28.2". Empty for what is
  // found as it is written.
  std::string ordinary = {};

  // Does it flag its prompt?
  bool flags() const { return rendered && severity >= kFlaggedSeverityMin; }

  // The evidence for people, in full tenths: never more than there is.
  double shown_evidence() const { return std::floor(evidence * 10) / 10; }
};

// What analyze() found in a prompt.
struct Analysis {
  // In order of position; empty if the prompt asks for no text. None is only described.
  std::vector<RenderedText> rendered;
  // In order of position; overlapping findings: the most severe, then the longest.
  std::vector<Finding> findings;
};

}  // namespace glyphward::lexicon
