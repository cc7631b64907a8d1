#include "lexicon/text/extraction/marked.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/table.h"
#include "lexicon/tables.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon::extraction {
namespace {

struct Opener {
  std::u32string closers;
  bool single = false;  // an apostrophe, too: never closed, it opened nothing
};

struct MarkTable {
  std::unordered_map<char32_t, Opener> openers;
  std::unordered_set<char32_t> all;

  MarkTable() {
    TableReader reader("lexicon/text/extraction/marks.tsv",
                       tables::lexicon_text_extraction_marks_tsv);
    reader.expect_header({"open", "close", "kind"});
    while (reader.next()) {
      const std::string& open = reader.fields()[0];
      const std::string& close = reader.fields()[1];
      const std::string& kind = reader.fields()[2];
      if (kind != "single" && kind != "double")
        reader.fail("kind", "expected single or double, found '" + kind + "'");
      std::size_t offset = 0;
      if (open.empty()) reader.fail("open", "expected a mark, found none");
      const char32_t c = decode(open, offset);
      if (offset != open.size()) reader.fail("open", "expected one mark, found '" + open + "'");
      Opener opener;
      opener.single = kind == "single";
      for (std::size_t at = 0; at < close.size();) opener.closers.push_back(decode(close, at));
      if (opener.closers.empty()) reader.fail("close", "expected at least one mark, found none");
      all.insert(c);
      all.insert(opener.closers.begin(), opener.closers.end());
      openers[c] = std::move(opener);
    }
  }
};

const MarkTable& marks() {
  static const MarkTable table;
  return table;
}

// How far behind a doubtful end a better one is looked for.
constexpr std::size_t kReach = 60;

class Finder {
 public:
  explicit Finder(const Tokens& tokens) : tokens_(tokens), list_(tokens.list) {}

  std::vector<Marked> run() && {
    std::vector<Marked> found;
    for (std::size_t i = 0; i < list_.size();) {
      const Opener* opener = opens(i);
      if (opener == nullptr) {
        ++i;
        continue;
      }
      const std::size_t size = run_of(i);
      if (const std::optional<Marked> twice = marked_twice(i, size, *opener)) {
        found.push_back(*twice);
        i = twice->last;
        continue;
      }
      const bool empty = size == 2 && !opener->single &&
                         (i + 2 == list_.size() || list_[i + 2].spaced || ends_clause(i + 2));
      const std::optional<std::size_t> close =
          empty ? std::optional<std::size_t>() : closing(i, size, *opener);
      const bool open_end = !close && !empty && !opener->single;
      if (!close && !open_end) {
        i += size;
        continue;
      }
      const std::size_t end = close.value_or(list_.size());
      const bool escaped = i > 0 && list_[i - 1].sign(U'\\') && !list_[i].spaced;
      Marked one{escaped ? i - 1 : i, std::min(end + std::min(size, run_of(end)), list_.size()), 0,
                 0};
      if (bytes(i + size, end, i, one)) found.push_back(one);
      i = one.last;
    }
    return found;
  }

 private:
  bool ends_clause(std::size_t i) const {
    return list_[i].sign(U',') || list_[i].sign(U'.') || list_[i].kind == TokenKind::Line;
  }

  // How many of the same mark stand side by side.
  std::size_t run_of(std::size_t i) const {
    std::size_t end = i;
    while (end < list_.size() && list_[end].sign(list_[i].first) &&
           (end == i || !list_[end].spaced))
      ++end;
    return end - i;
  }

  bool word(std::size_t i) const { return i < list_.size() && list_[i].kind == TokenKind::Word; }
  // A word stands at the sign, with no space between; one of a script that parts words by spaces.
  bool word_before(std::size_t i) const {
    return i > 0 && !list_[i].spaced && word(i - 1) && !list_[i - 1].unspaced;
  }
  bool word_after(std::size_t i) const {
    return word(i + 1) && !list_[i + 1].spaced && !list_[i + 1].unspaced;
  }

  const Opener* opens(std::size_t i) const {
    const Token& token = list_[i];
    if (token.kind != TokenKind::Sign) return nullptr;
    const auto it = marks().openers.find(token.first);
    if (it == marks().openers.end() || i + 1 == list_.size()) return nullptr;
    const Opener& opener = it->second;
    const bool before = word_before(i);
    if ((opener.single || token.first == U'״') && before) return nullptr;
    if (opener.single && word(i + 1) && shortened(i + 1)) return nullptr;
    // What only closes: 5" screen, 24"x36", a stray mark.
    const Token& next = list_[i + 1];
    const bool same = next.sign(token.first);
    if (before && !same && (next.spaced || next.kind != TokenKind::Word)) return nullptr;
    if (before && list_[i - 1].digit && tokens_.key(next).starts_with('x')) return nullptr;
    return &opener;
  }

  // '90s, 'til, 'n'
  bool shortened(std::size_t i) const {
    const std::string_view key = tokens_.key(list_[i]);
    const bool decade = key.size() == 3 && key[0] >= '0' && key[0] <= '9' && key[2] == 's';
    const bool and_word =
        key == "n" && !list_[i].title && i + 1 < list_.size() && is_apostrophe(list_[i + 1].first);
    return decade || and_word || key == "til" || key == "em" || key == "cause" || key == "twas";
  }

  bool closes(std::size_t i, const Opener& opener) const {
    const Token& token = list_[i];
    if (token.kind != TokenKind::Sign) return false;
    if (opener.closers.find(token.first) == std::u32string::npos) return false;
    if (is_apostrophe(token.first) || token.first == U'´') {
      // Inside a word, or at the beginning of a shortened one.
      if (word_before(i) && word_after(i)) return false;
      if (token.spaced && word_after(i)) return false;
    }
    return true;
  }

  // An end that another may follow: inside a word (cu"nt), or an owner's apostrophe (the boys'
  // club).
  bool doubtful(std::size_t i, const Opener& opener) const {
    if (word_before(i) && word_after(i)) return true;
    // `Rock 'n' Roll`, but `x' too.
    if (opener.closers.find(U'`') != std::u32string::npos && !list_[i].sign(U'`')) return true;
    return opener.closers.find(U'\'') != std::u32string::npos && word_before(i) && word(i + 1) &&
           list_[i + 1].spaced && tokens_.key(list_[i - 1]).ends_with('s');
  }

  bool opens_anew(std::size_t i) const {
    return list_[i].kind == TokenKind::Sign && (i == 0 || list_[i].spaced) && word_after(i) &&
           marks().openers.contains(list_[i].first);
  }

  // The token of the mark that closes the text; a run of marks is closed by a run.
  std::optional<std::size_t> closing(std::size_t open, std::size_t size, const Opener& opener) {
    const char32_t kind = list_[open].first;
    if (size > 1 && !no_run_.contains(kind)) {
      for (std::size_t i = open + size; i < list_.size(); ++i) {
        if (closes(i, opener) && run_of(i) >= std::min<std::size_t>(size, 2)) return i;
      }
      no_run_.insert(kind);
    }
    if (exhausted_.contains(kind)) return std::nullopt;
    std::size_t i = open + size;
    while (i < list_.size() && !closes(i, opener)) ++i;
    if (i == list_.size()) {
      exhausted_.insert(kind);
      return std::nullopt;
    }
    if (!doubtful(i, opener)) return i;
    const std::size_t reach = std::min(list_.size(), i + kReach);
    for (std::size_t better = i + 1; better < reach && !opens_anew(better); ++better) {
      if (list_[better].kind == TokenKind::Line) break;
      if (closes(better, opener) && !doubtful(better, opener)) return better;
    }
    return i;
  }

  // "“x”": marks of two kinds, side by side at both ends.
  std::optional<Marked> marked_twice(std::size_t open, std::size_t size, const Opener& opener) {
    const std::size_t second = open + size;
    if (second >= list_.size() || list_[second].spaced || !word_after(second)) return std::nullopt;
    const Opener* inner = opens(second);
    if (inner == nullptr) return std::nullopt;
    const std::optional<std::size_t> close = closing(second, 1, *inner);
    if (!close || *close + 1 >= list_.size() || !closes(*close + 1, opener)) return std::nullopt;
    Marked one{open, *close + 2, 0, 0};
    if (!bytes(second + 1, *close, open, one)) return std::nullopt;
    return one;
  }

  // The bytes between the tokens, without escapes; false if none is left.
  bool bytes(std::size_t first, std::size_t last, std::size_t open, Marked& out) const {
    const bool escaped = open > 0 && list_[open - 1].sign(U'\\') && !list_[open].spaced;
    while (escaped && last > first && list_[last - 1].sign(U'\\')) --last;
    if (first >= last) return false;
    out.start = list_[first].start;
    out.end = list_[last - 1].end;
    return true;
  }

  const Tokens& tokens_;
  const std::vector<Token>& list_;
  std::unordered_set<char32_t> exhausted_;  // openers for which the rest has no closer
  std::unordered_set<char32_t> no_run_;     // ... and no run of them
};

}  // namespace

std::vector<Marked> find_marked(const Tokens& tokens) { return Finder(tokens).run(); }

bool is_quotation_mark(char32_t c) { return marks().all.contains(c); }

}  // namespace glyphward::lexicon::extraction
