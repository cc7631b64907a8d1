#include "lexicon/text/extraction/asked.h"

#include <algorithm>
#include <string_view>

namespace glyphward::lexicon::extraction {
namespace {

constexpr std::size_t kPutMax = 12;      // tokens between a verb and what the text is put on
constexpr std::size_t kPartMax = 6;      // tokens from "first" to its verb
constexpr std::size_t kPieceMax = 3;     // words of a piece that no verb of writing leads to
constexpr std::size_t kTextMax = 40;     // and of one that a verb leads to
constexpr std::size_t kEllipsis = 5;     // tokens from a piece to the next part
constexpr std::size_t kRadioMin = 4;     // words of the radio alphabet that are no names
constexpr std::size_t kLetteredMin = 3;  // where the prompt speaks of letters

bool is_word(const Scene& scene, std::size_t i) { return scene.word(i) && !scene.covered(i); }

// A verb that may as well be a noun ("paint", "tattoo") is one only where a clause begins, or
// behind a pronoun.
bool opens(const Scene& scene, std::size_t i) {
  if (i == scene.clause(i).first || scene.sign(i - 1, U':')) return true;
  if (!is_word(scene, i - 1)) return false;
  return (scene[i - 1].own & (kSubject | kLink)) != 0 || scene.key(i - 1) == "please" ||
         scene.key(i - 1) == "then";
}

// Behind "the word", "the letters", "a big"; the token itself if no noun of writing is there.
std::size_t behind_noun(const Scene& scene, std::size_t i) {
  std::size_t at = i;
  for (std::size_t step = 0; step < 3 && is_word(scene, at); ++step) {
    if (scene.is(at, kNoun | kWord)) return scene.behind(at);
    if (step > 0 && !scene.is(at, kArticle)) break;
    at = scene.behind(at);
  }
  return i;
}

// "kisses", "flowers": rather a picture.
bool is_plural(std::string_view key) {
  return key.size() > 3 && key.ends_with('s') && !key.ends_with("ss");
}

bool all_capitals(const Scene& scene, Span text) {
  for (std::size_t i = text.first; i < text.last; ++i) {
    const Token& token = scene[i];
    const bool lone = token.letter && token.title;
    if (token.kind == TokenKind::Word && !token.capitals && !lone && !token.digit) return false;
  }
  return scene[text.first].capitals && !scene.is(text.first, kAcronym);
}

// The text's end: the first word from `first` on that leads to what it is put on; 0 if none does.
std::size_t onto(const Scene& scene, std::size_t first, std::size_t last) {
  for (std::size_t at = first; at < std::min(last, first + kPutMax); ++at) {
    if (scene.covered(at) || scene.breaks(at)) return 0;
    if ((scene[at].own & kOnto) != 0 && is_word(scene, at + 1)) return at;
  }
  return 0;
}

}  // namespace

PutOn put_on(const Scene& scene, std::size_t verb) {
  if (!scene.is(verb, kMark | kDraw) || scene.covered(verb)) return {};
  const Span clause = scene.clause(verb);
  std::size_t first = scene.behind(verb);
  std::size_t end = 0;
  if (first >= clause.last || scene.breaks(first)) {  // the verb stands last
    first = clause.first;
    end = onto(scene, first, verb);
  } else {
    end = onto(scene, first, clause.last);
  }
  if (end <= first || scene.covered(first)) return {};
  PutOn put{{first, end}, false};
  // "paint a cat on the wall"; "carve the word X" is another rule's.
  if (scene.is(first, kArticle | kStop | kPlace | kScene)) return {};
  const bool text = !scene.is(first, kNoun | kBearer | kStyle);
  const bool one_word = end == first + 1 && text && !scene[first].digit &&
                        !is_plural(scene.key(first)) && scene.is(verb, kMark);
  put.shown = all_capitals(scene, put.text) || (one_word && opens(scene, verb));
  return put;
}

// ----- halves -----

namespace {

class Halves {
 public:
  explicit Halves(const Scene& scene) : scene_(scene) {
    const Span all{0, scene.size()};
    joined_ = scene.holds(all, kJoined);
    bears_ = scene.holds(all, kBearer | kNoun);
  }

  std::vector<Span> run() && {
    if (!bears_ && !joined_) return {};
    for (std::size_t i = 0; i < scene_.size(); ++i) {
      if (scene_.covered(i) || !is_part(i, kOrdinal)) continue;
      const Span piece = piece_of(i);
      if (piece.size() == 0) continue;
      pieces_.push_back(piece);
      i = piece.last - 1;
    }
    return std::move(pieces_);
  }

 private:
  bool is_part(std::size_t i, Classes any) const {
    return scene_.word(i) && ((scene_[i].own | scene_[i].classes) & any) != 0;
  }

  // What the part that begins at the token shows.
  Span piece_of(std::size_t ordinal) const {
    std::size_t at = ordinal + 1;
    const std::size_t limit = std::min(scene_.size(), ordinal + kPartMax);
    bool of_word = false;
    constexpr Classes kVerb = kSays | kReads | kShows | kBe;
    constexpr Classes kSaid =
        kPart | kBearer | kNoun | kArticle | kPlace | kOrdinal | kLink | kOnto;
    while (at < limit && is_word(scene_, at) && !scene_.is(at, kVerb) && is_part(at, kSaid)) {
      of_word = of_word || is_part(at, kWord);
      ++at;
    }
    if (at >= scene_.size() || scene_.covered(at)) return {};
    std::size_t first = at;
    const bool verb = scene_.is(at, kVerb);
    const bool sign = scene_.sign(at, U':') || scene_.sign(at, U'=') || scene_.sign(at, U'—') ||
                      scene_.sign(at, U'–');
    const bool be = sign || (verb && !scene_.is(at, kSays | kReads | kShows));
    if (verb || sign) {
      first = behind_noun(scene_, scene_.behind(at));
      // "the left half is red" says what it looks like, unless halves of a word are meant.
      if (be && !joined_ && !of_word && !follows_a_piece(ordinal)) return {};
    } else if (!follows_a_piece(ordinal) || scene_[at].kind != TokenKind::Word) {
      return {};
    }
    return text_from(first, (verb && !be) ? kTextMax : kPieceMax);
  }

  // "the first reads X, the second Y"
  bool follows_a_piece(std::size_t ordinal) const {
    return !pieces_.empty() && ordinal - pieces_.back().last <= kEllipsis;
  }

  Span text_from(std::size_t first, std::size_t words_max) const {
    if (!is_word(scene_, first)) return {};
    constexpr Classes kNoText = kArticle | kBe | kSays | kReads | kShows | kWritten | kPen;
    if (scene_.is(first, kNoText | kNoun | kJoined)) return {};
    const std::size_t reach = scene_.text_end(first);
    std::size_t last = first;
    std::size_t words = 0;
    while (last < reach && words <= words_max && !scene_.covered(last) && !next_part(last)) {
      words += scene_.word(last) ? 1 : 0;
      ++last;
    }
    // "the first reads quietly"; "the first in red", but "the first reads in, the second side".
    const bool one = last == first + 1;
    const bool said = one ? scene_.key(first).ends_with("ly") : scene_.is(first, kStop | kPlace);
    return words > words_max || said ? Span{} : Span{first, last};
  }

  // "and the other": where the next part begins.
  bool next_part(std::size_t i) const {
    if (!is_part(i, kAnd)) return false;
    std::size_t at = i + 1;
    while (at < i + 4 && is_part(at, kArticle | kPlace | kOnto) && !is_part(at, kOrdinal)) ++at;
    return is_part(at, kOrdinal);
  }

  const Scene& scene_;
  std::vector<Span> pieces_;
  bool joined_ = false;
  bool bears_ = false;
};

}  // namespace

std::vector<Span> halves(const Scene& scene) {
  std::vector<Span> pieces = Halves(scene).run();
  // One by itself is a text as any other.
  return pieces.size() > 1 ? std::move(pieces) : std::vector<Span>{};
}

// ----- the radio alphabet -----

std::vector<Span> radio_words(const Scene& scene) {
  const bool letters = scene.holds({0, scene.size()}, kAcrostic | kNoun | kLetters);
  std::vector<Span> runs;
  for (std::size_t i = 0; i < scene.size();) {
    const auto spells = [&](std::size_t at) {
      return is_word(scene, at) && (scene[at].own & kRadio) != 0;
    };
    if (!spells(i)) {
      ++i;
      continue;
    }
    Span run{i, i + 1};
    std::size_t words = 1;
    bool spaced = true;
    while (run.last < scene.size()) {
      std::size_t next = run.last;
      const bool sign =
          std::u32string_view(U"-./·,").find(scene[next].first) != std::u32string_view::npos;
      if (scene[next].kind == TokenKind::Sign && sign) ++next;
      if (!spells(next)) break;
      // "Mike, Oscar and Victor" are rather people.
      spaced = spaced && !scene.sign(run.last, U',');
      run.last = next + 1;
      ++words;
    }
    if (words >= kRadioMin ? spaced || letters : words >= kLetteredMin && spaced && letters)
      runs.push_back(run);
    i = run.last;
  }
  return runs;
}

// ----- doubt -----

std::vector<Span> may_be_drawn(const Scene& scene) {
  std::vector<Span> spans;
  for (std::size_t i = 0; i < scene.size(); ++i) {
    if (scene.covered(i)) continue;
    if (const PutOn put = put_on(scene, i); put.text.size() > 0) spans.push_back(put.text);
    // What is shouted in a place or at somebody is heard; with nothing behind it, it can only be
    // seen.
    if (!scene.is(i, kCall)) continue;
    const std::size_t first = scene.behind(i);
    const std::size_t last = std::min(scene.size(), first + kPutMax);
    std::size_t end = first;
    while (end < last && is_word(scene, end) && !scene.is(end, kPlace | kOnto | kScene)) ++end;
    const bool ends = end == scene.size() || (end + 1 == scene.size() && scene.breaks(end));
    if (ends && end > first) spans.push_back({first, end});
    // "die Menge, die X ruft"
    const Span clause = scene.clause(i);
    if ((first == scene.size() || scene.breaks(first)) && i > clause.first)
      spans.push_back({clause.first, i});
  }
  return spans;
}

}  // namespace glyphward::lexicon::extraction
