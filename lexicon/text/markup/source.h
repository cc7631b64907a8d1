// The prompt as the engine reads it: entities, percent signs and the syntax of weights resolved,
// and for each byte the bytes of the prompt that it was made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexicon/finding.h"

namespace glyphward::lexicon::extraction {

using Origin = std::pair<std::uint32_t, std::uint32_t>;  // bytes of the prompt: [first, second)

// A text made of a prompt's bytes. Origins ascend.
class Source {
 public:
  // Without origins every byte stands for itself.
  explicit Source(std::string text, std::vector<Origin> origins = {})
      : text_(std::move(text)), origins_(std::move(origins)) {}

  const std::string& text() const { return text_; }
  // Whether every byte stands for itself.
  bool plain() const { return origins_.empty(); }
  std::size_t start(std::size_t at) const;  // where byte `at` comes from
  std::size_t end(std::size_t at) const;    // where what is before byte `at` ends
  std::vector<Origin> origins(std::size_t start, std::size_t end) const;

  // [start, end) of another source by itself.
  Source part(std::size_t start, std::size_t end) const;

  // Puts a new source together from pieces of `from`, in order.
  class Builder;

 private:
  std::string text_;
  std::vector<Origin> origins_;  // of each byte; empty if plain and from the prompt's first byte on
};

class Source::Builder {
 public:
  explicit Builder(const Source& from) : from_(from) {}
  // Bytes [start, end) of `from` as they are.
  void keep(std::size_t start, std::size_t end);
  // `text` in the place of bytes [start, end).
  void replace(std::size_t start, std::size_t end, std::string_view text);
  Source build() &&;

 private:
  const Source& from_;
  Source made_{std::string()};
};

// Character entities (&quot; &#39; &uuml;) become what they name. A prompt without a space that
// has percent signs is a piece of a URL.
Source decode_markup(const Source& source);

// What the engine makes of its own syntax; plain prompts stay. Alternatives are left as
// {first|second}.
Source resolve_syntax(const Source& source, Syntax syntax);

}  // namespace glyphward::lexicon::extraction
