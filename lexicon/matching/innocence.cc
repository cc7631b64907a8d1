#include "lexicon/matching/innocence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

constexpr float kQuietMax = 11.0f;  // see quiet()
constexpr float kWordMin = 3.0f;    // no word costs less
constexpr float kYear = 5.3f;       // one of two hundred
constexpr std::size_t kUnspacedWordMax = 8;

bool is_common_sign(char32_t c) {
  static constexpr CharacterSet kCommon(U".,!?-'&:/()\"’#+;–—…“”„«»·。、！？：（）");
  return kCommon.contains(c);
}

// 0 for letters of Latin and Cyrillic, which make up words from few letters.
int script_of(char32_t c) {
  return c < 0x250 ? 0 : c >= 0x400 && c < 0x530 ? 1 : c >= 0x370 && c < 0x400 ? 2 : 3;
}

}  // namespace

// A way to read a run: its letters and what the rules cost that led to them.
struct Innocence::Letters {
  std::array<char32_t, kRunMax> letters{};
  std::uint8_t size = 0;
  Rules rules = 0;
  float cost = 0;
  float likely = 0;  // the letters as they follow each other, so far

  std::u32string_view view() const { return {letters.data(), size}; }
};

Innocence::Innocence(const NormalizedText& text, const Vocabulary& vocabulary,
                     std::vector<AllowList::Range> allowed, Effort effort)
    : text_(text),
      vocabulary_(vocabulary),
      table_(vocabulary.table()),
      allowed_(std::move(allowed)),
      effort_(effort) {
  find_words();
  weigh_languages();
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  edges_.reserve(size + size / 4 + 8);
  for (const AllowList::Range& range : allowed_) {
    if (range.any_word) continue;
    bool one_word = true;
    for (std::uint32_t i = range.begin; i < range.end; ++i)
      one_word = one_word && is_word(text.cells[i]);
    add(range.begin, range.end,
        {price(one_word ? Price::OneWordPhrase : Price::Phrase), How::Phrase});
  }
  for (std::uint32_t i = 0; i < size;) {
    const Cell& cell = text_.cells[i];
    if (!words_[i].inside) {
      const bool space = cell.kind == CellKind::Space;
      add(i, i + 1,
          {price(space                         ? Price::Space
                 : is_common_sign(cell.source) ? Price::Punctuation
                                               : Price::Sign),
           How::Sign});
      ++i;
      continue;
    }
    std::uint32_t end = words_[i].end;
    if (unspaced(i)) {
      add_unspaced(i, end);
    } else {
      add_word(i, end);
    }
    i = end;
  }
  add_stretches();
  add_spelled();
  add_broken();
  add_codes();
  find_paths();
}

char32_t Innocence::letter_of(const Cell& cell) const {
  if (is_apostrophe(cell.source)) return U'\'';
  if (cell.plain != 0) return fold_script(cell.plain);
  return cell.count > 0 ? text_.begin(cell)->letters[0] : cell.source;
}

std::u32string Innocence::plain(std::uint32_t begin, std::uint32_t end) const {
  std::u32string letters;
  for (std::uint32_t i = begin; i < end; ++i) letters.push_back(letter_of(text_.cells[i]));
  return letters;
}

bool Innocence::unspaced(std::uint32_t i) const { return is_unspaced(text_.cells[i].plain); }

// Written as what it is: a letter without marks, or a mark that is the letter's own.
bool Innocence::is_plain(std::uint32_t i) const {
  const Cell& cell = text_.cells[i];
  if (cell.kind != CellKind::Letter) return false;
  return cell.count > 0 && text_.begin(cell)->steps == 0 && text_.begin(cell)->size == 1;
}

void Innocence::find_words() {
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  words_.resize(size + 1);
  for (std::uint32_t i = 0; i <= size; ++i) words_[i].begin = words_[i].end = i;
  const auto letter = [&](std::uint32_t i) { return text_.cells[i].kind == CellKind::Letter; };
  for (std::uint32_t i = 0; i < size; ++i) {
    const Cell& cell = text_.cells[i];
    words_[i].inside = is_word(cell);
    // An apostrophe between letters, alone: a quotation mark stands beside a space or another.
    if (is_apostrophe(cell.source) && i > 0 && i + 1 < size && letter(i - 1) && letter(i + 1))
      words_[i].inside = true;
  }
  for (std::uint32_t i = 0; i < size;) {
    if (!words_[i].inside) {
      ++i;
      continue;
    }
    std::uint32_t end = i;
    const bool without_spaces = unspaced(i);
    while (end < size && words_[end].inside && unspaced(end) == without_spaces) ++end;
    for (std::uint32_t k = i; k < end; ++k) {
      words_[k].begin = i;
      words_[k].end = end;
    }
    i = end;
  }
}

// Each listed word votes for the language in which it is written most; terms do not. Where a word
// is a term in one language and ordinary in another, the others share their votes among all
// languages that have them often: "la" is no evidence for one.
void Innocence::weigh_languages() {
  Votes votes{};
  float all = 0;
  bool shared = false;
  std::vector<std::pair<WordHash, WordTable::Word>> telling_words;
  const auto size = static_cast<std::uint32_t>(text_.cells.size());
  for (std::uint32_t i = 0; i < size;) {
    const std::uint32_t end = std::max(words_[i].end, i + 1);
    if (words_[i].inside && end - i >= 2 && end - i <= kWordLettersMax) {
      const std::u32string letters = plain(i, end);
      const WordHash hash = hash_of(letters);
      const WordTable::Word word = vocabulary_.listed(hash, kNoLanguage);
      const bool telling = table_.tells(word, hash);
      if (telling && word.language != 0) telling_words.emplace_back(hash, word);
      shared = shared || vocabulary_.is_foreign(hash);
      if (telling || !vocabulary_.is_term(letters)) ++other_words_;
    }
    i = end;
  }
  constexpr std::size_t kSharedMax = 64;  // more tell by themselves
  shared = shared && telling_words.size() <= kSharedMax;
  for (const auto& [hash, word] : telling_words) {
    all += 1;
    if (shared) {
      share_vote(hash, word, votes);
    } else {
      votes[word.language] += 1;
    }
  }
  for (LanguageNumber i = 0; i < votes.size(); ++i) {
    if (votes[i] > 0 && votes[i] * 3 >= all) languages_ |= language_bit(i);
  }
}

// By how often a text of each language has the word.
void Innocence::share_vote(WordHash hash, const WordTable::Word& word, Votes& votes) const {
  Votes shares{};
  float all = 0;
  for (LanguageNumber i = 1; i <= table_.languages(); ++i) {
    const float inside = table_.word_in(i, hash);
    shares[i] = inside < kNever ? std::exp(-inside) : 0;
    all += shares[i];
  }
  // Of English it is not known, and English is half of all.
  if (all == 0 || table_.language(word.language) == "en") {
    const float most = 2 * std::exp(-word.cost);
    all += most - shares[word.language];
    shares[word.language] = most;
  }
  for (std::size_t i = 0; i < votes.size(); ++i) votes[i] += shares[i] / all;
}

// ----- words -----

float Innocence::price_unknown(std::u32string_view letters) const {
  float random = 1;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const int script = script_of(letters[i]);
    random += price(script < 2 ? Price::Random : Price::RandomOther);
    if (i > 0 && script != script_of(letters[i - 1])) random += price(Price::RandomScript);
  }
  return price(Price::Unknown) + std::min(random, table_.letters(letters));
}

// A frequent word, misspelt: a letter too many, too few or another, by ear, without its vowels.
// What comes to `most` need not be found.
Innocence::Priced Innocence::price_near(std::u32string_view letters, float most) const {
  Priced best;
  const std::size_t size = letters.size();
  const auto offer = [&](float cost) {
    if (cost < best.cost) best = {cost, How::Near};
  };
  const float near = price(Price::Near) + price(Price::NearLetter) * static_cast<float>(size);
  if (size >= 4 && size <= 12 && kWordMin + near < most) {
    float slip = table_.near(Key::Less, hash_of(letters));
    WordHash front = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const WordHash less = hash_join(front, hash_of(letters.substr(i + 1)), size - i - 1);
      slip = std::min(
          {slip, vocabulary_.listed(less, kNoLanguage).cost, table_.near(Key::Less, less)});
      front = hash_append(front, letters[i]);
    }
    offer(slip + near);
  }
  if (size >= 3 && size <= 14 && kWordMin + price(Price::ByEar) < most) {
    offer(table_.near(Key::Sound, hash_of(sound_skeleton(letters))) + price(Price::ByEar));
    offer(table_.near(Key::Bones, hash_of(letters)) + price(Price::ByEar));
  }
  return best;
}

// Words beside each other: listed ones run together, one and an ending, two with an apostrophe
// between. What comes to `most` need not be found.
Innocence::Priced Innocence::price_parts(std::u32string_view letters, float most) const {
  Priced best;
  const std::size_t size = letters.size();
  if (size > 3 && letters.substr(size - 2) == U"'s") {
    // An owner: as likely as the name.
    best = price_word(letters.substr(0, size - 2));
    best.cost += price(Price::Apostrophe);
    if (best.how == How::Listed) return best;
  } else if (const std::size_t at = letters.find(U'\''); at != letters.npos) {
    if (at == 0 || at + 1 >= size) return best;
    best.cost = price_word(letters.substr(0, at)).cost + price_word(letters.substr(at + 1)).cost +
                price(Price::Apostrophe);
    best.how = How::Compound;
    return best;
  }
  if (size < 6 || size > kWordLettersMax + 8) return best;
  const auto offer = [&](float cost) {
    if (cost < best.cost) best = {cost, How::Compound};
  };
  offer(run_together(letters, price(Price::Compound), std::min(most, best.cost)));
  WordHash front = hash_of(letters.substr(0, 3));
  for (std::size_t i = 3; i < size; ++i) {
    if (size - i <= 4) {
      const WordTable::Word first = vocabulary_.listed(front, languages_);
      if (first.cost < kNever && !vocabulary_.holds_term(letters.substr(0, i), first))
        offer(first.cost + table_.suffix(hash_of(letters.substr(i))) + price(Price::Affixed));
    }
    front = hash_append(front, letters[i]);
  }
  return best;
}

float Innocence::run_together(std::u32string_view letters, float extra, float most) const {
  constexpr float kShortMax = 8.0f;  // "a", "my", "is"
  std::array<float, kWordLettersMax + 9> costs;
  const std::size_t size = letters.size();
  if (size >= costs.size()) return kNever;
  costs.fill(kNever);
  costs[0] = -price(Price::FurtherWord);
  const float least = kWordMin + price(Price::FurtherWord) + extra;  // a word that goes on
  for (std::size_t i = 0; i < size; ++i) {
    if (costs[i] + least >= most) continue;
    WordHash hash = 0;
    for (std::size_t k = i; k < std::min(size, i + 14); ++k) {
      hash = hash_append(hash, letters[k]);
      const WordTable::Word word = vocabulary_.listed(hash, languages_);
      if (word.cost == kNever || (k - i < 2 && word.cost > kShortMax)) continue;
      const float cost = costs[i] + word.cost + price(Price::FurtherWord);
      if (cost >= costs[k + 1] || cost + (k + 1 < size ? least : extra) >= most) continue;
      if (vocabulary_.holds_term(letters.substr(i, k + 1 - i), word)) continue;
      costs[k + 1] = cost;
    }
  }
  return costs[size] < kNever ? costs[size] + extra : kNever;
}

// As it stands, or with an owner's s.
bool Innocence::is_term(std::u32string_view letters) const {
  const bool owner = letters.size() > 3 && letters.ends_with(U"'s");
  return vocabulary_.is_term(owner ? letters.substr(0, letters.size() - 2) : letters);
}

Innocence::Priced Innocence::price_word(std::u32string_view letters) const {
  if (letters.size() > kWordLettersMax + 8) return {price_unknown(letters), How::Unknown};
  const WordHash hash = hash_of(letters);
  const WordTable::Word word = vocabulary_.listed(hash, languages_);
  if (word.cost < kNever && !vocabulary_.holds_term(letters, word)) return {word.cost, How::Listed};
  const auto [it, added] = unlisted_.try_emplace(hash);
  Priced& priced = it->second;  // stays where it is, whatever is added for the word's parts
  if (added) priced = price_unlisted(letters);
  return priced;
}

Innocence::Priced Innocence::price_unlisted(std::u32string_view letters) const {
  Priced best{price_unknown(letters), How::Unknown};
  const auto offer = [&](Priced other) {
    if (other.cost < best.cost) best = other;
  };
  const bool term = is_term(letters);
  if (!term && !vocabulary_.is_inflected_term(letters)) offer(price_near(letters, best.cost));
  offer(price_parts(letters, best.cost));
  // What is spelled as a term is hardly another word that nobody knows.
  if (term) best.cost = std::max(best.cost, price(Price::TermAsWord));
  return best;
}

// As it is, and with doubled letters written once.
Innocence::Priced Innocence::price_letters(const Letters& letters) const {
  Priced best = price_word(letters.view());
  best.cost += letters.cost;
  if (best.how == How::Listed || is_term(letters.view())) return best;
  std::u32string once;
  for (const char32_t c : letters.view()) {
    if (once.empty() || once.back() != c) once.push_back(c);
  }
  const std::size_t doubled = letters.size - once.size();
  if (doubled == 0) return best;
  Priced squeezed = price_word(once);
  squeezed.cost +=
      letters.cost + channel_.write(bit(Rule::Repeat), letters.rules) +
      channel_.write(bit(Rule::Repeat), bit(Rule::Repeat)) * static_cast<float>(doubled - 1);
  if (squeezed.how == How::Unknown || squeezed.cost >= best.cost) return best;
  return {squeezed.cost, How::Near};
}

Innocence::Priced Innocence::price_run(const Cells& cells) const {
  if (cells.size() > kRunMax - 2) {
    return {price(Price::Unknown) + price(Price::Random) * static_cast<float>(cells.size()),
            How::Unknown};
  }
  // A hypothesis and one letter, or a few, behind it.
  struct Longer {
    std::uint32_t before = 0;
    std::array<char32_t, 3> letters{};
    std::uint8_t size = 0;
    Rules rules = 0;
    float cost = 0;
    float likely = 0;
  };
  std::vector<Letters> now(1);
  std::vector<Letters> next;
  std::vector<Longer> longer;
  const auto put = [&](std::uint32_t number, std::u32string_view letters, Rules rules,
                       float extra) {
    const Letters& before = now[number];
    if (before.size + letters.size() > kRunMax) return;
    Longer after{number, {}, 0, before.rules | rules, before.cost, before.likely};
    after.cost += channel_.write(rules, before.rules) + extra;
    std::array<char32_t, 6> last{};
    std::size_t known = std::min<std::size_t>(before.size, 3);
    std::copy_n(before.letters.data() + before.size - known, known, last.data());
    for (const char32_t c : letters) {
      const std::size_t seen = std::min<std::size_t>(known, 3);
      after.likely += table_.letter(c, last.data() + known - seen, seen);
      last[known++] = c;
      after.letters[after.size++] = c;
    }
    longer.push_back(after);
  };
  for (const std::uint32_t at : cells) {
    const Cell& cell = text_.cells[at];
    const char32_t c = letter_of(cell);
    const bool apostrophe = is_apostrophe(cell.source);
    longer.clear();
    for (std::uint32_t number = 0; number < now.size(); ++number) {
      bool any = false;
      for (const CellReading* r = text_.begin(cell); r != text_.end(cell); ++r) {
        if (r->steps & kSound) continue;
        any = true;
        put(number, {r->letters.data(), r->size}, rules_of(*r, cell), 0);
      }
      if (!any || apostrophe)
        put(number, std::u32string_view(&c, 1), 0, apostrophe ? 1 : price(Price::Sign) + 6);
    }
    const auto cheaper = [](const Longer& a, const Longer& b) {
      return a.cost + a.likely < b.cost + b.likely;
    };
    if (longer.size() > effort_.ordinary) {
      const auto kept = longer.begin() + static_cast<std::ptrdiff_t>(effort_.ordinary);
      std::partial_sort(longer.begin(), kept, longer.end(), cheaper);
      longer.erase(kept, longer.end());
    }
    next.clear();
    for (const Longer& one : longer) {
      Letters& after = next.emplace_back(now[one.before]);
      std::copy_n(one.letters.data(), one.size, after.letters.data() + after.size);
      after.size = static_cast<std::uint8_t>(after.size + one.size);
      after.rules = one.rules;
      after.cost = one.cost;
      after.likely = one.likely;
    }
    now.swap(next);
  }
  Priced best;
  for (const Letters& letters : now) {
    const Priced priced = price_letters(letters);
    if (priced.cost < best.cost) best = priced;
  }
  if (now.empty()) best.cost = price(Price::Unknown) + price(Price::Random) * kRunMax;
  return best;
}

void Innocence::add_word(std::uint32_t begin, std::uint32_t end) {
  const std::uint32_t size = end - begin;
  bool plain_letters = size <= kRunMax - 2;
  bool digits = true;
  bool any_digit = false;
  for (std::uint32_t i = begin; i < end; ++i) {
    plain_letters = plain_letters && (is_plain(i) || is_apostrophe(text_.cells[i].source));
    digits = digits && text_.cells[i].kind == CellKind::Digit;
    any_digit = any_digit || text_.cells[i].kind == CellKind::Digit;
  }
  if (digits) {
    const float cost = is_year(begin, end) ? kYear : price(Price::Digit) * static_cast<float>(size);
    add(begin, end, {price(Price::Number) + cost, How::Number});
  }
  if (plain_letters) {
    Letters letters;
    for (std::uint32_t i = begin; i < end; ++i)
      letters.letters[letters.size++] = letter_of(text_.cells[i]);
    const Priced priced = price_letters(letters);
    add(begin, end, priced);
    const bool name = add_name(begin, end, letters.view());
    const bool listed = priced.how == How::Listed || name;
    for (std::uint32_t i = begin; listed && i < end; ++i) {
      words_[i].listed = true;
      words_[i].quiet = priced.cost < kQuietMax && size > 1;
    }
    if (listed) return;
    bool ascii = true;
    for (std::uint32_t i = begin; i < end; ++i) ascii = ascii && text_.cells[i].plain < 0x80;
    if (ascii) return;
  }
  Cells cells;
  for (std::uint32_t i = begin; i < end; ++i) cells.push_back(i);
  add(begin, end, price_run(cells));
  if (!any_digit || digits) return;
  // Letters and numbers: "B52", "5th".
  float cost = 1;
  for (std::uint32_t i = begin; i < end;) {
    const bool digit = text_.cells[i].kind == CellKind::Digit;
    std::uint32_t to = i;
    while (to < end && (text_.cells[to].kind == CellKind::Digit) == digit) ++to;
    const auto count = static_cast<float>(to - i);
    if (digit) {
      cost += price(Price::Number) + price(Price::Digit) * count;
    } else {
      cost += std::min(price_word(plain(i, to)).cost, 3 + 3.3f * count);
    }
    i = to;
  }
  add(begin, end, {cost, How::Code});
}

// Of this century or the last.
bool Innocence::is_year(std::uint32_t begin, std::uint32_t end) const {
  if (end - begin != 4) return false;
  const char32_t first = text_.cells[begin].source;
  const char32_t second = text_.cells[begin + 1].source;
  return (first == U'1' && second == U'9') || (first == U'2' && second == U'0');
}

// A name, its owner's s aside. Whether it is one beyond doubt: its first letter alone is a capital.
bool Innocence::add_name(std::uint32_t begin, std::uint32_t end, std::u32string_view letters) {
  float cost = 0;
  if (letters.ends_with(U"'s")) {
    letters.remove_suffix(2);
    cost = price(Price::Apostrophe);
  }
  const float name = letters.size() < 2 ? kNever : vocabulary_.name(hash_of(letters));
  if (name == kNever) return false;
  const bool title = titled(begin);
  if (!title && vocabulary_.is_term(letters)) return false;  // names have a capital
  add(begin, end, {name + cost + price(title ? Price::NameTitle : Price::NameOther), How::Name});
  return title;
}

// Words by the list, wherever they may begin and end.
void Innocence::add_unspaced(std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t i = begin; i < end; ++i) {
    WordHash hash = 0;
    for (std::uint32_t k = i; k < end && k - i < kUnspacedWordMax; ++k) {
      hash = hash_append(hash, letter_of(text_.cells[k]));
      const WordTable::Word word = vocabulary_.listed(hash, languages_);
      if (word.cost < kNever) add(i, k + 1, {word.cost * 0.8f, How::Listed});
    }
    const char32_t c = letter_of(text_.cells[i]);
    add(i, i + 1, {price(Price::Unspaced) + table_.letter(c, nullptr, 0), How::Unknown});
  }
}

// ----- paths -----

void Innocence::find_paths() {
  const std::size_t size = text_.cells.size();
  std::stable_sort(edges_.begin(), edges_.end(),
                   [](const Edge& a, const Edge& b) { return a.begin < b.begin; });
  before_.assign(size + 1, kNever);
  from_.assign(size + 1, kNever);
  back_.assign(size + 1, 0);
  before_[0] = 0;
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    const Edge& edge = edges_[i];
    const float cost = before_[edge.begin] + edge.price.cost;
    if (before_[edge.begin] < kNever && cost < before_[edge.end]) {
      before_[edge.end] = cost;
      back_[edge.end] = static_cast<std::uint32_t>(i + 1);
    }
  }
  from_[size] = 0;
  for (auto edge = edges_.rbegin(); edge != edges_.rend(); ++edge) {
    if (from_[edge->end] < kNever)
      from_[edge->begin] = std::min(from_[edge->begin], from_[edge->end] + edge->price.cost);
  }
  bound_ = before_;
  for (std::size_t i = 1; i < size; ++i) {
    if (bound_[i] < kNever) continue;
    std::size_t end = i;
    while (before_[end] == kNever) ++end;
    const float step = (before_[end] - bound_[i - 1]) / static_cast<float>(end - i + 1);
    for (; i < end; ++i) bound_[i] = bound_[i - 1] + step;
  }
}

std::string Innocence::reading(std::uint32_t begin, std::uint32_t end) const {
  static constexpr std::array<const char*, 12> kMarks = {
      "", "", "~", "+", "?", "#", "#", "spelled ", "broken ", "masked ", "phrase ", "name "};
  std::vector<std::string> parts;
  for (std::uint32_t at = end; at > begin && back_[at] != 0;) {
    const Edge& edge = edges_[back_[at] - 1];
    if (edge.price.how != How::Sign) {
      const int tenths = static_cast<int>(std::lround(edge.price.cost * 10));
      parts.push_back(kMarks[static_cast<std::size_t>(edge.price.how)] +
                      encode(plain(edge.begin, edge.end)) + " " + std::to_string(tenths / 10) +
                      "." + std::to_string(tenths % 10));
    }
    at = edge.begin;
  }
  std::string result;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    result += (result.empty() ? "" : ", ") + *part;
  return result;
}

}  // namespace glyphward::lexicon
