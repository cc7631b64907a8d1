// Extraction: which parts of a prompt the picture would show as text.
//
//   a mug that says "hello", a cat called Tom  ->  hello
//   balloons spelling out F, U, N              ->  F, U, N
//
// Quotation marks of every style count, nested and unbalanced ones too: where it is unclear whether
// something is shown, it is taken as shown. Without quotation marks, a verb of writing (or its
// noun: "with the caption X") opens a text, and the end of the clause closes it. Pure functions;
// any number of threads.
#pragma once

#include <string_view>
#include <vector>

#include "lexicon/finding.h"

namespace glyphward::lexicon {

// In order of position, not overlapping. Linear in prompt.size().
std::vector<RenderedText> extract(std::string_view prompt);

// The prompt asks that first letters be read: "an acrostic", "the initials spell".
bool asks_for_acrostic(std::string_view prompt);

}  // namespace glyphward::lexicon
