// Words that a prompt describes instead of writing them: "shirt, without the letter r", "duck with
// an F instead of the D", "a word that begins with F and rhymes with luck", "the C-word". Which
// words say so is a table, instructions.tsv. Any number of threads.
#pragma once

#include <string_view>
#include <vector>

#include "lexicon/finding.h"
#include "lexicon/text/codes.h"

namespace glyphward::lexicon {

// The words that come out, with the bytes of the prompt that they are made of. `shown`: the texts
// that the prompt has drawn; nothing that stands in them is an instruction. Linear in
// prompt.size().
std::vector<DecodedRun> follow_instructions(std::string_view prompt,
                                            const std::vector<RenderedText>& shown);

}  // namespace glyphward::lexicon
