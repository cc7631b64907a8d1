#include "policy/substitution.h"

#include <unicode/uchar.h>

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

// The word that the rules name for the category; empty if they name none.
std::string named_word(const SubstitutionRules& rules, const std::string& category) {
  switch (rules.strategy) {
    case Strategy::Harmless:
      break;
    case Strategy::Fixed:
      return rules.word;
    case Strategy::Category: {
      const auto it = rules.category.find(category);
      return it != rules.category.end() ? it->second : rules.word;
    }
  }
  return {};
}

bool has_step(const lexicon::Finding& finding, std::string_view step) {
  return std::find(finding.steps.begin(), finding.steps.end(), step) != finding.steps.end();
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

WordForm form_of(std::string_view text, std::string_view term) {
  std::string word;
  for (const char c : text) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  // What was disguised, or is another word than the term, says nothing by its ending.
  const std::size_t stem =
      term.size() > 1 && (term.back() == 'e' || term.back() == 'y') ? term.size() - 1 : term.size();
  if (word.size() <= stem || word == term || !word.starts_with(term.substr(0, stem)))
    return WordForm::Base;
  if (word.ends_with("ing") || word.ends_with("in'")) return WordForm::Participle;
  return word.ends_with('s') && !term.ends_with('s') ? WordForm::Plural : WordForm::Base;
}

std::size_t count_letters(std::string_view text) {
  std::size_t count = 0;
  for_each_character(text, [&](std::optional<char32_t> character, std::string_view /*bytes*/) {
    const auto c = static_cast<UChar32>(character.value_or(0));
    if (u_isalnum(c) && u_getCombiningClass(c) == 0) ++count;
  });
  return count;
}

WordRuns::WordRuns(std::string_view prompt) {
  std::size_t at = 0;
  for_each_character(prompt, [&](std::optional<char32_t> character, std::string_view bytes) {
    const auto c = static_cast<UChar32>(character.value_or(0));
    if (character && in_word(c) && spaced_script(c)) {
      if (runs_.empty() || runs_.back().end != at) runs_.push_back({at, at});
      runs_.back().end += bytes.size();
    }
    at += bytes.size();
  });
}

Range WordRuns::widened(Range range) const {
  const auto run_that_reaches = [&](std::size_t at) {
    return std::partition_point(runs_.begin(), runs_.end(),
                                [&](const Range& run) { return run.end < at; });
  };
  const auto first = run_that_reaches(range.start);
  const auto last = run_that_reaches(range.end + 1);
  if (first != runs_.end() && first->start < range.start) range.start = first->start;
  if (last != runs_.end() && last->start <= range.end) range.end = last->end;
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

Substituter::Substituter(std::string_view prompt, std::string_view revision, const WordList* words,
                         int attempt)
    : prompt_(prompt), words_(words) {
  seed_ = to_hex(sha256_of_chunks({revision, prompt, attempt > 0 ? std::to_string(attempt) : ""}));
}

void Substituter::add_words(const lexicon::Finding& finding, const SubstitutionRules& rules,
                            const WordList* pool) {
  if (finding.pieces.empty()) {
    // Of an acrostic its first line's word is enough: one line less, and the first letters spell
    // nothing.
    const std::size_t end = has_step(finding, "acrostic") ? finding.start : finding.end;
    add({finding.start, end}, true, finding, rules, 0, pool);
  }
  for (std::size_t i = 0; i < finding.pieces.size(); ++i)
    add({finding.pieces[i].first, finding.pieces[i].second}, false, finding, rules, i, pool);
}

void Substituter::add_texts(const std::vector<lexicon::RenderedText>& rendered,
                            const lexicon::Finding& finding, const SubstitutionRules& rules,
                            const WordList* pool) {
  auto text = std::partition_point(
      rendered.begin(), rendered.end(),
      [&](const lexicon::RenderedText& other) { return other.end <= finding.start; });
  if (text == rendered.end() || text->start >= finding.end) return add_words(finding, rules, pool);
  for (; text != rendered.end() && text->start < finding.end; ++text) {
    add({text->start, text->end}, false, finding, rules,
        static_cast<std::size_t>(text - rendered.begin()), pool);
  }
}

std::vector<Substitution> Substituter::finish() const {
  std::vector<Wanted> sorted = wanted_;
  const WordRuns words(prompt_);
  for (Wanted& one : sorted) {
    if (one.widens) one.range = words.widened(one.range);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Wanted& a, const Wanted& b) {
    return a.range.start != b.range.start ? a.range.start < b.range.start
                                          : a.range.end > b.range.end;
  });
  std::vector<Wanted> merged;
  for (Wanted& next : sorted) {
    if (!merged.empty() && next.range.start < merged.back().range.end) {
      merged.back().range.end = std::max(merged.back().range.end, next.range.end);
    } else {
      merged.push_back(std::move(next));
    }
  }
  std::vector<Substitution> result;
  result.reserve(merged.size());
  for (const Wanted& wanted : merged) result.push_back(made(wanted));
  return result;
}

void Substituter::add(Range range, bool widens, const lexicon::Finding& finding,
                      const SubstitutionRules& rules, std::size_t piece, const WordList* pool) {
  wanted_.push_back({range, widens, named_word(rules, finding.category), finding.term, piece,
                     pool != nullptr ? pool : words_});
}

Substitution Substituter::made(const Wanted& wanted) const {
  const auto [start, end] = wanted.range;
  const std::string_view from = prompt_.substr(start, end - start);
  std::string word = wanted.word;
  if (word.empty()) {
    // Seeded by the term, so that a term becomes the same word wherever the prompt has it.
    const std::string seed =
        to_hex(sha256_of_chunks({seed_, wanted.term, std::to_string(wanted.piece)}));
    word = wanted.pool->pick(count_letters(from), seed, form_of(from, wanted.term));
  }
  return {start, end, std::string(from), like_case(word, from)};
}

}  // namespace glyphward::policy
