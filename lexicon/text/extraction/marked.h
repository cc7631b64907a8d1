// Texts between quotation marks, of any script (marks.tsv): runs of a mark (""x"", '''x'''),
// escaped ones (\"x\"), nested and unbalanced ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lexicon/text/extraction/tokens.h"

namespace glyphward::lexicon::extraction {

struct Marked {
  std::size_t first = 0;  // tokens, the marks among them: [first, last)
  std::size_t last = 0;
  std::uint32_t start = 0;  // bytes, without the marks and the spaces inside them
  std::uint32_t end = 0;
};

// In order, none empty, none inside another. A text that is opened and never closed goes on to the
// end. Linear.
std::vector<Marked> find_marked(const Tokens& tokens);

// Whether the sign opens or closes quotations.
bool is_quotation_mark(char32_t c);

}  // namespace glyphward::lexicon::extraction
