#include "lexicon/text/extraction/cues.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "lexicon/text/extraction/asked.h"

namespace glyphward::lexicon::extraction {
namespace {

constexpr std::size_t kLeadMax = 8;      // steps between a cue and its text
constexpr std::size_t kNearMax = 6;      // words between a thing and its capitals, its colon
constexpr std::size_t kBracketMax = 60;  // tokens in brackets behind a cue
constexpr std::size_t kTextMax = 60;     // tokens before "written on it"
constexpr std::size_t kSaidMax = 12;     // tokens that only describe a text
constexpr std::size_t kLineMax = 200;    // tokens of a line of `key: value`

// What closes a bracket or an emphasis; 0 if the sign opens none.
char32_t closing_sign(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> kPairs[] = {
      {U'(', U')'},   {U'[', U']'},   {U'{', U'}'},   {U'<', U'>'},   {U'⟨', U'⟩'},
      {U'（', U'）'}, {U'［', U'］'}, {U'｛', U'｝'}, {U'＜', U'＞'}, {U'〔', U'〕'},
      {U'*', U'*'},   {U'_', U'_'},   {U'~', U'~'},   {U'=', U'='},   {U'|', U'|'},
      {U'/', U'/'},   {U'#', U'#'},   {U'^', U'^'},   {U'+', U'+'},   {U'★', U'★'}};
  for (const auto& [open, close] : kPairs) {
    if (open == c) return close;
  }
  return 0;
}

// What stands between a cue and its text.
struct Lead {
  std::size_t text = 0;  // the token that the text begins with
  bool colon = false;
  bool noun = false;
};

class Cues {
 public:
  Cues(Scene& scene, std::vector<bool>& cued) : scene_(scene), cued_(cued) {
    strict_ = !scene.marked().empty();
    std::size_t words = 0;
    std::size_t capitals = 0;
    for (std::size_t i = 0; i < scene.size(); ++i) {
      words += scene.word(i) && !scene.covered(i) ? 1 : 0;
      capitals += scene[i].capitals && !scene.covered(i) ? 1 : 0;
    }
    shouted_ = words > 0 && capitals * 2 > words;
  }

  std::vector<Shown> run() && {
    // The surer rules first: what one takes, none takes again.
    for (const Span& span : radio_words(scene_)) add(span, Certainty::Likely);
    for (const Span& span : halves(scene_)) add(span, Certainty::Likely);
    each(&Cues::behind_verb);
    each(&Cues::says);
    each(&Cues::noun);
    each(&Cues::participle);
    each(&Cues::named);
    each(&Cues::request);
    each(&Cues::put);
    each(&Cues::colon);
    each(&Cues::dash);
    each(&Cues::capitals);
    each(&Cues::on_it);
    free_chains();
    std::sort(found_.begin(), found_.end(),
              [](const Shown& a, const Shown& b) { return a.start < b.start; });
    return std::move(found_);
  }

 private:
  void each(void (Cues::*rule)(std::size_t)) {
    for (std::size_t i = 0; i < scene_.size(); ++i) {
      if (!scene_.covered(i)) (this->*rule)(i);
    }
  }

  // ----- taking a text -----

  void add(Span span, Certainty certainty) {
    const auto trimmed = [&](std::size_t i) {
      const char32_t c = scene_[i].first;
      return scene_[i].kind != TokenKind::Word &&
             (scene_[i].kind == TokenKind::Line ||
              std::u32string_view(U",:;-–—=，：；、").find(c) != std::u32string_view::npos);
    };
    while (span.first < span.last && trimmed(span.first)) ++span.first;
    while (span.first < span.last && trimmed(span.last - 1)) --span.last;
    if (span.first >= span.last) return;
    found_.push_back({scene_[span.first].start, scene_[span.last - 1].end, false, certainty});
    scene_.cover(span);
  }

  // The quotation at the token is asked for.
  bool take_quotation(std::size_t i) {
    const auto quotation = scene_.quotation(i);
    if (quotation) cued_[*quotation] = true;
    return quotation.has_value();
  }

  // Whether a text may begin at the token. After a noun more is description: "text elements".
  bool begins_text(std::size_t i, bool after_noun) const {
    if (i >= scene_.size() || scene_.covered(i) || scene_.breaks(i)) return false;
    if (scene_[i].capitals) return true;
    if (scene_.is(i, kScene)) return false;
    if (after_noun) return !scene_.is(i, kStop | kPlace | kOnIt | kWritten | kPen | kSays | kReads);
    const bool place = scene_.is(i, kPlace) || scene_.is(i, kStop);
    const std::size_t next = scene_.behind(i);
    return !(place && (scene_.is(next, kArticle | kLetters | kScene) || next == scene_.size() ||
                       scene_.breaks(next)));
  }

  // The text that begins at the token, however it is marked.
  void take(std::size_t i, bool after_noun) {
    if (take_quotation(i) || take_bracket(i)) return;
    if (!begins_text(i, after_noun)) return;
    const std::size_t reach = scene_.text_end(i);
    std::size_t end = i;
    while (end < reach && !scene_.covered(end)) ++end;
    if (end > i && !only_said_about(i, end)) add({i, end}, Certainty::Likely);
  }

  // "big red letters": words about a text, no text.
  bool only_said_about(std::size_t first, std::size_t last) const {
    if (last - first > kSaidMax) return false;
    bool words = false;
    for (std::size_t i = first; i < last; i = scene_.behind(i)) {
      words = words || scene_.word(i);
      if (scene_.word(i) && !scene_.is(i, kLetters | kArticle | kFiller | kNoun | kTitle | kPlace))
        return false;
    }
    return words;
  }

  // *x*, **x**, (((x))), {x|y}: surely a text where a cue leads to it.
  bool take_bracket(std::size_t i) {
    if (i >= scene_.size() || scene_.covered(i) || scene_[i].kind != TokenKind::Sign) return false;
    const char32_t open = scene_[i].first;
    const char32_t close = closing_sign(open);
    if (close == 0) return false;
    std::size_t first = i;
    while (scene_.sign(first, open)) ++first;
    const std::size_t limit = std::min(scene_.size(), first + kBracketMax);
    if (first >= limit || (close == open && scene_[first].spaced)) return false;
    std::size_t last = first;
    while (last < limit && !scene_.sign(last, close)) {
      if (scene_[last].kind == TokenKind::Line) return false;
      if (take_quotation(last)) return true;
      ++last;
    }
    if (last == limit || last == first) return false;
    add_alternatives({first, last});
    std::size_t end = last;
    while (scene_.sign(end, close)) ++end;
    scene_.cover({i, end});
    return true;
  }

  void add_alternatives(Span inside) {
    std::size_t last = inside.last;
    // (x:1.2)
    for (std::size_t i = inside.first + 1; i < inside.last; ++i) {
      if (!scene_.sign(i, U':') || i + 1 >= inside.last || !scene_[i + 1].digit) continue;
      last = i;
      break;
    }
    std::size_t first = inside.first;
    for (std::size_t i = first; i <= last; ++i) {
      if (i < last && !scene_.sign(i, U'|')) continue;
      if (i > first) add({first, i}, Certainty::Surely);
      first = i + 1;
    }
  }

  // ----- what leads from a cue to its text -----

  Lead lead(std::size_t i) const {
    Lead lead{i, false, false};
    for (std::size_t step = 0; step < kLeadMax; ++step) {
      const std::size_t next = lead_step(lead);
      if (next == lead.text) break;
      lead.text = next;
    }
    return lead;
  }

  // Behind one part of the lead; lead.text if none is there.
  std::size_t lead_step(Lead& lead) const {
    const std::size_t i = lead.text;
    if (i >= scene_.size() || scene_.covered(i)) return i;
    const Token& token = scene_[i];
    if (token.kind == TokenKind::Sign) return lead_sign(lead);
    if (token.kind != TokenKind::Word) return i;
    if ((token.own & kPlace) != 0) {
      if (const std::size_t end = behind_letters(i); end > i) {
        lead.noun = lead.noun || scene_.is(end - 1, kNoun);
        return end;
      }
    }
    if (const std::size_t end = behind_noun(i, lead); end > i) {
      lead.noun = true;
      return end;
    }
    const std::size_t next = scene_.behind(i);
    const bool to_text = scene_.covered(next) || is_colon(next);
    if (scene_.is(i, kFiller) && (to_text || lead.noun || scene_.key(i) == "out")) return next;
    return i;
  }

  bool is_colon(std::size_t i) const { return scene_.sign(i, U':') || scene_.sign(i, U'：'); }

  std::size_t lead_sign(Lead& lead) const {
    const std::size_t i = lead.text;
    const char32_t c = scene_[i].first;
    if (std::u32string_view(U":=：＝→").find(c) != std::u32string_view::npos) {
      const bool weight = scene_[i].first == U':' && i + 1 < scene_.size() && scene_[i + 1].digit &&
                          !scene_[i + 1].spaced;
      if (weight) return i;
      lead.colon = true;
      return i + 1;
    }
    if (std::u32string_view(U"-–—>").find(c) != std::u32string_view::npos) return i + 1;
    // A comma only before what is said about the text, or before its mark.
    if (c == U',' || c == U'，' || c == U'(') {
      const bool said = c != U'(' && scene_.word(i + 1) && (scene_[i + 1].own & kPlace) != 0 &&
                        behind_letters(i + 1) > i + 1;
      if (scene_.quotation(i + 1) || said) return i + 1;
    }
    return i;
  }

  // "in big red letters": behind the first noun of such words; the token itself if there is none.
  std::size_t behind_letters(std::size_t i) const {
    const std::size_t limit = std::min(scene_.size(), i + kNearMax);
    for (std::size_t at = scene_.behind(i); at < limit; ++at) {
      if (!scene_.word(at) || scene_.covered(at)) break;
      if (scene_.is(at, kLetters)) return scene_.behind(at);
    }
    return i;
  }

  // "the words", "a big title": behind the noun; the token itself if there is none.
  std::size_t behind_noun(std::size_t i, const Lead& lead) const {
    std::size_t at = i;
    if (scene_.is(at, kArticle)) {
      at = scene_.behind(at);
      if (scene_.is(scene_.behind(at), kNoun) && !scene_.is(at, kNoun | kArticle)) ++at;
    } else if (!lead.colon && !scene_.is(at, kNoun)) {
      return i;
    }
    if (at >= scene_.size() || scene_.covered(at) || !scene_.is(at, kNoun)) return i;
    const std::size_t next = scene_.behind(at);
    const bool leads = at > i || scene_.covered(next) || is_colon(next);
    return leads ? next : i;
  }

  // ----- the rules -----

  // "that says X", "上面写着X"; "reads X" of a thing, not of a person; "shows X" of capitals.
  void says(std::size_t i) {
    if (!scene_.is(i, kSays | kReads | kShows)) return;
    const Lead to = lead(scene_.behind(i));
    if (take_quotation(to.text)) return;
    const bool asked = to.noun || to.colon || begins_capitals(to.text);
    const bool sure = scene_.is(i, kSays) || (scene_.is(i, kReads) && of_thing(i));
    if (sure || asked) take(to.text, false);
  }

  bool begins_capitals(std::size_t i) const {
    return i < scene_.size() && scene_[i].capitals && !scene_.is(i, kAcronym);
  }

  // "a sign reading", "which should read", "the word"
  bool of_thing(std::size_t i) const {
    if (i == 0) return false;
    std::size_t at = i - 1;
    if (scene_.sign(at, U',') && at > 0) --at;
    if ((scene_[at].own & kSubject) != 0) return true;
    // The last word of a thing's name: phrases begin at their first word.
    for (std::size_t first = at + 1; first-- > 0 && at - first < 3;) {
      if (scene_.is(first, kBearer | kNoun) && scene_.behind(first) == at + 1) return true;
    }
    return false;
  }

  // "the word X", "caption: X", "license plate X"
  void noun(std::size_t i) {
    if (!scene_.is(i, kNoun | kTitle)) return;
    const Lead to = lead(scene_.behind(i));
    if (take_quotation(to.text)) return;
    if (to.colon) {
      if (bracket_or_value(to.text)) return;
      take(to.text, false);
      return;
    }
    if (begins_capitals(to.text) && (!shouted_ || introduced(i))) return take(to.text, true);
    if (take_bracket(to.text)) return;
    const bool spaced_script = !scene_[i].unspaced;
    if (strict_ && !(is_word(i) && introduced(i))) return;
    const bool direct = to.text == scene_.behind(i) || to.noun;
    const bool leads = spaced_script && direct &&
                       (introduced(i) || (scene_.is(i, kTitle) && starts_clause_or_thing(i)));
    if (leads) take(to.text, true);
  }

  // Behind a preposition or at the beginning: "with the text", "title"; a word needs only an
  // article: "the word".
  bool introduced(std::size_t i) const {
    const std::size_t first = scene_.clause(i).first;
    if (i == first || scene_[i - 1].apostrophe) return true;
    constexpr Classes kLeads = kLink | kSays | kReads | kShows | kWrite;
    if ((scene_[i - 1].own & kLeads) != 0) return true;
    if ((scene_[i - 1].own & kArticle) == 0) return false;
    return is_word(i) || i - 1 == first || (scene_[i - 2].own & kLeads) != 0;
  }
  bool is_word(std::size_t i) const { return scene_.is(i, kWord); }
  bool starts_clause_or_thing(std::size_t i) const {
    return i == scene_.clause(i).first || scene_.word(i - 1);
  }

  // In a prompt of lines of `key: value`, the value goes on to the end of its line.
  bool bracket_or_value(std::size_t i) {
    if (take_bracket(i)) return true;
    if (i >= scene_.size() || scene_.covered(i)) return false;
    const std::size_t limit = std::min(scene_.size(), i + kLineMax);
    std::size_t end = i;
    while (end < limit && scene_[end].kind != TokenKind::Line && !scene_.covered(end)) ++end;
    if (end >= limit || scene_[end].kind != TokenKind::Line) return false;
    std::size_t key = end + 1;
    while (key < scene_.size() && key < end + 4 && scene_.word(key)) ++key;
    if (!scene_.sign(key, U':') || key == end + 1 || end == i) return false;
    add({i, end}, Certainty::Likely);
    return true;
  }

  // "printed with X", "with X written on it", "X written in the sand"
  void participle(std::size_t i) {
    if (!scene_.is(i, kWritten | kPen)) return;
    const std::size_t next = scene_.behind(i);
    if (scene_.is(next, kPlace | kFiller)) {
      const std::string_view key = scene_.key(next);
      if (key == "with" || key == "as") return printed_with(i, next);
    }
    if (take_quotation(lead(next).text)) return;
    if (i > 0 && scene_.quotation(i - 1)) {
      take_quotation(i - 1);
    } else if (scene_.is(next, kPlace | kOnIt) || next == scene_.size() || scene_.breaks(next)) {
      text_before(i);
    } else if (of_thing(i) && scene_[next].title) {
      take(next, false);
    }
  }

  void printed_with(std::size_t i, std::size_t with) {
    const Lead to = lead(with);
    const std::size_t start = to.text == with ? scene_.behind(with) : to.text;
    if (take_quotation(start)) return;
    // "a cushion printed with leaves" shows leaves.
    const bool asked = to.noun || scene_.is(i, kPen) || begins_capitals(start) ||
                       (start < scene_.size() && scene_[start].title);
    if (asked && !scene_.is(start, kArticle)) take(start, false);
  }

  // The text before a participle: behind "with" or the like, or all that its clause has.
  void text_before(std::size_t i) {
    const Span clause = scene_.clause(i);
    std::size_t first = std::max(clause.first, i > kTextMax ? i - kTextMax : 0);
    bool linked = false;
    std::size_t last = i;
    while (last > first && scene_.is(last - 1, kSubject) && !scene_.is(last - 1, kBearer)) --last;
    for (std::size_t at = last; at-- > first;) {
      if (scene_.covered(at)) {
        take_quotation(at);
        return;
      }
      if (scene_.is(at, kLink) && scene_.behind(at) < last) {
        // "with rock and roll written on it": "and" is a link only where nothing better is.
        const std::string_view key = scene_.key(at);
        const bool weak = key == "and" || key == "of";
        if (weak && linkless(first, at)) continue;
        first = scene_.behind(at);
        linked = true;
        break;
      }
    }
    if (const std::size_t text = behind_noun(first, {}); text > first) {
      if (text < last) add({text, last}, Certainty::Likely);
      return;
    }
    const bool plain = scene_.is(i, kPen);
    const bool picture = scene_.is(first, kArticle) && !(plain && linked);
    if (first >= last || picture || only_said_about(first, last)) return;
    if (begins_capitals(first) || (plain && linked) ||
        (plain && !scene_.holds({first, last}, kBearer | kArticle | kStop)))
      add({first, last}, Certainty::Likely);
  }

  // Whether a better link than "and" stands before the token.
  bool linkless(std::size_t first, std::size_t at) const {
    for (std::size_t i = first; i < at; ++i) {
      if (scene_.is(i, kLink) && scene_.key(i) != "and" && scene_.key(i) != "of") return true;
    }
    return false;
  }

  // "a company called X": of what has a name that a picture shows.
  void named(std::size_t i) {
    const bool so_called = i > 0 && scene_.sign(i - 1, U'-');
    if (!scene_.is(i, kNamed) || so_called) return;
    const std::size_t next = scene_.behind(i);
    if (take_quotation(next)) return;
    const Span before{std::max(scene_.clause(i).first, i > kNearMax ? i - kNearMax : 0), i};
    const bool shown = scene_.holds(before, kNamable | kBearer);
    if (!shown || next >= scene_.size()) return;
    if (!scene_.is(next, kArticle | kStop) || scene_[next].title) take(next, false);
  }

  // "write X on the wall", "put X on the sign"
  void request(std::size_t i) {
    if (!scene_.is(i, kWrite)) return;
    const Span clause = scene_.clause(i);
    const bool opens = i == clause.first || scene_.is(i - 1, kSubject | kLink) ||
                       scene_.key(i - 1) == "please" || scene_.key(i - 1) == "then";
    if (!opens) return;
    const Lead to = lead(scene_.behind(i));
    if (take_quotation(to.text)) return;
    const std::size_t limit = std::min(clause.last, i + kTextMax);
    for (std::size_t at = to.text + 1; at < limit; ++at) {
      if (scene_.covered(at)) return;
      if (!scene_.is(at, kPlace)) continue;
      if (!scene_.holds({at, std::min(limit, at + kNearMax)}, kBearer)) continue;
      if (!to.noun && scene_.is(to.text, kArticle)) return;
      return add({to.text, at}, Certainty::Likely);
    }
    const std::string_view key = scene_.key(i);
    if (key == "write" || key == "spell" || key == "type" || key == "make it say")
      if (!scene_.is(to.text, kArticle) || to.noun) take(to.text, true);
  }

  // "carve X into the bark"
  void put(std::size_t i) {
    const PutOn put = put_on(scene_, i);
    if (put.shown) add(put.text, Certainty::Likely);
  }

  // "sign — X": a word or two to the prompt's end.
  void dash(std::size_t i) {
    constexpr std::size_t kWordsMax = 3;
    if (!scene_.sign(i, U'—') && !scene_.sign(i, U'–') && !scene_.sign(i, U'-')) return;
    const bool spaced = scene_[i].spaced && i + 1 < scene_.size() && scene_[i + 1].spaced;
    const std::size_t words = scene_.size() - i - 1;
    if (!spaced || i == 0 || words > kWordsMax || scene_.is(i + 1, kArticle | kScene)) return;
    if (scene_.is(i - 1, kBearer) && !strict_) add({i + 1, scene_.size()}, Certainty::Likely);
  }

  // "speech bubble: X", "sign over the door: X"
  void colon(std::size_t i) {
    if (!is_colon(i)) return;
    const bool number = i + 1 < scene_.size() && scene_[i + 1].digit && !scene_[i + 1].spaced;
    if (i == 0 || i + 1 >= scene_.size() || number) return;
    const Span before{std::max(scene_.clause(i).first, i > kNearMax ? i - kNearMax : 0), i};
    if (take_quotation(i + 1) || !scene_.holds(before, kBearer | kNoun)) return;
    // "a poster for the city: a tram climbs a hill" goes on about the picture.
    const bool direct = of_thing(i);
    const bool capital = scene_[i + 1].title || scene_[i + 1].unspaced;
    if (capital || (direct && !scene_.is(i + 1, kArticle)) || scene_.chain(i + 1))
      take(i + 1, false);
  }

  // Capitals beside a thing that bears text: "neon sign OPEN", "a WELCOME banner"; one by itself
  // where there were others: "the left page shows SHI, the right page P".
  void capitals(std::size_t i) {
    const bool alone = scene_[i].letter && scene_[i].title && !found_.empty() &&
                       (i + 1 == scene_.size() || scene_.breaks(i + 1)) && of_thing(i);
    if (alone && !scene_.is(i - 1, kSubject)) return add({i, i + 1}, Certainty::Likely);
    if (shouted_ || !scene_[i].capitals || (i > 0 && scene_[i - 1].capitals)) return;
    if (scene_.is(i, kAcronym) && !scene_[i + 1 < scene_.size() ? i + 1 : i].capitals) return;
    const std::size_t end = scene_.capitals_end(i);
    const Span clause = scene_.clause(i);
    if (scene_.quoted(clause)) return;
    const std::size_t from = std::max(clause.first, i > kNearMax ? i - kNearMax : 0);
    const Span beside{from, std::min(clause.last, end + 4)};
    if (only_acronyms(i, end) || !scene_.holds(beside, kBearer | kNoun | kCall)) return;
    add({i, end}, Certainty::Likely);
  }

  bool only_acronyms(std::size_t first, std::size_t last) const {
    for (std::size_t i = first; i < last; i = scene_.behind(i)) {
      if (scene_[i].capitals && !scene_.is(i, kAcronym)) return false;
    }
    return true;
  }

  // "a wall with Whoops on it": a capital, or it may be a picture.
  void on_it(std::size_t i) {
    if (!scene_.is(i, kOnIt)) return;
    const std::size_t from = std::max(scene_.clause(i).first, i > kNearMax ? i - kNearMax : 0);
    for (std::size_t at = i; at-- > from;) {
      if (scene_.covered(at)) return;
      if (!scene_.is(at, kLink) || scene_.behind(at) >= i) continue;
      const std::size_t first = scene_.behind(at);
      if (scene_[first].title && !scene_.is(first, kArticle | kAcronym))
        add({first, i}, Certainty::Likely);
      return;
    }
  }

  // 看板にXと書いてある: the verb behind its text.
  void behind_verb(std::size_t i) {
    if (!scene_.is(i, kBehind) || i == 0) return;
    if (take_quotation(i - 1)) return;
    const Span clause = scene_.clause(i);
    const std::size_t from = std::max(clause.first, i > kTextMax ? i - kTextMax : 0);
    for (std::size_t at = i; at-- > from;) {
      if (scene_.covered(at)) return;
      if (!scene_.is(at, kBefore) || scene_.behind(at) >= i) continue;
      // 에 leads to a text where its word ends.
      const std::size_t first = scene_.behind(at);
      const bool hangul = scene_[at].first >= 0xAC00 && scene_[at].first <= 0xD7A3;
      if (hangul && !scene_[first].spaced) continue;
      // "auf der linken Seite steht X": the place, not the text.
      if (scene_.is(first, kOrdinal) && !scene_[first].title) return;
      return add({first, i}, Certainty::Likely);
    }
  }

  // Letters put apart are meant to be written, whatever stands before them.
  void free_chains() {
    for (const Span& chain : scene_.chains()) {
      if (scene_.covered(chain.first) || scene_.covered(chain.last - 1)) continue;
      std::size_t letters = 0;
      bool large = true;
      for (std::size_t i = chain.first; i < chain.last; ++i) {
        letters += scene_[i].letter ? 1 : 0;
        large = large && (!scene_[i].letter || scene_[i].title);
      }
      if (letters > 3 || large) add(chain, Certainty::Likely);
    }
  }

  Scene& scene_;
  std::vector<bool>& cued_;
  std::vector<Shown> found_;
  bool strict_ = false;   // the prompt has quotations: what it wants drawn stands in them
  bool shouted_ = false;  // most of it is in capitals, which then tell nothing
};

}  // namespace

std::vector<Shown> read_cues(Scene& scene, std::vector<bool>& cued) {
  return Cues(scene, cued).run();
}

}  // namespace glyphward::lexicon::extraction
