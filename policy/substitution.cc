#include "policy/substitution.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <optional>

#include "base/sha256.h"
#include "base/utf8.h"

namespace glyphward::policy {
namespace {

// What belongs to a word: letters, digits, and the marks and invisible code points that cling to
// them.
bool in_word(UChar32 c) {
  if (c < 0) return false;
  return u_isalnum(c) || u_getCombiningClass(c) != 0 ||
         u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

// Widening stops where no spaces part the words: there it would swallow the whole sentence.
bool spaced_script(UChar32 c) {
  return !u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) && !(c >= 0x3040 && c <= 0x30FF) &&
         !(c >= 0xAC00 && c <= 0xD7A3);
}

bool has_step(const lexicon::Finding& finding, std::string_view step) {
  return std::find(finding.steps.begin(), finding.steps.end(), step) != finding.steps.end();
}

std::vector<Range> ranges_of(std::string_view prompt, const lexicon::Finding& finding) {
  if (finding.pieces.empty()) {
    // Of an acrostic its first line's word is enough: one line less, and the first letters spell
    // nothing.
    const std::size_t end = has_step(finding, "acrostic") ? finding.start : finding.end;
    return {whole_word(prompt, {finding.start, end})};
  }
  std::vector<Range> ranges;
  for (const auto& [start, end] : finding.pieces) ranges.push_back({start, end});
  return ranges;
}

}  // namespace

std::string like_case(std::string_view word, std::string_view model) {
  std::size_t upper = 0;
  std::size_t lower = 0;
  bool first_upper = false;
  for_each_character(model, [&](std::optional<char32_t> character, std::string_view /*bytes*/) {
    const auto c = static_cast<UChar32>(character.value_or(0));
    if (!u_isalpha(c)) return;
    const bool is_upper = u_isupper(c) || u_istitle(c);
    if (upper + lower == 0) first_upper = is_upper;
    ++(is_upper ? upper : lower);
  });
  std::string result(word);
  const auto raise = [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  };
  if (upper > 1 && upper > lower) {
    std::transform(result.begin(), result.end(), result.begin(), raise);
  } else if (first_upper && !result.empty()) {
    result[0] = raise(result[0]);
  }
  return result;
}

std::size_t count_letters(std::string_view text) {
  std::size_t count = 0;
  for_each_character(text, [&](std::optional<char32_t> character, std::string_view /*bytes*/) {
    const auto c = static_cast<UChar32>(character.value_or(0));
    if (u_isalnum(c) && u_getCombiningClass(c) == 0) ++count;
  });
  return count;
}

Range whole_word(std::string_view prompt, Range range) {
  while (range.start > 0) {
    // Backward, which base/utf8.h does not go. U8_PREV takes 32 bits; a prompt is far shorter.
    auto start = static_cast<std::int32_t>(range.start);
    UChar32 c = 0;
    U8_PREV(reinterpret_cast<const std::uint8_t*>(prompt.data()), 0, start, c);
    if (!in_word(c) || !spaced_script(c)) break;
    range.start = static_cast<std::size_t>(start);
  }
  while (range.end < prompt.size()) {
    std::size_t end = range.end;
    const std::optional<char32_t> character = next_character(prompt, end);
    if (!character) break;
    const auto c = static_cast<UChar32>(*character);
    if (!in_word(c) || !spaced_script(c)) break;
    range.end = end;
  }
  return range;
}

std::string apply_substitutions(std::string_view prompt,
                                const std::vector<Substitution>& substitutions) {
  std::string result;
  std::size_t at = 0;
  for (const Substitution& substitution : substitutions) {
    result.append(prompt.substr(at, substitution.start - at));
    result.append(substitution.to);
    at = substitution.end;
  }
  result.append(prompt.substr(at));
  return result;
}

void Substituter::add_words(const lexicon::Finding& finding, const SubstitutionRules& rules) {
  std::size_t piece = 0;
  for (const Range range : ranges_of(prompt_, finding)) {
    const std::string_view from = prompt_.substr(range.start, range.end - range.start);
    add(range, substitute_for(finding, rules, from, piece++));
  }
}

void Substituter::add_texts(const std::vector<lexicon::RenderedText>& rendered,
                            const lexicon::Finding& finding, const SubstitutionRules& rules) {
  bool found = false;
  for (const lexicon::RenderedText& text : rendered) {
    if (text.end <= finding.start || text.start >= finding.end) continue;
    found = true;
    add({text.start, text.end}, substitute_for(finding, rules, text.text, substitutions_.size()));
  }
  if (!found) add_words(finding, rules);
}

std::vector<Substitution> Substituter::finish() const {
  std::vector<Substitution> sorted = substitutions_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Substitution& a, const Substitution& b) {
    return a.start != b.start ? a.start < b.start : a.end > b.end;
  });
  std::vector<Substitution> result;
  for (Substitution& next : sorted) {
    if (!result.empty() && next.start < result.back().end) {
      result.back().end = std::max(result.back().end, next.end);
    } else {
      result.push_back(std::move(next));
    }
  }
  for (Substitution& one : result) one.from = prompt_.substr(one.start, one.end - one.start);
  return result;
}

void Substituter::add(Range range, std::string substitute) {
  substitutions_.push_back({range.start, range.end, {}, std::move(substitute)});
}

std::string Substituter::substitute_for(const lexicon::Finding& finding,
                                        const SubstitutionRules& rules, std::string_view from,
                                        std::size_t piece) const {
  std::string word;
  switch (rules.strategy) {
    case Strategy::Harmless:
      break;
    case Strategy::Fixed:
      word = rules.word;
      break;
    case Strategy::Category: {
      const auto it = rules.category.find(finding.category);
      word = it != rules.category.end() ? it->second : rules.word;
      break;
    }
  }
  if (word.empty()) {
    // Seeded by the term, so that a term becomes the same word wherever the prompt has it.
    const std::string seed =
        to_hex(sha256_of_chunks({revision_, prompt_, finding.term, std::to_string(piece)}));
    word = words_->pick(count_letters(from), seed);
  }
  return like_case(word, from);
}

}  // namespace glyphward::policy
