#include "lexicon/text/extraction/context.h"

#include <algorithm>

#include "lexicon/text/extraction/asked.h"

namespace glyphward::lexicon::extraction {
namespace {

constexpr Classes kBearing =
    kBearer | kNoun | kTitle | kSays | kReads | kShows | kWritten | kPen | kOnIt | kBehind;
constexpr std::size_t kFewWords = 3;

// "in the style of «Metropolis»", "the film «Alien»": what the phrase ends at is a title.
bool styled(const Scene& scene, std::size_t quotation, Classes any) {
  for (std::size_t back = 1; back <= 5 && back <= quotation; ++back) {
    const std::size_t at = quotation - back;
    if (scene.breaks(at)) return false;
    const std::size_t gap = scene.behind(at);
    if (scene.is(at, any) && gap <= quotation && quotation - gap <= 1) return true;
  }
  return false;
}

// "a «retro» car": the word behind the marks is what they are said of.
bool said_of_next(const Scene& scene, const Marked& marked) {
  const std::size_t next = marked.last;
  if (next >= scene.size()) return false;
  if (scene.sign(next, U'+')) return true;
  const bool alone = marked.first > 0 && scene.word(marked.first - 1);
  return alone && scene.word(next) && !scene.covered(next) &&
         !scene.is(next, kPlace | kStop | kScene | kWritten | kPen | kLink | kJoin);
}

Certainty certainty_of(const Scene& scene, const Marked& marked, bool cued, bool bears) {
  if (cued) return Certainty::Surely;
  if (styled(scene, marked.first, kStyle)) return Certainty::Described;
  if (scene.is(marked.last, kLook)) return Certainty::Described;
  if (bears) return Certainty::Surely;
  const bool described = said_of_next(scene, marked) || styled(scene, marked.first, kWork);
  return described ? Certainty::Described : Certainty::Likely;
}

}  // namespace

std::vector<Shown> judge_quotations(const Scene& scene, const std::vector<bool>& cued) {
  const bool bears = scene.holds({0, scene.size()}, kBearing);
  std::vector<Shown> judged;
  for (std::size_t k = 0; k < scene.marked().size(); ++k) {
    const Marked& marked = scene.marked()[k];
    judged.push_back({marked.start, marked.end, true, certainty_of(scene, marked, cued[k], bears)});
  }
  return judged;
}

std::vector<Span> doubtful(const Scene& scene, const std::vector<Shown>& shown) {
  const Span all{0, scene.size()};
  const bool surely = std::any_of(shown.begin(), shown.end(), [](const Shown& one) {
    return one.certainty == Certainty::Surely;
  });
  if (!surely) {
    std::size_t words = 0;
    for (std::size_t i = 0; i < scene.size(); ++i) words += scene.word(i) ? 1 : 0;
    const bool open =
        words <= kFewWords || scene.holds(all, kBearing & ~(kReads | kShows | kWritten));
    if (!open) return may_be_drawn(scene);
    return scene.size() > 0 ? std::vector<Span>{all} : std::vector<Span>{};
  }
  // The texts are marked: what a clause without one says of a thing that bears text may be more.
  std::vector<Span> spans;
  for (std::size_t i = 0; i < scene.size();) {
    const Span clause = scene.clause(i);
    if (!scene.quoted(clause) && scene.holds(clause, kOnIt | kSays | kNoun | kBearer))
      spans.push_back(clause);
    i = std::max(clause.last, i + 1);
  }
  return spans;
}

}  // namespace glyphward::lexicon::extraction
