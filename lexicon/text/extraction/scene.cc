#include "lexicon/text/extraction/scene.h"

#include <algorithm>

namespace glyphward::lexicon::extraction {
namespace {

bool one_of(char32_t c, std::u32string_view all) { return all.find(c) != all.npos; }

constexpr std::size_t kJoinMax = 6;   // tokens between two letters of a chain
constexpr std::size_t kChainMin = 3;  // letters
constexpr std::size_t kFontMax = 5;   // tokens from "in" to "letters"

}  // namespace

Scene::Scene(std::string_view text, const std::vector<std::pair<std::size_t, std::size_t>>& held)
    : text_(text), tokens_(tokenize(text)) {
  find_phrases(tokens_);
  cover_.assign(size() + 1, kFree);
  auto range = held.begin();
  for (std::size_t i = 0; i < size(); ++i) {
    while (range != held.end() && range->second <= tokens_.list[i].start) ++range;
    if (range == held.end() || tokens_.list[i].start < range->first) continue;
    cover_[i] = kHeld;
    // No quotation runs into what is held.
    tokens_.list[i].kind = TokenKind::Line;
    tokens_.list[i].classes = 0;
  }
  marked_ = find_marked(tokens_);
  for (std::size_t k = 0; k < marked_.size(); ++k) {
    for (std::size_t i = marked_[k].first; i < marked_[k].last; ++i) {
      if (cover_[i] == kFree) cover_[i] = kQuotation + static_cast<std::uint32_t>(k);
    }
  }
  find_chains();
  lay_out_clauses();
  lay_out_ends();
}

std::string_view Scene::bytes(Span span) const {
  const std::uint32_t start = tokens_.list[span.first].start;
  return text_.substr(start, tokens_.list[span.last - 1].end - start);
}

bool Scene::holds(Span span, Classes any) const {
  for (std::size_t i = span.first; i < std::min(span.last, size()); ++i) {
    if (!covered(i) && is(i, any)) return true;
  }
  return false;
}

std::optional<std::size_t> Scene::quotation(std::size_t i) const {
  if (i >= size() || cover_[i] < kQuotation) return std::nullopt;
  return cover_[i] - kQuotation;
}

bool Scene::quoted(Span span) const {
  const auto next = std::lower_bound(
      marked_.begin(), marked_.end(), span.first,
      [](const Marked& marked, std::size_t first) { return marked.first < first; });
  return next != marked_.end() && next->first < span.last;
}

void Scene::cover(Span span) {
  for (std::size_t i = span.first; i < span.last; ++i) {
    if (cover_[i] == kFree) cover_[i] = kHeld;
  }
}

bool Scene::breaks(std::size_t i) const {
  const Token& token = tokens_.list[i];
  if (token.kind == TokenKind::Line) return true;
  if (token.kind != TokenKind::Sign) return false;
  if (one_of(token.first, U"，。；、！？،؛؟।；")) return true;
  if (!one_of(token.first, U",;.!?")) return false;
  const bool last = i + 1 == size();
  if (last || tokens_.list[i + 1].spaced || tokens_.list[i + 1].kind == TokenKind::Line) {
    // "F. U. N", "No. 7", "Mr. Fox": not every full stop ends a sentence.
    const bool goes_on = token.first == U'.' && !token.spaced && !last && i > 0 &&
                         (lone_letter(i - 1) || is(i - 1, kShort) || tokens_.list[i + 1].digit);
    return !goes_on;
  }
  return false;
}

bool Scene::lone_letter(std::size_t i) const {
  const Token& token = tokens_.list[i];
  if (!token.letter) return false;
  const auto apostrophe = [&](std::size_t at) {
    return at < size() && tokens_.list[at].apostrophe && one_of(tokens_.list[at].first, U"'’＇´");
  };
  return !apostrophe(i + 1) && !(i > 0 && apostrophe(i - 1));
}

// ----- clauses -----

void Scene::lay_out_clauses() {
  clause_first_.assign(size() + 1, 0);
  clause_last_.assign(size() + 1, static_cast<std::uint32_t>(size()));
  std::uint32_t first = 0;
  const auto end_clause = [&](std::size_t last) {
    for (std::size_t i = first; i < last; ++i) clause_last_[i] = static_cast<std::uint32_t>(last);
  };
  for (std::size_t i = 0; i < size(); ++i) {
    clause_first_[i] = first;
    const bool inside = quotation(i).has_value() || chain_of_[i] != 0;
    if (inside || !breaks(i)) continue;
    end_clause(i + 1);
    first = static_cast<std::uint32_t>(i + 1);
  }
  end_clause(size());
  clause_first_[size()] = first;
}

// ----- where texts end -----

// What ends a text without marks wherever it began.
bool Scene::ends_at(std::size_t i) const {
  if (covered(i)) return true;
  if (chain_of_[i] != 0) return false;
  const Token& token = tokens_.list[i];
  if (token.kind == TokenKind::Sign) {
    if (breaks(i)) return true;
    if (is_quotation_mark(token.first) && !token.apostrophe && !one_of(token.first, U"'’"))
      return true;
    const bool more = i + 1 < size();
    if (token.first == U':' && more) {
      // A weight: ":1.2", "::2"
      return tokens_.list[i + 1].first == U':' ||
             (tokens_.list[i + 1].digit && (token.spaced || !tokens_.list[i + 1].spaced) && i > 0 &&
              !tokens_.list[i - 1].digit);
    }
    // A flag of the engine: " --ar 16:9"; a tag: " <lora:"
    const bool flag = token.first == U'-' && token.spaced && sign(i + 1, U'-') && word(i + 2) &&
                      !tokens_.list[i + 2].spaced;
    return flag || (token.first == U'<' && token.spaced && more && word(i + 1));
  }
  // "I am made of sugar" goes on: a finite verb stands before.
  if (is(i, kScene)) return i == 0 || !is(i - 1, kBe);
  const std::size_t next = behind(i);
  // "AND a dog", "BREAK a dog": prompts that are drawn one over or after the other.
  if (token.capitals && (key(i) == "and" || key(i) == "break") && i > 0 && word(i - 1) &&
      !tokens_.list[i - 1].capitals && word(i + 1) && !tokens_.list[i + 1].capitals)
    return true;
  if (is(i, kOnIt)) return true;
  if (is(i, kWritten | kPen)) return is(next, kPlace | kOnIt) || next == size() || breaks(next);
  return (token.own & kPlace) != 0 && (is(i + 1, kArticle) || letters_follow(i));
}

// "in small gold letters"
bool Scene::letters_follow(std::size_t i) const {
  for (std::size_t at = i + 1; at < std::min(size(), i + kFontMax) && word(at); ++at) {
    if ((tokens_.list[at].own & kFont) != 0) return true;
  }
  return false;
}

void Scene::lay_out_ends() {
  next_end_.assign(size() + 2, static_cast<std::uint32_t>(size()));
  for (std::size_t i = size(); i-- > 0;)
    next_end_[i] = ends_at(i) ? static_cast<std::uint32_t>(i) : next_end_[i + 1];
  bracket_end_.assign(size() + 1, static_cast<std::uint32_t>(size()));
  std::vector<std::uint32_t> closing;  // of the brackets open, from the text's end on
  for (std::size_t i = size(); i-- > 0;) {
    const Token& token = tokens_.list[i];
    const bool sign = token.kind == TokenKind::Sign && !quotation(i);
    if (sign && one_of(token.first, U")]}）］｝")) closing.push_back(static_cast<std::uint32_t>(i));
    bracket_end_[i] = closing.empty() ? static_cast<std::uint32_t>(size()) : closing.back();
    if (sign && one_of(token.first, U"([{（［｛") && !closing.empty()) closing.pop_back();
  }
}

std::size_t Scene::text_end(std::size_t first) const {
  if (const std::optional<Span> letters = chain(first); letters && letters->first == first) {
    const std::size_t end = letters->last;
    if (end >= size() || ends_at(end) || tokens_.list[end].kind != TokenKind::Word) return end;
    return std::max<std::size_t>(end, next_end_[end]);
  }
  const std::size_t end =
      std::min<std::size_t>(next_end_[std::min(first + 1, size())], bracket_end_[first]);
  const std::size_t capitals = capitals_end(first);
  // Behind capitals small words are the scene's: "STOP in red".
  if (capitals > first && capitals < end && is(capitals, kPlace | kLink | kScene | kStop | kBe))
    return capitals;
  // The mark of a shout is part of the text, and so is the last point of "J.D.".
  const bool initials =
      end > first + 1 && sign(end, U'.') && sign(end - 2, U'.') && lone_letter(end - 1);
  if (initials) return end + 1;
  if (end < size() && end > first && !tokens_.list[end].spaced &&
      one_of(tokens_.list[end].first, U"!?！？"))
    return end + 1;
  return end;
}

std::size_t Scene::capitals_end(std::size_t first) const {
  if (first >= size() || covered(first) || !tokens_.list[first].capitals) return first;
  std::size_t end = first + 1;
  for (std::size_t i = end; i < size() && !covered(i);) {
    const Token& token = tokens_.list[i];
    const bool lone = token.letter && token.title;
    if (token.capitals || token.digit || lone) {
      end = ++i;
    } else if (token.kind == TokenKind::Sign && one_of(token.first, U"&'’!?-/.+–@%$€£*")) {
      if (one_of(token.first, U"!?%") && !token.spaced) end = i + 1;
      ++i;
      if (i < size() && breaks(i - 1) && !one_of(token.first, U"!?.")) return end;
    } else {
      break;
    }
  }
  return end;
}

// ----- letters put apart -----

// What stands between two letters of a chain: signs, ends of line and words as "then", "letter".
bool Scene::joins(std::size_t from, std::size_t to) const {
  for (std::size_t i = from; i < to;) {
    if (covered(i)) return false;
    if (tokens_.list[i].kind == TokenKind::Word && !is(i, kJoin)) return false;
    i = tokens_.list[i].kind == TokenKind::Word ? behind(i) : i + 1;
  }
  return true;
}

void Scene::find_chains() {
  chain_of_.assign(size() + 1, 0);
  Span chain;
  std::size_t letters = 0;
  const auto finish = [&] {
    if (letters >= kChainMin) {
      chains_.push_back(chain);
      for (std::size_t i = chain.first; i < chain.last; ++i)
        chain_of_[i] = static_cast<std::uint32_t>(chains_.size());
    }
    letters = 0;
  };
  for (std::size_t i = 0; i < size(); ++i) {
    if (covered(i) || !lone_letter(i)) continue;
    const bool goes_on = letters > 0 && i - chain.last <= kJoinMax && joins(chain.last, i);
    if (!goes_on) {
      finish();
      chain.first = i;
    }
    ++letters;
    chain.last = i + 1;
  }
  finish();
}

std::optional<Span> Scene::chain(std::size_t i) const {
  if (i >= size() || chain_of_[i] == 0) return std::nullopt;
  return chains_[chain_of_[i] - 1];
}

}  // namespace glyphward::lexicon::extraction
