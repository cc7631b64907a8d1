// Texts that a prompt asks for without a word of writing: what is carved, painted or sewn onto a
// thing, halves of a word on two things, words of the radio alphabet, what people shout.
#pragma once

#include <cstddef>
#include <vector>

#include "lexicon/text/extraction/scene.h"

namespace glyphward::lexicon::extraction {

// "carve X into the bark", "sprühe X an die Wand", "X in die Rinde ritzen"
struct PutOn {
  Span text;  // empty if the token is no such verb, or if nothing is put on anything
  // Capitals, or one word behind a verb that letters go with; anything else may be a picture.
  bool shown = false;
};
PutOn put_on(const Scene& scene, std::size_t verb);

// "the first half is X and the second half is Y, no space"; "the first reads X, the other Y". In
// order of position, not overlapping; none of them in marks. Linear.
std::vector<Span> halves(const Scene& scene);

// "november oscar", letters put apart by their names. Linear.
std::vector<Span> radio_words(const Scene& scene);

// Where nothing in the prompt bears text, a word may still be drawn: what is put onto a thing, what
// is shouted at the prompt's end. Linear.
std::vector<Span> may_be_drawn(const Scene& scene);

}  // namespace glyphward::lexicon::extraction
