#include "lexicon/words/word_table.h"

// The image of compile_words, put there by words_image.S.
extern "C" const char glyphward_words_image[];
extern "C" const char glyphward_words_image_end[];

namespace glyphward::lexicon {

const WordTable& WordTable::shipped() {
  static const WordTable table(std::string_view(
      glyphward_words_image,
      static_cast<std::size_t>(glyphward_words_image_end - glyphward_words_image)));
  return table;
}

}  // namespace glyphward::lexicon
