// Words that decide by their mere presence beside a match: what may be added to a term so that it
// stays the term, and what is a word of its own.
#pragma once

#include <string_view>
#include <unordered_set>

namespace glyphward::lexicon {

using Words = std::unordered_set<std::u32string_view>;

// Words that English joins with a swear word: dog+shit, fuck+face, porn+hub.
const Words& companions();
const Words& english_endings();
// Endings that make a verb or a doer of any word.
const Words& plain_endings();
const Words& russian_endings();
const Words& other_endings();
// "ass" + "goblin": words that English puts behind a grave term, and behind no other.
const Words& insults();
// Two or three letters that are words: "as she" parts words, "fu ck" does not.
bool is_short_word(std::u32string_view word);

}  // namespace glyphward::lexicon
