// JSON in a prompt: captions that are one object, objects amid words. Read leniently, as people
// write them: keys without quotation marks, ' for ", a comma too many.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "lexicon/text/markup/source.h"

namespace glyphward::lexicon::extraction {

// A string that is a value, without its quotation marks.
struct JsonValue {
  Source text;         // escapes resolved
  bool shown = false;  // its key says that it is text to be drawn; otherwise a prompt by itself
};

struct JsonBlock {
  std::size_t start = 0;  // bytes, with the braces: [start, end)
  std::size_t end = 0;
  std::vector<JsonValue> values;  // in order
};

// In order, not overlapping. Linear.
std::vector<JsonBlock> find_json(const Source& source);

}  // namespace glyphward::lexicon::extraction
