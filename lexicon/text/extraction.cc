#include "lexicon/text/extraction.h"

#include <re2/re2.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

// A code point of the prompt and where it stands.
struct Point {
  char32_t c = 0;
  std::size_t start = 0;
  std::size_t end = 0;
};

struct Range {
  std::size_t start = 0;  // bytes, without the marks
  std::size_t end = 0;
  std::size_t outer_start = 0;  // with the marks
  std::size_t outer_end = 0;
};

std::vector<Point> points_of(std::string_view prompt) {
  std::vector<Point> points;
  points.reserve(prompt.size());
  for (std::size_t offset = 0; offset < prompt.size();) {
    const std::size_t start = offset;
    const char32_t c = decode(prompt, offset);
    points.push_back({c, start, offset});
  }
  return points;
}

bool alphabetic(char32_t c) { return is_letter(c) && !is_unspaced(c); }
// For bytes: no byte of a longer code point is one of these.
bool ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

// Which marks close a text that `c` opens; empty if it opens none. Languages disagree on the
// direction of « » and “ ”, and people mix them, so each opener takes every mark that could end it.
std::u32string_view closers(char32_t c) {
  switch (c) {
    case U'"':
    case U'＂':
    case U'“':
    case U'”':
    case U'„':
    case U'‟':
    case U'❝':
    case U'〝':
    case U'″':
      return U"\"＂“”„‟❞〞〟″";
    case U'«':
      return U"»";
    case U'»':
      return U"«»";
    case U'《':
      return U"》";
    case U'〈':
      return U"〉";
    case U'‹':
      return U"›";
    case U'›':
      return U"‹›";
    case U'「':
      return U"」";
    case U'｢':
      return U"｣";
    case U'『':
      return U"』";
    case U'﹁':
      return U"﹂";
    case U'﹃':
      return U"﹄";
    case U'【':
      return U"】";
    case U'`':
      return U"`´'’";
    case U'\'':
    case U'＇':
    case U'‘':
    case U'‚':
    case U'‛':
    case U'❛':
      return U"'＇’‘‛❜´";
    case U'’':
      return U"’";
    default:
      return {};
  }
}

bool single_mark(char32_t c) {
  return std::u32string_view(U"'＇‘’‚‛❛❜´`").find(c) != std::u32string_view::npos;
}

bool any_mark(char32_t c) {
  return !closers(c).empty() ||
         std::u32string_view(U"❞〞〟》〉」｣』﹂﹄】❜´").find(c) != std::u32string_view::npos;
}

// don't, l'inscription, dogs': between letters, a mark is an apostrophe.
bool apostrophe(const std::vector<Point>& points, std::size_t i) {
  const char32_t c = points[i].c;
  if (c != U'\'' && c != U'’' && c != U'＇' && c != U'´') return false;
  return i > 0 && i + 1 < points.size() &&
         (alphabetic(points[i - 1].c) || is_digit(points[i - 1].c)) && alphabetic(points[i + 1].c);
}

bool can_open(const std::vector<Point>& points, std::size_t i) {
  const char32_t c = points[i].c;
  if (closers(c).empty() || apostrophe(points, i)) return false;
  if (i + 1 >= points.size()) return false;
  // ' and ’ also shorten words ('n', dogs'): as an opener it follows a space or a bracket, and a
  // text follows it.
  if (c == U'\'' || c == U'＇' || c == U'’') {
    const bool after_word = i > 0 && (alphabetic(points[i - 1].c) || is_digit(points[i - 1].c));
    return !after_word;
  }
  // 5" screen: an inch.
  if ((c == U'"' || c == U'″') && i > 0 && is_digit(points[i - 1].c) && is_space(points[i + 1].c))
    return false;
  return true;
}

bool can_close(const std::vector<Point>& points, std::size_t i) {
  const char32_t c = points[i].c;
  if (apostrophe(points, i)) return false;
  if (c == U'\'' || c == U'＇' || c == U'’') {
    // 'n' or 'til inside a text: a mark that only opens a word does not close the text.
    const bool before_word = i + 1 < points.size() && alphabetic(points[i + 1].c);
    const bool after_space = i > 0 && is_space(points[i - 1].c);
    return !(before_word && after_space);
  }
  return true;
}

Range inner(const std::vector<Point>& points, std::size_t open, std::size_t close) {
  Range range;
  range.outer_start = points[open].start;
  range.outer_end = close < points.size() ? points[close].end : points.back().end;
  std::size_t first = open + 1;
  std::size_t last = close;
  while (first < last && is_space(points[first].c)) ++first;
  while (last > first && is_space(points[last - 1].c)) --last;
  range.start = first < points.size() ? points[first].start : points.back().end;
  range.end = last > first ? points[last - 1].end : range.start;
  return range;
}

// The texts between marks. A text that is opened and never closed goes on to the prompt's end; a
// mark that closes what was never opened makes what stands between it and the text before shown.
std::vector<Range> quoted(const std::vector<Point>& points) {
  std::vector<Range> ranges;
  std::size_t after = 0;     // first point after the last quoted text
  std::u32string exhausted;  // openers for which the rest of the prompt has no closer
  for (std::size_t i = 0; i < points.size(); ++i) {
    const char32_t c = points[i].c;
    if (!any_mark(c)) continue;
    if (can_open(points, i)) {
      const std::u32string_view ends = closers(c);
      std::size_t close = points.size();
      if (exhausted.find(c) == std::u32string::npos) {
        for (std::size_t j = i + 1; j < points.size(); ++j) {
          if (ends.find(points[j].c) != std::u32string_view::npos && can_close(points, j)) {
            close = j;
            break;
          }
        }
        if (close == points.size()) exhausted.push_back(c);
      }
      if (close < points.size()) {
        const Range range = inner(points, i, close);
        if (range.end > range.start) ranges.push_back(range);
        i = close;
        after = close + 1;
        continue;
      }
      if (!single_mark(c) || c == U'‘' || c == U'`') {
        const Range range = inner(points, i, points.size());
        if (range.end > range.start) ranges.push_back(range);
        return ranges;
      }
      continue;
    }
    // A closing mark with no opener, after a text that was closed early: 'the boys' club'.
    if (can_close(points, i) && after > 0 && i > after && !ranges.empty() &&
        (c == U'\'' || c == U'’' || c == U'"')) {
      const Range range = inner(points, after - 1, i);
      if (range.end > range.start && range.start - points[after - 1].end <= 4) {
        ranges.push_back(range);
        after = i + 1;
      }
    }
  }
  return ranges;
}

const RE2& compiled(const RE2& expression) {
  if (!expression.ok()) throw std::logic_error("extraction: " + expression.error());
  return expression;
}

// The expressions below are put together from word lists: openers, what may stand between an opener
// and its text, and what leads back from the text to the scene.
constexpr char kSaying[] =
    "says?|saying|reads?|reading|spells?|spelling|spelt|spelled|declares?|declaring|proclaims?|"
    "proclaiming|announces?|"
    "announcing|writes|label(?:l?ed|l?ing)|captioned|titled|entitled|subtitled|inscribed|"
    "exclaiming|"
    "(?:that|which|it|and|simply|just) (?:displays|bears|shows)";
constexpr char kWriting[] =
    "written|printed|painted|carved|engraved|etched|embroidered|stitched|scrawled|scribbled|"
    "scratched|stencill?ed|stamped|"
    "tattooed|embossed|lettered|emblazoned|inscribed|branded|chalked|spray[- "
    "]?painted|spelled|spelt|sewn|piped|iced|drawn|"
    "displayed|shown|laser[- ]?cut|projected|burned|burnt|formed|traced";
constexpr char kNouns[] =
    "words?|text|phrase|caption|title|slogan|headline|inscription|lettering|message|wordmark|label|"
    "quote|typography|letters?|"
    "sentence|legend|motto|heading|subtitle|tagline|hashtag|initials|lyrics|greeting|logotype|"
    "signage";
constexpr char kPlaces[] =
    "on|in|across|over|onto|into|along|out|around|upon|above|below|under|at|with|by|from|to|inside";

// What opens a text without quotation marks. The text begins where the match ends.
const RE2& openers() {
  // "in big red letters", "the words": said about the text. Only what ends in such a noun, so that
  // no word of the text itself is taken for it.
  static const std::string fillers =
      "(?:\\s+out\\b)?(?:\\s*[,:]?\\s+(?:in|with|by|on)(?:\\s+[\\pL-]+){0,4}?\\s+(?:letters?|"
      "lettering|font|type|writing|script|"
      "caps|ink|paint|chalk|words?|text|phrase|message|caption|title|slogan|name|style|it|them|top)"
      "\\b)?"
      "(?:\\s*[,:]?\\s+(?:(?:the|a|an|only|just)\\s+)?(?:following\\s+)?(?:" +
      std::string(kNouns) + "|name)\\b)?";
  static const RE2 expression(
      std::string("(?i)(?:\\b(?:") + kSaying + ")\\b" + fillers + "|\\b(?:" + kWriting +
      ")\\s+(?:with|as)\\b(?:\\s+(?:the|a|an))?(?:\\s+(?:" + kNouns + "|name)\\b)?" +
      "|\\b(?:with|bearing|bears|has|having|and|showing|shows|displaying|displays|of|the|forming|"
      "form|forms|features|featuring|"
      "saying)\\s+(?:(?:the|a|an|its|huge|big|bold|large|neon|red|white|gold|black)\\s+)*(?:" +
      kNouns +
      ")\\b(?:\\s+(?:reading|saying|that says|that reads|spells?))?"
      "|\\b(?:letters?|epitaph|engraved|printed|subtitles?|words?|text|caption|title|label|slogan|"
      "headline|sign|message|inscription|lettering|"
      "banner|poster|placard|logo|"
      "tattoo|sticker|subtitle|quote|plaque|engraving|neon|door|card|line)\\s*[:=]"
      "|\\b(?:letter blocks?|letter tiles?|letter balloons?|letter beads|alphabet blocks?|wooden "
      "letters|foil letters|lettering|"
      "wordmark|graffiti|inscription|headline|slogan|caption|marquee text|name ?plate|name "
      "?tag|license plate|licence plate|"
      "number plate|knuckle tattoos?)\\b"
      // Spanish, Portuguese, French, German, Italian, Dutch
      "|\\bque (?:dice|pone|reza|diz|lê|dizendo)\\b|\\bdiciendo\\b|\\bdizendo\\b"
      "|\\b(?:con|com) (?:el|la|las|los|o|a|as|os|un|una|um|uma)? "
      "?(?:textos?|frase|palabras?|palavras?|inscripción|inscrição|"
      "leyenda|legenda|lema|mensaje|mensagem|letrero|título|rótulo|letras?)\\b"
      "|\\b(?:escrit[oa]|grabad[oa]|gravad[oa]|rotulad[oa])s?(?: con| com)?\\b"
      "|\\bqui (?:dit|affiche|indique|proclame)\\b|\\bdisant\\b|\\bavec "
      "(?:le|la|les|l['’]|un|une)\\s*(?:texte|mots?|phrase|"
      "inscription|message|slogan|légende|titre|lettres)\\b|\\b(?:écrit|marqué|gravé|inscrit|"
      "étiqueté|intitulé)e?s?\\b|\\bon lit\\b"
      "|\\bmit (?:der|dem|den|einer|einem) "
      "(?:Aufschrift|Text|Schriftzug|Worten?|Wörtern|Inschrift|Spruch|Titel|Satz|Slogan|"
      "Botschaft)\\b|\\b(?:darauf|drauf|auf dem|auf der) "
      "(?:steht|geschrieben)\\b|\\bsteht\\b|\\b(?:beschriftet|bedruckt|graviert) "
      "mit\\b|\\b(?:das|der) (?:Wort|Schriftzug|Spruch)\\b"
      "|\\bche dice\\b|\\bcon (?:la scritta|il testo|le parole|la frase)\\b|\\bmet de tekst\\b"
      // Russian
      "|(?:с|со) "
      "(?:надписью|текстом|словами|словом|подписью|фразой|лозунгом|названием|заголовком)|слово|"
      "надпись|"
      "(?:написано|написаны|написан|гласит|гласящ(?:ая|ий|ее|ей|им))"
      // Chinese; Japanese and Korean put the verb after the text
      "|(?:写着|寫著|写有|印着|印著|印有|刻着|刻有|绣着|画着|标着|写道|上面写|文字是|文字为|文字|"
      "字样是|内容是|标题是|标题为|"
      "题为|写上|拼出|拼成)[:：]?"
      ")\\s*[:=\\-–—]?\\s*");
  return compiled(expression);
}

// What ends a text without quotation marks: the end of the clause, or the words that lead back to
// the scene.
const RE2& enders() {
  static const RE2 expression(
      "(?i)[.;!?]+(?:\\s|$)|[\\n\\r]|，|。|；|、"
      "|\\s+(?:on|in|onto|into|over|above|under|below|beneath|behind|beside|near|against|across|"
      "atop|inside|outside|at|by|with|"
      "from|around|between|along|for)\\s+(?:a|an|the|his|her|its|their|my|your|some|one|two|three|"
      "each|every|both|top|front|"
      "background|foreground|white|black|red|blue|green|yellow|pink|gold|golden|silver|neon|wooden|"
      "old|big|bold|giant|dusk|dawn|"
      "night|sunset|sunrise|it|them)\\b"
      "|\\s+(?:" +
      std::string(kWriting) + ")\\s+(?:" + kPlaces +
      ")\\b"
      "|\\s+(?:in front of|next to|on top of|in the style of|surrounded by|made of|hanging|held "
      "by|while)\\s"
      "|\\s+in "
      "(?:large|cursive|graffiti|gothic|bubble|block|capital|elegant|handwritten|retro|vintage|"
      "comic) "
      "|\\s+(?:sobre una?|en una?|encima de|em uma?|sobre uma?|sur une?|sous la|sous le|dans "
      "une?|über einer?|auf einem|auf einer|"
      "in einer?|над|на|под)\\s");
  return compiled(expression);
}

bool spelled_token(std::string_view text) {
  std::size_t offset = 0;
  if (text.empty()) return false;
  const char32_t c = decode(text, offset);
  return is_letter(c) && offset == text.size();
}

// Where the clause that begins at start ends. A comma ends it, but not between spelled letters ("F,
// U, N").
std::size_t clause_end(std::string_view prompt, const std::vector<std::size_t>& clause_ends,
                       std::size_t start, std::size_t limit) {
  const auto next = std::lower_bound(clause_ends.begin(), clause_ends.end(), start);
  const std::size_t end = next == clause_ends.end() ? limit : std::min(limit, *next);
  for (std::size_t comma = prompt.find(',', start); comma < end;
       comma = prompt.find(',', comma + 1)) {
    std::size_t before = comma;
    while (before > start && !ascii_space(prompt[before - 1]) && prompt[before - 1] != ',')
      --before;
    std::size_t after = comma + 1;
    while (after < end && prompt[after] == ' ') ++after;
    std::size_t stop = after;
    while (stop < end && prompt[stop] != ',' && prompt[stop] != ' ') ++stop;
    const bool spelled = spelled_token(prompt.substr(before, comma - before)) &&
                         spelled_token(prompt.substr(after, stop - after));
    if (!spelled) return std::min(end, comma);
  }
  return end;
}

// Where clauses end, all over the prompt: found once, so that many openers cost no more than one.
std::vector<std::size_t> all_clause_ends(std::string_view prompt) {
  std::vector<std::size_t> ends;
  const re2::StringPiece input(prompt.data(), prompt.size());
  re2::StringPiece match;
  for (std::size_t at = 0; at < prompt.size() &&
                           enders().Match(input, at, prompt.size(), RE2::UNANCHORED, &match, 1);) {
    const auto start = static_cast<std::size_t>(match.data() - prompt.data());
    // "F. U. N": a full stop after a single letter ends nothing.
    const bool single = prompt[start] == '.' && start >= 2 &&
                        (prompt[start - 2] == ' ' || prompt[start - 2] == '.');
    if (!single) ends.push_back(start);
    at = start + 1;
  }
  return ends;
}

// "the words", "in red": what is no text itself when a quoted text follows.
bool only_fillers(std::string_view text) {
  static const RE2 expression(
      "(?i)(?:\\s|[:,=\\-–—(]|\\b(?:out|with|by|in|on|it|them|top|the|a|an|and|only|just|simply|"
      "big|bold|giant|large|huge|red|"
      "blue|white|black|gold|golden|green|yellow|pink|neon|capital|block|cursive|letters?|words?|"
      "text|phrase|message|caption|name|"
      "following|slogan|title|sentence|uppercase|lowercase|handwritten|font|style|all|caps|as|"
      "follows|line|lines|first|second|side|front|one|"
      "of|is|that|says?|reads?|reading|saying|inscription|lettering|label|printed|painted|written)"
      "\\b)*");
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled(expression));
}

void add_unquoted(std::string_view prompt, const std::vector<Range>& quotes,
                  std::vector<Range>& ranges) {
  const re2::StringPiece input(prompt.data(), prompt.size());
  const std::vector<std::size_t> clause_ends = all_clause_ends(prompt);
  std::size_t at = 0;
  re2::StringPiece match;
  while (at < prompt.size() &&
         openers().Match(input, at, prompt.size(), RE2::UNANCHORED, &match, 1)) {
    const auto opener = static_cast<std::size_t>(match.data() - prompt.data());
    std::size_t start = opener + match.size();
    at = std::max(start, at + 1);
    const auto inside = std::find_if(quotes.begin(), quotes.end(), [&](const Range& quote) {
      return opener >= quote.outer_start && opener < quote.outer_end;
    });
    if (inside != quotes.end()) {
      at = std::max(at, inside->outer_end);
      continue;
    }
    const auto next = std::find_if(quotes.begin(), quotes.end(), [&](const Range& quote) {
      return quote.outer_start + 1 > start;
    });
    const std::size_t limit = next == quotes.end() ? prompt.size() : next->outer_start;
    if (start >= limit) continue;
    // The ender needs the space before it, so it is looked for from the space.
    std::size_t from = start;
    if (from > 0 && prompt[from - 1] == ' ') --from;
    std::size_t end = std::max(clause_end(prompt, clause_ends, from, limit), from);
    while (end > start && ascii_space(prompt[end - 1])) --end;
    if (end <= start) continue;
    const std::string_view text = prompt.substr(start, end - start);
    if (only_fillers(text)) continue;
    // "graffiti of a cat", "lettering on a wall" describe the scene.
    static const RE2 of_something("(?i)^(?:of|artists?|style|art|wall|or|and|is|are|" +
                                  std::string(kPlaces) + "|" + kWriting + ")\\b");
    if (RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled(of_something)))
      continue;
    ranges.push_back({start, end, start, end});
    at = std::max(at, end);
  }
}

// "a cake with X written on it": the verb comes after the text.
void add_before_participle(std::string_view prompt, const std::vector<Range>& quotes,
                           std::vector<Range>& ranges) {
  static const RE2 expression(
      "(?i)\\b(?:with|has|having|showing|and)\\s+([^,;\\n\"“”„«»`]{1,120}?)\\s+(?:all |boldly "
      "|neatly )?(?:" +
      std::string(kWriting) + ")\\s+(?:" + kPlaces + ")\\b");
  re2::StringPiece input(prompt.data(), prompt.size());
  re2::StringPiece text;
  while (RE2::FindAndConsume(&input, compiled(expression), &text)) {
    const auto start = static_cast<std::size_t>(text.data() - prompt.data());
    const bool covered = std::any_of(quotes.begin(), quotes.end(), [&](const Range& quote) {
      return quote.outer_start < start + text.size() && start < quote.outer_end;
    });
    if (!covered && !only_fillers(std::string_view(text.data(), text.size()))) {
      ranges.push_back({start, start + text.size(), start, start + text.size()});
    }
  }
}

// Japanese and Korean put the verb after the text: 看板にXと書いてある, 간판에 X라고 적혀 있다.
void add_before_verb(std::string_view prompt, const std::vector<Range>& quotes,
                     std::vector<Range>& ranges) {
  static const RE2 expression(
      "(?:(?:に|には|へ)([^に、。\\s「『\"“‘']+)(?:と(?:書|描|記|印)|の文字|という文字)|"
      "(?:에|에는)\\s+([^\"“‘'「『\\s][^\"“‘'「『]*?)\\s*(?:(?:이)?라고|라는|(?:이)?란)\\s*(?:적|"
      "쓰|쓴|글))");
  re2::StringPiece input(prompt.data(), prompt.size());
  re2::StringPiece japanese;
  re2::StringPiece korean;
  while (RE2::FindAndConsume(&input, compiled(expression), &japanese, &korean)) {
    const re2::StringPiece text = japanese.empty() ? korean : japanese;
    const auto start = static_cast<std::size_t>(text.data() - prompt.data());
    const bool covered = std::any_of(quotes.begin(), quotes.end(), [&](const Range& quote) {
      return quote.outer_start < start + text.size() && start < quote.outer_end;
    });
    if (!covered) ranges.push_back({start, start + text.size(), start, start + text.size()});
  }
}

// Letters put apart one by one are meant to be written, whatever stands before them.
void add_spelled(std::string_view prompt, std::vector<Range>& ranges) {
  static const RE2 expression("(?:^|[\\s(:])((?:\\pL[-.,*_~/|·•]\\s?){3,}\\pL)(?:$|[\\s).,:;!?])");
  re2::StringPiece input(prompt.data(), prompt.size());
  re2::StringPiece text;
  while (RE2::FindAndConsume(&input, compiled(expression), &text)) {
    const auto start = static_cast<std::size_t>(text.data() - prompt.data());
    ranges.push_back({start, start + text.size(), start, start + text.size()});
  }
}

}  // namespace

std::vector<RenderedText> extract(std::string_view prompt) {
  std::vector<RenderedText> result;
  if (prompt.empty()) return result;
  const std::vector<Point> points = points_of(prompt);
  const std::vector<Range> quotes = quoted(points);
  std::vector<Range> others;
  add_unquoted(prompt, quotes, others);
  add_before_participle(prompt, quotes, others);
  add_before_verb(prompt, quotes, others);
  add_spelled(prompt, others);
  for (const Range& quote : quotes) {
    result.push_back({std::string(prompt.substr(quote.start, quote.end - quote.start)), quote.start,
                      quote.end, true});
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const Range& a, const Range& b) { return a.start < b.start; });
  for (const Range& range : others) {
    const bool overlaps = std::any_of(result.begin(), result.end(), [&](const RenderedText& text) {
      return range.start < text.end && text.start < range.end;
    });
    if (overlaps) continue;
    result.push_back({std::string(prompt.substr(range.start, range.end - range.start)), range.start,
                      range.end, false});
  }
  std::sort(result.begin(), result.end(),
            [](const RenderedText& a, const RenderedText& b) { return a.start < b.start; });
  return result;
}

bool asks_for_acrostic(std::string_view prompt) {
  static const RE2 expression(
      "(?i)acrostic|acróstico|acrostiche|akrostichon|акростих|\\binitials?\\b|first letters?|"
      "one word per line|one word a line|each line|word on each|一行一");
  return RE2::PartialMatch(re2::StringPiece(prompt.data(), prompt.size()), compiled(expression));
}

}  // namespace glyphward::lexicon
