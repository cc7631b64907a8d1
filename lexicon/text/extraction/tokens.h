// The prompt's words and signs, and the phrases of phrases.tsv that begin at each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace glyphward::lexicon::extraction {

// What a phrase is to the grammar; docs/LEXICON.md has an example of each. A set, one bit each.
using Classes = std::uint64_t;
enum Class : Classes {
  kSays = 1u << 0,      // the text follows: "that says X"
  kReads = 1u << 1,     // so it does behind a thing that bears text; people read and announce, too
  kWritten = 1u << 2,   // participles: "with X painted on it", "printed with X"
  kPen = 1u << 3,       // those that only letters go with: "X written in the sand"
  kNoun = 1u << 4,      // "the word X", "caption: X"
  kTitle = 1u << 5,     // nouns that the text follows directly: "license plate X"
  kBearer = 1u << 6,    // what bears text: sign, mug, T-shirt
  kNamed = 1u << 7,     // "a company called X"
  kNamable = 1u << 8,   // what has a name that a picture shows
  kWrite = 1u << 9,     // "write X on the wall"
  kOnIt = 1u << 10,     // "with X on it"
  kBehind = 1u << 11,   // verbs behind their text: Xと書いて
  kBefore = 1u << 12,   // what the text of such a verb follows: に
  kFiller = 1u << 13,   // said about the text: "in big red letters"
  kLetters = 1u << 14,  // what ends such words: letters, font
  kArticle = 1u << 15,
  kPlace = 1u << 16,    // on, in, across
  kScene = 1u << 17,    // leads from the text back to the scene
  kLink = 1u << 18,     // "with X written on it": what X follows
  kJoin = 1u << 19,     // between letters: "F then U"
  kStop = 1u << 20,     // no text begins with it: "graffiti of", "text elements"
  kStyle = 1u << 21,    // in the style of
  kAcronym = 1u << 22,  // capitals that are no text: HDR
  kAcrostic = 1u << 23,
  kSubject = 1u << 24,  // which, should: what makes reads a verb of writing
  kWork = 1u << 25,     // film, novel: has a title even where nothing is written
  kBe = 1u << 26,       // am, is, are: what follows is still the text
  kShort = 1u << 27,    // a full stop behind it ends no sentence: Mr.
  kFont = 1u << 28,     // letters are in it: "in small gold letters"
  kShows = 1u << 29,    // shows, bearing: a picture as often as a text
  kWord = 1u << 30,     // nouns that need no more than an article: the word
  kLook = 1u << 31,     // a «steampunk» look
  // "carve X into the bark": verbs that mostly letters go with, ...
  kMark = 1ull << 32,
  kDraw = 1ull << 33,     // ... and those that pictures go with as often
  kOnto = 1ull << 34,     // into, onto: what their text is put on follows
  kCall = 1ull << 35,     // shouting, chanting
  kOrdinal = 1ull << 36,  // "the first half is X, the other Y"
  kPart = 1ull << 37,     // half, page, pillar
  kJoined = 1ull << 38,   // "without a space": parts are meant as one word
  kCipher = 1ull << 39,   // rot13: letters of the prompt are moved
  kAnd = 1ull << 40,      // between the parts
  kRadio = 1ull << 41,    // foxtrot: stands for its first letter
  kBehindLastClass
};

enum class TokenKind : std::uint8_t { Word, Sign, Line };

struct Token {
  std::uint32_t start = 0;  // bytes of the text: [start, end)
  std::uint32_t end = 0;
  std::uint32_t key = 0;  // folded: Tokens::keys[key, key + key_size)
  std::uint32_t key_size = 0;
  char32_t first = 0;       // its first code point
  Classes classes = 0;      // of the longest phrase that begins here
  Classes own = 0;          // of the token as a phrase by itself
  std::uint8_t length = 0;  // how many tokens that phrase has; 0 if none begins here
  TokenKind kind = TokenKind::Sign;
  bool spaced : 1 = false;      // white space before it
  bool capitals : 1 = false;    // two characters or more, letters among them, none of them small
  bool title : 1 = false;       // begins with a capital
  bool small : 1 = false;       // has a small letter
  bool letter : 1 = false;      // one letter by itself
  bool digit : 1 = false;       // digits alone
  bool unspaced : 1 = false;    // one character of a script without spaces between words
  bool apostrophe : 1 = false;  // a sign between two letters

  bool is(Classes any) const { return (classes & any) != 0; }
  bool sign(char32_t c) const { return kind == TokenKind::Sign && first == c; }
};

struct Tokens {
  std::vector<Token> list;
  std::string keys;

  std::string_view key(const Token& token) const {
    return std::string_view(keys).substr(token.key, token.key_size);
  }
};

// A sign is one code point; spaces are no tokens, ends of line are. Linear.
Tokens tokenize(std::string_view text);

// Looks phrases up: sets length and classes of each token. A word that no list of words has and
// that is one slip from one of the table ("syas", "postr") counts as that; its key becomes the
// other's. Linear.
void find_phrases(Tokens& tokens);

}  // namespace glyphward::lexicon::extraction
