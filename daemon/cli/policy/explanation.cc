#include "daemon/cli/policy/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "daemon/cli/output.h"
#include "lexicon/text/normalization.h"

namespace glyphward::daemon {
namespace {

struct NamedWords {
  std::string_view name;
  std::string_view words;
};

// lexicon/channel/rules.tsv.
constexpr std::array kRules = {
    NamedWords{"invisible", "invisible characters taken out"},
    NamedWords{"compatibility", "another form of the letter"},
    NamedWords{"accent", "its mark left out"},
    NamedWords{"marks", "the marks heaped on it left out"},
    NamedWords{"confusables", "a look-alike of another script"},
    NamedWords{"loose", "looks a little like it, in a word of several scripts"},
    NamedWords{"enclosed", "a letter in a circle or a square"},
    NamedWords{"leet", "a digit or a sign for a letter"},
    NamedWords{"similar", "a look-alike"},
    NamedWords{"drawn", "a letter drawn from signs"},
    NamedWords{"repeat", "written three times or more"},
    NamedWords{"double", "written twice"},
    NamedWords{"spelled", "written letter by letter, with the same between any two"},
    NamedWords{"irregular", "other signs between the letters"},
    NamedWords{"gap", "signs within the word"},
    NamedWords{"space_gap", "a space within the word"},
    NamedWords{"joined", "two words run together"},
    NamedWords{"mask", "a sign that hides a letter"},
    NamedWords{"mask_run", "and one more that it hides"},
    NamedWords{"weak_mask", "a sign that may hide a letter"},
    NamedWords{"sound", "spelled by ear"},
    NamedWords{"swap", "swapped with its neighbour"},
    NamedWords{"slip", "another letter mistyped"},
    NamedWords{"vowel", "another vowel written"},
    NamedWords{"drop_vowel", "a vowel left out"},
    NamedWords{"drop", "a letter left out"},
    NamedWords{"extra", "a letter too many"},
};

// The steps that are no rule's (lexicon/steps.h).
constexpr std::array kSteps = {
    NamedWords{"turned", "upside down"},
    NamedWords{"reversed", "from right to left"},
    NamedWords{"split", "put together from several texts or lines"},
    NamedWords{"acrostic", "first letters"},
    NamedWords{"spelling", "another spelling that the list has"},
    NamedWords{"inflection", "with an ending"},
    NamedWords{"compound", "inside a longer word"},
    NamedWords{"markup", "signs of a markup taken out"},
    NamedWords{"code", "decoded"},
};

// What Innocence::reading() (lexicon/matching) puts before a word.
constexpr std::array kOrdinary = {
    NamedWords{"~", "nearly an ordinary word"},
    NamedWords{"+", "two ordinary words together"},
    NamedWords{"?", "no ordinary word"},
    NamedWords{"#", "a number or a code"},
    NamedWords{"spelled ", "spelled letter by letter"},
    NamedWords{"broken ", "a word broken by signs"},
    NamedWords{"masked ", "a word with hidden letters"},
    NamedWords{"phrase ", "a harmless phrase"},
};
constexpr std::string_view kListed = "an ordinary word";

// Steps by which the cells are no longer the text's own, one by one.
constexpr std::array<std::string_view, 6> kReadOtherwise = {"turned",   "reversed", "split",
                                                            "acrostic", "markup",   "code"};

bool is_read_otherwise(const lexicon::Finding& finding) {
  return std::any_of(finding.steps.begin(), finding.steps.end(), [](const std::string& step) {
    return std::find(kReadOtherwise.begin(), kReadOtherwise.end(), step) != kReadOtherwise.end();
  });
}

// Empty if the table has none.
template <typename Table>
std::string_view words_for(std::string_view name, const Table& table) {
  for (const NamedWords& named : table) {
    if (named.name == name) return named.words;
  }
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where the cost begins that ends before `end`: "28.2" of "?a 28.2"; npos where none does.
std::size_t cost_begin(std::string_view text, std::size_t end) {
  if (end < 3 || !is_digit(text[end - 1]) || text[end - 2] != '.') return std::string_view::npos;
  std::size_t begin = end - 2;
  while (begin > 0 && is_digit(text[begin - 1])) --begin;
  if (begin == end - 2) return std::string_view::npos;
  if (begin > 0 && text[begin - 1] == '-') --begin;
  return begin > 1 && text[begin - 1] == ' ' ? begin : std::string_view::npos;
}

OrdinaryWord ordinary_word(std::string_view word, std::string_view cost) {
  for (const NamedWords& mark : kOrdinary) {
    if (word.size() > mark.name.size() && word.starts_with(mark.name))
      return {std::string(word.substr(mark.name.size())), std::string(cost), mark.words};
  }
  return {std::string(word), std::string(cost), kListed};
}

// "\"1\" for i: a digit or a sign for a letter (leet)".
std::string in_words(const Disguise& disguise, const std::vector<std::string>& glyphs) {
  std::string seen;
  if (disguise.cell < glyphs.size() && !glyphs[disguise.cell].empty())
    seen = fmt::format("\"{}\"", printable_line(glyphs[disguise.cell]));
  const bool same = !seen.empty() && glyphs[disguise.cell] == disguise.letter;
  if (!same && !disguise.letter.empty() && disguise.letter != " ")
    seen += (seen.empty() ? "" : " for ") + printable_line(disguise.letter);
  return fmt::format("{}{}{} ({})", seen, seen.empty() ? "" : ": ",
                     words_for(disguise.rule, kRules), disguise.rule);
}

// How the finding is read as its term, a line each.
std::vector<std::string> reading_lines(const lexicon::Finding& finding,
                                       const std::vector<std::string>& glyphs) {
  std::vector<std::string> lines;
  const std::vector<Disguise> disguises = disguises_of(finding.reading);
  for (const Disguise& disguise : disguises) lines.push_back(in_words(disguise, glyphs));
  for (const std::string& step : finding.steps) {
    const std::string_view words = words_for(step, kSteps);
    if (!words.empty()) lines.push_back(fmt::format("{} ({})", words, step));
    // The rules of the first findings of a text are told, of others the steps alone.
    if (words.empty() && disguises.empty()) lines.push_back(step);
  }
  if (lines.empty()) lines.emplace_back("the term as it stands");
  return lines;
}

}  // namespace

std::vector<Disguise> disguises_of(std::string_view reading) {
  std::vector<Disguise> disguises;
  // A letter may be a space, "joined( )@3": so a part goes on up to the digits behind its last @.
  for (std::size_t begin = 0; begin < reading.size();) {
    std::size_t at = reading.find('@', begin);
    while (at != reading.npos && (at + 1 >= reading.size() || !is_digit(reading[at + 1])))
      at = reading.find('@', at + 1);
    if (at == reading.npos) break;
    std::size_t end = at + 1;
    while (end < reading.size() && is_digit(reading[end])) ++end;
    Disguise disguise;
    std::from_chars(reading.data() + at + 1, reading.data() + end, disguise.cell);
    const std::string_view name = reading.substr(begin, at - begin);
    const std::size_t open = name.find('(');
    disguise.rule = std::string(name.substr(0, open));
    if (open != name.npos && name.back() == ')' && name.size() > open + 1)
      disguise.letter = std::string(name.substr(open + 1, name.size() - open - 2));
    disguises.push_back(std::move(disguise));
    begin = std::min(reading.size(), end + 1);
  }
  return disguises;
}

std::vector<OrdinaryWord> ordinary_words(std::string_view ordinary) {
  std::vector<OrdinaryWord> words;
  // A word may hold a comma itself, so it ends where a cost stands before one.
  for (std::size_t begin = 0, end = 0; begin < ordinary.size(); ++end) {
    end = std::min(ordinary.find(", ", end), ordinary.size());
    const std::string_view part = ordinary.substr(begin, end - begin);
    const std::size_t cost = cost_begin(part, part.size());
    if (cost != part.npos) {
      words.push_back(ordinary_word(part.substr(0, cost - 1), part.substr(cost)));
      begin = std::min(ordinary.size(), end + 2);
    }
    if (end == ordinary.size()) break;
  }
  return words;
}

std::vector<std::string> glyphs_of(const lexicon::Finding& finding, std::string_view prompt,
                                   const std::vector<lexicon::RenderedText>* texts) {
  if (is_read_otherwise(finding)) return {};
  // What was searched as one: the text that holds the finding, or what is between two.
  std::size_t start = 0;
  std::size_t end = prompt.size();
  for (std::size_t i = 0; texts != nullptr && i < texts->size(); ++i) {
    const lexicon::RenderedText& text = (*texts)[i];
    if (text.end <= finding.start) start = text.end;
    if (text.start <= finding.start && finding.end <= text.end) {
      if (!text.origins.empty()) return {};
      start = text.start;
      end = text.end;
      break;
    }
    if (text.start >= finding.end) {
      end = text.start;
      break;
    }
  }
  const std::string_view part = prompt.substr(start, end - start);
  std::vector<std::string> glyphs;
  for (const lexicon::Cell& cell : lexicon::normalize(part).cells) {
    const bool covered = cell.start + start >= finding.start && cell.end + start <= finding.end;
    glyphs.emplace_back(covered ? part.substr(cell.start, cell.end - cell.start)
                                : std::string_view());
  }
  return glyphs;
}

std::string explanation(const lexicon::Finding& finding, const std::vector<std::string>& glyphs,
                        double evidence_min, std::string_view indent) {
  std::string lines;
  std::string_view label;
  const auto add = [&](const std::string& line) {
    lines += fmt::format("{}{:<9} {}\n", indent, label, line);
    label = {};
  };
  label = "read as";
  for (const std::string& line : reading_lines(finding, glyphs)) add(line);
  label = "ordinary";
  const std::vector<OrdinaryWord> words = ordinary_words(finding.ordinary);
  for (const OrdinaryWord& word : words)
    add(fmt::format("{:>5}  \"{}\", {}", word.cost, printable_line(word.word), word.what));
  if (words.empty()) add("no word is compared");
  if (!words.empty() && is_read_otherwise(finding)) add("of the text that is read so");
  label = "evidence";
  add(fmt::format("{:.1f} nats{}: the margin is {:.1f}", finding.shown_evidence(),
                  finding.evidence < evidence_min ? ", too little" : "", evidence_min));
  return lines;
}

}  // namespace glyphward::daemon
