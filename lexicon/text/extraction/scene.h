// A prompt laid out for the grammar: its tokens, its quotations, its clauses, where a text without
// marks would end. All of it is found once, so that the rules may ask as often as they like.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lexicon/text/extraction/marked.h"
#include "lexicon/text/extraction/tokens.h"

namespace glyphward::lexicon::extraction {

// Tokens [first, last).
struct Span {
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t size() const { return last - first; }
};

class Scene {
 public:
  // The text must outlive the scene. Tokens in `held` (bytes, ascending) are part of no text.
  Scene(std::string_view text, const std::vector<std::pair<std::size_t, std::size_t>>& held);

  std::size_t size() const { return tokens_.list.size(); }
  const Token& operator[](std::size_t i) const { return tokens_.list[i]; }
  std::string_view key(std::size_t i) const { return tokens_.key(tokens_.list[i]); }
  std::string_view bytes(Span span) const;
  bool sign(std::size_t i, char32_t c) const { return i < size() && tokens_.list[i].sign(c); }
  bool word(std::size_t i) const { return i < size() && tokens_.list[i].kind == TokenKind::Word; }
  // A phrase of such a class begins at the token.
  bool is(std::size_t i, Classes any) const { return i < size() && tokens_.list[i].is(any); }
  // Behind the phrase that begins at the token, or behind the token; at the end there is nothing.
  std::size_t behind(std::size_t i) const {
    return i < size() ? i + std::max<std::size_t>(1, tokens_.list[i].length) : i;
  }
  // Some phrase of the class is in [span), outside the quotations.
  bool holds(Span span, Classes any) const;

  const std::vector<Marked>& marked() const { return marked_; }
  // The quotation that holds the token.
  std::optional<std::size_t> quotation(std::size_t i) const;
  // A quotation begins in the span.
  bool quoted(Span span) const;
  // Part of a quotation, of JSON or of a text found before.
  bool covered(std::size_t i) const { return i < size() && cover_[i] != kFree; }
  void cover(Span span);

  // A comma, the end of a sentence or of a line.
  bool breaks(std::size_t i) const;
  Span clause(std::size_t i) const { return {clause_first_[i], clause_last_[i]}; }

  // Where a text without marks that begins at the token ends: with its clause, where words lead
  // back to the scene, or where capitals do.
  std::size_t text_end(std::size_t first) const;
  // Capitals from the token on: BEST DAD, ROUTE 66. Empty if it is none.
  std::size_t capitals_end(std::size_t first) const;
  // Three letters or more, each by itself, that begin at the token or run through it.
  std::optional<Span> chain(std::size_t i) const;
  const std::vector<Span>& chains() const { return chains_; }

 private:
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kQuotation = 2;  // and its number

  void lay_out_clauses();
  void lay_out_ends();
  void find_chains();
  bool joins(std::size_t from, std::size_t to) const;
  bool ends_at(std::size_t i) const;
  bool letters_follow(std::size_t i) const;
  bool lone_letter(std::size_t i) const;

  std::string_view text_;
  Tokens tokens_;
  std::vector<Marked> marked_;
  std::vector<std::uint32_t> cover_;         // of each token: kFree, kHeld or kQuotation + number
  std::vector<std::uint32_t> clause_first_;  // of each token, where its clause begins ...
  std::vector<std::uint32_t> clause_last_;   // ... and ends
  std::vector<std::uint32_t> next_end_;      // the first token from here on that ends a text
  std::vector<std::uint32_t> bracket_end_;   // where the bracket around the token closes
  std::vector<std::uint32_t> chain_of_;      // of each token: 0, or 1 + the number of its chain
  std::vector<Span> chains_;
};

}  // namespace glyphward::lexicon::extraction
