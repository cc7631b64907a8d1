#include "lexicon/written/written.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/table.h"
#include "lexicon/matching/trie.h"
#include "lexicon/tables.h"
#include "lexicon/text/unicode.h"
#include "lexicon/written/plain_text.h"

namespace glyphward::lexicon {
namespace {

// What an expression may take of memory, compiled; what does not fit is refused when it is read.
constexpr std::int64_t kExpressionBytes = 4 << 20;
constexpr std::int64_t kAllExpressionsBytes = 64 << 20;

RE2::Options expression_options(std::int64_t bytes) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(bytes);
  return options;
}

std::string digits_of(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](char c) { return c >= '0' && c <= '9'; });
  return digits;
}

// The check digit of card numbers (ISO/IEC 7812-1): every second digit from the right counts
// double, the sum of all is a multiple of ten. A number of one digit alone is none.
bool is_card_number(std::string_view text) {
  const std::string digits = digits_of(text);
  if (digits.size() < 13 || digits.size() > 19) return false;
  if (digits.find_first_not_of(digits[0]) == std::string::npos) return false;
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    const int weighed = i % 2 == 1 ? 2 * digit : digit;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 == 0;
}

using Check = std::function<bool(std::string_view)>;

struct Form {
  std::string expression;
  Check check;  // may be empty: all are good
};

Check read_check(const TableReader& table, const std::string& name) {
  if (name.empty()) return {};
  if (name == "luhn") return is_card_number;
  const std::string_view range = name;
  const std::size_t dash = range.find('-');
  std::size_t least = 0, most = 0;
  if (!range.starts_with("digits:") || dash == range.npos) table.fail("check", "unknown: " + name);
  std::from_chars(range.data() + 7, range.data() + dash, least);
  std::from_chars(range.data() + dash + 1, range.data() + range.size(), most);
  if (least == 0 || most < least) table.fail("check", "unknown: " + name);
  return [least, most](std::string_view text) {
    const std::size_t count = digits_of(text).size();
    return count >= least && count <= most;
  };
}

// By name; in the order of the table.
const std::map<std::string, std::vector<Form>>& forms() {
  static const std::map<std::string, std::vector<Form>> all = [] {
    std::map<std::string, std::vector<Form>> read;
    TableReader table("lexicon/written/forms.tsv", tables::lexicon_written_forms_tsv);
    table.expect_header({"form", "check", "expression"});
    while (table.next()) {
      const std::vector<std::string>& fields = table.fields();
      const RE2 compiled(fields[2], expression_options(kExpressionBytes));
      if (!compiled.ok()) table.fail("expression", compiled.error());
      if (compiled.NumberOfCapturingGroups() != 1) table.fail("expression", "expected one group");
      read[fields[0]].push_back({fields[2], read_check(table, fields[1])});
    }
    return read;
  }();
  return all;
}

bool is_word_letter(char32_t c) {
  return !is_unspaced(c) && (is_letter(c) || is_mark(c) || (c >= U'0' && c <= U'9'));
}

}  // namespace

struct WrittenSearch::Parts {
  struct Expression {
    std::uint32_t entry = 0;
    std::unique_ptr<RE2> compiled;
    Check check;
  };

  Trie literals;
  bool any_literal = false;
  std::vector<Expression> expressions;
  std::unique_ptr<RE2::Set> set;  // which of the expressions match at all: one pass for all

  void add(std::uint32_t entry, const std::string& expression, Check check) {
    auto compiled = std::make_unique<RE2>(expression, expression_options(kExpressionBytes));
    if (!compiled->ok()) throw std::runtime_error("regular expression: " + compiled->error());
    expressions.push_back({entry, std::move(compiled), std::move(check)});
  }

  // Where the set's memory does not do, each expression is asked by itself.
  void compile_set() {
    if (expressions.empty()) return;
    set = std::make_unique<RE2::Set>(expression_options(kAllExpressionsBytes), RE2::UNANCHORED);
    for (const Expression& expression : expressions)
      set->Add(expression.compiled->pattern(), nullptr);
    if (!set->Compile()) set.reset();
  }

  void find_literals(const PlainText& text, std::vector<WrittenMatch>& matches) const {
    const std::u32string& letters = text.letters;
    for (std::size_t start = 0; start < letters.size(); ++start) {
      if (start > 0 && is_word_letter(letters[start]) && is_word_letter(letters[start - 1]))
        continue;
      std::uint32_t node = Trie::kRoot;
      for (std::size_t i = start; i < letters.size(); ++i) {
        node = literals.child(node, fold_case(letters[i]));
        if (node == Trie::kNone) break;
        const bool ends = i + 1 == letters.size() || !is_word_letter(letters[i]) ||
                          !is_word_letter(letters[i + 1]);
        if (!ends) continue;
        for (auto value = literals.values_begin(node); value != literals.values_end(node); ++value)
          matches.push_back({*value, text.starts[start], text.starts[i + 1]});
      }
    }
  }

  std::vector<int> candidates(const PlainText& text) const {
    std::vector<int> found;
    RE2::Set::ErrorInfo error{RE2::Set::kNoError};
    if (set && (set->Match(text.utf8, &found, &error) || error.kind == RE2::Set::kNoError)) {
      std::sort(found.begin(), found.end());
      return found;
    }
    for (std::size_t i = 0; i < expressions.size(); ++i) found.push_back(static_cast<int>(i));
    return found;
  }

  void find_expression(const Expression& expression, const PlainText& text,
                       std::vector<WrittenMatch>& matches) const {
    const re2::StringPiece whole(text.utf8);
    const bool grouped = expression.compiled->NumberOfCapturingGroups() > 0;
    re2::StringPiece groups[2];
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.utf8.size();) {
      if (!expression.compiled->Match(whole, at, whole.size(), RE2::UNANCHORED, groups,
                                      grouped ? 2 : 1))
        break;
      const re2::StringPiece& match =
          grouped && groups[1].data() != nullptr ? groups[1] : groups[0];
      const auto begin = static_cast<std::size_t>(match.data() - whole.data());
      std::size_t end = begin + match.size();
      // The sign behind a match may be the one before the next.
      at = std::max(end, at + 1);
      if (match.empty() || (expression.check && !expression.check({match.data(), match.size()})))
        continue;
      const bool last = ++count > kMatchesMax;
      if (last) end = text.utf8.size();
      matches.push_back(
          {expression.entry, text.starts[text.places[begin]], text.starts[text.places[end]]});
      if (last) break;
    }
  }
};

WrittenSearch::WrittenSearch(const std::vector<Entry>& entries) {
  auto parts = std::make_unique<Parts>();
  std::vector<Trie::Key> keys;
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (entry.flags & kLiteral) {
      keys.push_back({fold_literal(entry.term.term), i});
      for (const std::string& form : entry.forms) keys.push_back({fold_literal(form), i});
    }
    if (entry.flags & kRegex) {
      for (const std::string& expression : entry.forms) parts->add(i, expression, {});
    }
    if (entry.flags & kForm) {
      for (const Form& form : forms().at(entry.term.term))
        parts->add(i, form.expression, form.check);
    }
  }
  if (keys.empty() && parts->expressions.empty()) return;
  parts->any_literal = !keys.empty();
  parts->literals.build(std::move(keys));
  parts->compile_set();
  parts_ = std::move(parts);
}

WrittenSearch::WrittenSearch(WrittenSearch&&) noexcept = default;
WrittenSearch::~WrittenSearch() = default;

void WrittenSearch::find(std::string_view text, std::vector<WrittenMatch>& matches) const {
  if (!parts_ || text.empty()) return;
  const PlainText plain(text);
  if (parts_->any_literal) parts_->find_literals(plain, matches);
  if (parts_->expressions.empty()) return;
  for (const int i : parts_->candidates(plain))
    parts_->find_expression(parts_->expressions[static_cast<std::size_t>(i)], plain, matches);
}

std::string expression_fault(const std::string& expression) {
  const RE2 compiled(expression, expression_options(kExpressionBytes));
  if (!compiled.ok()) return compiled.error();
  if (RE2::FullMatch("", compiled)) return "it matches the empty text";
  return {};
}

const std::vector<std::string>& form_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, rows] : forms()) all.push_back(name);
    return all;
  }();
  return names;
}

std::u32string fold_literal(std::string_view literal) {
  std::u32string letters = PlainText(literal).letters;
  for (char32_t& c : letters) c = fold_case(c);
  return letters;
}

}  // namespace glyphward::lexicon
