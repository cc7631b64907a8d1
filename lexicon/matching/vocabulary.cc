#include "lexicon/matching/vocabulary.h"

#include <algorithm>

#include "lexicon/categories.h"
#include "lexicon/channel/channel.h"
#include "lexicon/matching/entry.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

constexpr float kEndingMax = 5.5f;

bool is_plural(std::u32string_view ending) {
  return ending == U"s" || ending == U"z" || ending == U"es" || ending == U"'s";
}

}  // namespace

void Vocabulary::exclude(std::u32string_view spelling, const Pattern& pattern,
                         LanguageSet harmless_in) {
  if (pattern.severity == 0 || pattern.spaced) return;
  const WordHash hash = hash_of(spelling);
  const WordTable::Word word = table_.word(hash);
  if (pattern.severity >= kGraveSeverityMin && !pattern.stripped) no_names_.insert(hash);
  spellings_.emplace_back(hash, language_bit(pattern.language));
  // Without its marks it is often a word of another language.
  if (pattern.stripped && word.cost < kNever && word.language != pattern.language) return;
  const float most = Channel::shipped().price(Price::ForeignMost);
  const float guess = Channel::shipped().price(Price::ForeignGuess);
  if (pattern.severity >= kGraveSeverityMin && !pattern.stripped && !(pattern.steps & kSpelling)) {
    grave_.insert(hash);
  } else if (word.cost < kNever || harmless_in.any()) {
    std::vector<Foreign> foreign;
    for (LanguageNumber language = 1; language <= table_.languages(); ++language) {
      if (language == pattern.language) continue;
      const float cost = table_.word_in(language, hash);
      const bool harmless = (harmless_in & language_bit(language)).any();
      const bool here = word.language == language && word.cost < kNever;
      if (!harmless && cost == kNever && !here) continue;
      const float told = std::min({cost, word.cost, most});
      foreign.push_back({language, told, here ? std::max(told + guess, word.cost) : told + guess});
    }
    auto& all = foreign_[hash];
    all.insert(all.end(), foreign.begin(), foreign.end());
    mark(hash);
  }
  if (word.cost < kNever) {
    excluded_.insert(hash);
    mark(hash);
  }
}

// Few spellings of a large list are words of another language, too.
void Vocabulary::finish() {
  for (const auto& [hash, language] : spellings_) {
    if (marks_[hash % kMarks] && foreign_.contains(hash)) own_[hash] |= language;
  }
  spellings_ = {};
}

void Vocabulary::allow(std::u32string_view word) {
  const WordHash hash = hash_of(word);
  if (table_.word(hash).cost < kNever) return;
  allowed_[hash] = Channel::shipped().price(Price::OneWordPhrase);
  mark(hash);
}

float Vocabulary::name(WordHash hash) const {
  const float cost = table_.name(hash);
  return cost < kNever && no_names_.contains(hash) ? kNever : cost;
}

WordTable::Word Vocabulary::listed(WordHash hash, LanguageSet languages) const {
  WordTable::Word word = table_.word(hash);
  const bool marked = marks_[hash % kMarks];
  if (word.cost == kNever) {
    if (!marked) return word;
    if (const auto it = allowed_.find(hash); it != allowed_.end()) word.cost = it->second;
  } else if (marked && excluded_.contains(hash)) {
    word = {};
  } else if ((languages & language_bit(word.language)).any()) {
    word.cost = std::min(word.cost, table_.word_in(word.language, hash));
  }
  if (word.cost < kNever || languages == kNoLanguage) return word;
  const auto it = foreign_.find(hash);
  if (it == foreign_.end() || grave_.contains(hash)) return word;
  const LanguageSet own = own_.at(hash);
  for (const Foreign& foreign : it->second) {
    if ((own & language_bit(foreign.language)).any()) continue;  // a term there, too
    // Where the term's own language is written, too, it may be either.
    const bool told =
        (languages & language_bit(foreign.language)).any() && (languages & own).none();
    const float cost = told ? foreign.cost : foreign.guess;
    if (cost < word.cost) word = {cost, foreign.language};
  }
  return word;
}

bool Vocabulary::is_term(std::u32string_view word) const {
  std::uint32_t node = Trie::kRoot;
  for (const char32_t c : word) {
    node = terms_.words.child(node, c);
    if (node == Trie::kNone) return false;
  }
  return std::any_of(terms_.words.values_begin(node), terms_.words.values_end(node),
                     [&](std::uint32_t id) { return terms_.patterns[id].severity >= 2; });
}

bool Vocabulary::holds_term(std::u32string_view word, const WordTable::Word& listed) const {
  return is_inflected(word, listed) || holds_stem(word);
}

bool Vocabulary::is_inflected(std::u32string_view word, const WordTable::Word& listed) const {
  std::uint32_t node = Trie::kRoot;
  for (std::size_t i = 0; i + 1 < word.size(); ++i) {
    node = terms_.words.child(node, word[i]);
    if (node == Trie::kNone) return false;
    const std::size_t length = i + 1;
    if (length < 3 || !terms_.words.has_values(node)) continue;
    const std::u32string_view ending = word.substr(length);
    const bool doubled = ending.size() > 1 && ending[0] == word[i];
    const bool ends = ending == U"'s" || table_.suffix(hash_of(ending)) < kEndingMax ||
                      (doubled && table_.suffix(hash_of(ending.substr(1))) < kEndingMax);
    if (!ends) continue;
    for (const std::uint32_t* v = terms_.words.values_begin(node);
         v != terms_.words.values_end(node); ++v) {
      const Pattern& pattern = terms_.patterns[*v];
      if (pattern.severity < 2 || (pattern.flags & kExact) || pattern.spaced) continue;
      if ((pattern.flags & kPlural) && !is_plural(ending)) continue;
      const bool stem = pattern.flags & kStem;
      const bool other = listed.language != 0 && listed.language != pattern.language;
      if (!stem && other && !is_plural(ending)) continue;
      if (length < 5 && !stem && (other || ending == U"e")) continue;
      // "butter" is written more often than "butt": it comes from elsewhere.
      const float base = table_.word(word.substr(0, length)).cost;
      if (stem || base == kNever || listed.cost > base - 1) return true;
    }
  }
  return false;
}

bool Vocabulary::holds_stem(std::u32string_view word) const {
  for (std::size_t start = 0; start + 3 < word.size(); ++start) {
    std::uint32_t node = Trie::kRoot;
    for (std::size_t i = start; i < word.size(); ++i) {
      node = terms_.stems.child(node, word[i]);
      if (node == Trie::kNone) break;
      if (!terms_.stems.has_values(node)) continue;
      for (const std::uint32_t* v = terms_.stems.values_begin(node);
           v != terms_.stems.values_end(node); ++v) {
        const Pattern& pattern = terms_.patterns[*v];
        if (pattern.severity < 2) continue;
        if (pattern.flags & kStem) return true;
        const std::u32string_view before = word.substr(0, start);
        const std::u32string_view after = word.substr(i + 1);
        if ((pattern.flags & kHead) &&
            (before.empty() || Channel::shipped().is_companion(before)) &&
            (after.empty() || !is_vowel(after[0])))
          return true;
      }
    }
  }
  return false;
}

}  // namespace glyphward::lexicon
