// The two readings of a finding in words, for `glyphward lexicon lookup --explain`: how the text is
// read as the term, and how as ordinary writing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lexicon/finding.h"

namespace glyphward::daemon {

// A disguise, as Finding::reading writes it: "leet(i)@1".
struct Disguise {
  std::string rule;
  std::string letter;  // what is read there; empty if the rule reads none
  std::uint32_t cell = 0;
};
// In their order; what is not of that form is left out.
std::vector<Disguise> disguises_of(std::string_view reading);

// A word of the ordinary reading, as Finding::ordinary writes it: "?d!ckhead 28.2".
struct OrdinaryWord {
  std::string word;
  std::string cost;       // nats: "28.2"
  std::string_view what;  // "a word of no list"
};
std::vector<OrdinaryWord> ordinary_words(std::string_view ordinary);

// What the text shows at each cell, by number, as far as the finding covers it; empty elsewhere,
// and as a whole where the text was read otherwise than it stands. `prompt` was analyzed, or, if
// `texts` is null, searched as one text.
std::vector<std::string> glyphs_of(const lexicon::Finding& finding, std::string_view prompt,
                                   const std::vector<lexicon::RenderedText>* texts);

// "read as", "ordinary" and "evidence" of a finding in aligned lines, each behind `indent`.
// `evidence_min`: the margin that the evidence is to reach.
std::string explanation(const lexicon::Finding& finding, const std::vector<std::string>& glyphs,
                        double evidence_min, std::string_view indent);

}  // namespace glyphward::daemon
