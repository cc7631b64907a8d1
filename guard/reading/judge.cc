#include "guard/reading/judge.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>

namespace glyphward::guard {
namespace {

// ---- Confusions of OCR --------------------------------------------------------------------------

char folded_character(char32_t c) {
  if (c >= 'a' && c <= 'z') return static_cast<char>(c);
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  switch (c) {
    case '0':
      return 'o';
    case '1':
    case '|':
    case '!':
    case 0x131:
      return 'i';  // U+0131: dotless i
    case '2':
      return 'z';
    case '3':
    case 0x20AC:
      return 'e';  // the euro sign
    case '4':
    case '@':
      return 'a';
    case '5':
    case '$':
    case 0xA7:
      return 's';  // the section sign
    case '6':
    case '9':
      return 'g';
    case '7':
      return 't';
    case '8':
    case 0xDF:
      return 'b';  // sharp s
    case 0xA9:
      return 'c';  // the copyright sign
    case 0xAE:
      return 'r';
    default:
      return '\0';
  }
}

// Letters that one shape may be: no cost. The lower-case l, the capital I and the digit 1 above
// all.
bool same_shape(char a, char b) {
  if (a == b) return true;
  return (a == 'i' || a == 'l') && (b == 'i' || b == 'l');
}

// Letters that a worn or soft picture turns into each other.
constexpr std::string_view kNearShapes[] = {
    "cg", "co", "oq", "do", "dp", "uv", "vy", "ef", "fp", "pr", "br", "bs", "hn", "mn",
    "kx", "kr", "xy", "it", "tf", "eb", "gs", "ad", "hk", "nw", "mw", "ij", "lj", "lt"};

// Half the cost of another letter.
bool near_shape(char a, char b) {
  return std::any_of(std::begin(kNearShapes), std::end(kNearShapes), [&](std::string_view pair) {
    return (pair[0] == a && pair[1] == b) || (pair[0] == b && pair[1] == a);
  });
}

// One letter that is read as two.
bool split_shape(char one, char first, char second) {
  switch (one) {
    case 'm':
      return (first == 'r' || first == 'i') && second == 'n';
    case 'w':
      return first == 'v' && second == 'v';
    case 'd':
      return first == 'c' && (second == 'l' || second == 'i');
    case 'k':
      return (first == 'l' || first == 'i') && second == 'c';
    case 'u':
    case 'n':
      return (first == 'l' || first == 'i') && (second == 'l' || second == 'i');
    default:
      return false;
  }
}

double substitution_cost(char a, char b) {
  return same_shape(a, b) ? 0 : near_shape(a, b) ? 0.5 : 1;
}

// What is written where a finding needs it: letters of `text` from byte `start` to `end`.
std::string folded_range(std::string_view text, std::size_t start, std::size_t end) {
  return folded_letters(text.substr(start, end - start));
}

// ---- Rules for variants -------------------------------------------------------------------------

struct Rule {
  std::string_view read;   // what OCR gave
  std::string_view drawn;  // what may stand there
};
// Digits for letters are the lexicon's business: it knows them as leetspeak.
constexpr Rule kRules[] = {{"rn", "m"}, {"vv", "w"}, {"VV", "W"}, {"cl", "d"}, {"l<", "k"},
                           {"|<", "k"}, {"I<", "K"}, {"ii", "u"}, {"l", "i"},  {"I", "l"},
                           {"i", "l"},  {"|", "i"},  {"v", "u"},  {"V", "U"},  {"q", "g"},
                           {"(", "c"},  {"{", "c"},  {"6", "g"},  {"8", "b"}};
constexpr std::size_t kVariantsMax = 64;

std::string replaced_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// The words of two large English dictionaries that the rules would turn into a term of the default
// lexicon: they mean themselves.
bool means_itself(std::string_view word) {
  static const std::set<std::string_view> words = {
      "blotch",   "blotched", "blotches", "blotching", "burn",  "burns",  "chiller", "chillers",
      "chillier", "cilice",   "click",    "clicks",    "clips", "darkle", "folia",   "foliar",
      "muzzle",   "muzzles",  "shelters", "shillong",  "stilt", "tilts",  "tittle",  "tittles"};
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return words.contains(lower);
}

// ---- Judging ------------------------------------------------------------------------------------

// A pass's text with the place of each word in it.
struct Laid {
  const Pass* pass = nullptr;
  std::string text;
  std::vector<std::size_t> starts;  // of pass->words
};

Laid laid_out(const Pass& pass) {
  Laid laid{&pass, pass.text(), {}};
  std::size_t at = 0;
  for (const Word& word : pass.words) {
    at = laid.text.find(word.text, at);
    laid.starts.push_back(at);
    at += word.text.size();
  }
  return laid;
}

// A term that was read.
struct Sighting {
  const Laid* laid = nullptr;
  std::string term;
  std::string read;        // folded letters of what was read for it
  std::vector<Box> boxes;  // of the words that it touches
  double confidence = 0;   // the lowest of them
};

Sighting sighting(const Laid& laid, const std::string& term, std::size_t start, std::size_t end) {
  Sighting found{&laid, term, folded_range(laid.text, start, end), {}, 100};
  for (std::size_t i = 0; i < laid.starts.size(); ++i) {
    const Word& word = laid.pass->words[i];
    if (laid.starts[i] >= end || laid.starts[i] + word.text.size() <= start) continue;
    found.boxes.push_back(word.box);
    found.confidence = std::min(found.confidence, word.confidence);
  }
  return found;
}

class Judge {
 public:
  Judge(const Reading& reading, const Expectation& expectation, const lexicon::Lexicon& lexicon)
      : reading_(reading), expectation_(expectation), lexicon_(lexicon) {
    for (const Pass& pass : reading.passes) laid_.push_back(laid_out(pass));
    for (const std::string& text : expectation.allowed_texts)
      if (std::string letters = folded_letters(text); !letters.empty())
        allowed_.push_back(std::move(letters));
  }

  Comparison run() {
    const std::optional<Replaced> missing = unconfirmed_replacement();
    for (const Laid& laid : laid_) {
      find_terms(laid);
      find_confused_terms(laid);
      find_replaced(laid, !missing.has_value());
    }
    std::erase_if(sightings_, [&](const Sighting& found) { return explained(found); });
    std::erase_if(sightings_, [&](const Sighting& found) { return noise(found); });
    if (!sightings_.empty()) return toxic();
    if (missing)
      return {Verdict::Unconfirmed,
              "\"" + missing->to + "\" is not read, which was to stand for a toxic word",
              {}};
    return {};
  }

 private:
  void find_terms(const Laid& laid) {
    for (const lexicon::Finding& finding : lexicon_.find(laid.text))
      if (finding.severity >= expectation_.severity_min)
        sightings_.push_back(sighting(laid, finding.term, finding.start, finding.end));
  }

  void find_confused_terms(const Laid& laid) {
    for (std::size_t i = 0; i < laid.starts.size(); ++i) {
      const std::string& word = laid.pass->words[i].text;
      if (word.size() < 3 || means_itself(word)) continue;
      for (const std::string& variant : confusion_variants(word))
        for (const lexicon::Finding& finding : lexicon_.find(variant))
          if (finding.severity >= expectation_.severity_min)
            sightings_.push_back(
                sighting(laid, finding.term, laid.starts[i], laid.starts[i] + word.size()));
    }
  }

  // Fuzzily, unless its replacement was read: then only the word itself counts.
  void find_replaced(const Laid& laid, bool confirmed) {
    const std::string letters = folded_letters(laid.text);
    if (letters.empty()) return;
    for (const Replaced& replaced : expectation_.replaced) {
      const std::string to = folded_letters(replaced.to);
      const double to_similarity = to.empty() ? 0 : similarity_within(to, letters);
      for (const std::string& text : replaced.from) {
        const std::string from = folded_letters(text);
        if (from.size() < 2) continue;
        const double similarity = similarity_within(from, letters);
        const double enough = confirmed ? 1.0 : fuzzy_similarity_min(from.size());
        if (similarity < enough || similarity <= to_similarity) continue;
        Sighting found{&laid, text, from, {}, 100};
        for (const Word& word : laid.pass->words)
          if (!folded_letters(word.text).empty()) found.boxes.push_back(word.box);
        found.confidence = 100;
        sightings_.push_back(std::move(found));
        break;
      }
    }
  }

  // One letter in four or five may be wrong, two in seven and more.
  static double fuzzy_similarity_min(std::size_t length) {
    if (length <= 3) return 1.0;
    return length < 7 ? 1.0 - 1.0 / static_cast<double>(length)
                      : 1.0 - 2.0 / static_cast<double>(length);
  }

  bool is_replaced(const std::string& term) const {
    return std::any_of(
        expectation_.replaced.begin(), expectation_.replaced.end(), [&](const Replaced& replaced) {
          return std::find(replaced.from.begin(), replaced.from.end(), term) != replaced.from.end();
        });
  }

  // The first replacement that no pass shows.
  std::optional<Replaced> unconfirmed_replacement() const {
    for (const Replaced& replaced : expectation_.replaced) {
      const std::string to = folded_letters(replaced.to);
      if (to.empty()) continue;
      const bool read = std::any_of(laid_.begin(), laid_.end(), [&](const Laid& laid) {
        return similarity_within(to, folded_letters(laid.text)) >=
               expectation_.replacement_similarity_min;
      });
      if (!read) return replaced;
    }
    return std::nullopt;
  }

  // Part of what was allowed ("cunt" in "SC UNTHORPE", or "damn" where the policy lets it pass); or
  // a misreading: the allowed text is near, and another pass read just that, at the same place and
  // no less surely.
  bool explained(const Sighting& found) const {
    if (is_replaced(found.term)) return false;
    const std::string letters = folded_letters(found.laid->text);
    for (const std::string& allowed : allowed_) {
      const double similarity = similarity_within(allowed, letters);
      if (allowed.find(found.read) != std::string::npos && similarity >= kExplainedSimilarity)
        return true;
      if (similarity >= kMisreadSimilarity && read_exactly_elsewhere(allowed, found)) return true;
    }
    return false;
  }

  bool read_exactly_elsewhere(const std::string& allowed, const Sighting& found) const {
    return std::any_of(laid_.begin(), laid_.end(), [&](const Laid& other) {
      if (&other == found.laid || folded_letters(other.text).find(allowed) == std::string::npos)
        return false;
      return std::any_of(other.pass->words.begin(), other.pass->words.end(), [&](const Word& word) {
        return word.confidence + kConfidenceSlack >= found.confidence &&
               std::any_of(found.boxes.begin(), found.boxes.end(),
                           [&](const Box& box) { return overlap(box, word.box); });
      });
    });
  }

  // Texture reads as short words now and then: three letters need a sure pass, or two.
  bool noise(const Sighting& found) const {
    if (found.read.size() > 3 || found.confidence >= expectation_.short_term_confidence_min)
      return false;
    return std::none_of(sightings_.begin(), sightings_.end(), [&](const Sighting& other) {
      return other.laid != found.laid && other.term == found.term;
    });
  }

  // The words that read so, and what other passes read at the same place and of the same size,
  // where one cut a letter off.
  std::vector<Box> toxic_boxes() const {
    std::vector<Box> boxes;
    int tallest = 0;
    for (const Sighting& found : sightings_)
      boxes.insert(boxes.end(), found.boxes.begin(), found.boxes.end());
    for (const Box& box : boxes) tallest = std::max(tallest, box.y1 - box.y0);
    const std::size_t count = boxes.size();
    for (const Pass& pass : reading_.passes)
      for (const Word& word : pass.words) {
        const bool like =
            2 * (word.box.y1 - word.box.y0) <= 3 * tallest && !folded_letters(word.text).empty();
        if (like && std::any_of(boxes.begin(), boxes.begin() + static_cast<std::ptrdiff_t>(count),
                                [&](const Box& box) { return overlap(box, word.box); }))
          boxes.push_back(word.box);
      }
    return merged(std::move(boxes));
  }

  Comparison toxic() const {
    const Sighting& first = sightings_.front();
    return {Verdict::Toxic,
            "\"" + first.term + "\" is read (" + first.laid->pass->name + ": \"" +
                first.laid->text + "\")",
            toxic_boxes()};
  }

  static constexpr double kExplainedSimilarity = 0.66;
  static constexpr double kMisreadSimilarity = 0.6;
  static constexpr double kConfidenceSlack = 5;

  const Reading& reading_;
  const Expectation& expectation_;
  const lexicon::Lexicon& lexicon_;
  std::vector<Laid> laid_;
  std::vector<std::string> allowed_;
  std::vector<Sighting> sightings_;
};

}  // namespace

std::string folded_letters(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkd = icu::Normalizer2::getNFKDInstance(error);
  if (U_FAILURE(error) != 0) throw std::runtime_error("reading: ICU has no NFKD data");
  const icu::UnicodeString decomposed =
      nfkd->normalize(icu::UnicodeString::fromUTF8(
                          icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()))),
                      error);
  if (U_FAILURE(error) != 0) throw std::runtime_error("reading: ICU cannot normalize a text");
  std::string letters;
  for (std::int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1))
    if (const char c = folded_character(static_cast<char32_t>(decomposed.char32At(i))); c != '\0')
      letters += c;
  return letters;
}

double similarity_within(std::string_view word, std::string_view text) {
  if (word.empty()) return 1;
  if (text.empty()) return 0;
  // Rows: letters of the word; columns: of the text, which may begin and end anywhere. cost[i][j]:
  // the least cost of word[0, i) against a part of the text that ends at j.
  const std::size_t rows = word.size() + 1, columns = text.size() + 1;
  std::vector<double> cost(rows * columns, 0);
  const auto at = [&](std::size_t i, std::size_t j) -> double& { return cost[i * columns + j]; };
  for (std::size_t i = 1; i < rows; ++i) {
    at(i, 0) = static_cast<double>(i);
    for (std::size_t j = 1; j < columns; ++j) {
      double best = std::min(at(i - 1, j), at(i, j - 1)) + 1;
      best = std::min(best, at(i - 1, j - 1) + substitution_cost(word[i - 1], text[j - 1]));
      if (j >= 2 && split_shape(word[i - 1], text[j - 2], text[j - 1]))
        best = std::min(best, at(i - 1, j - 2));
      if (i >= 2 && split_shape(text[j - 1], word[i - 2], word[i - 1]))
        best = std::min(best, at(i - 2, j - 1));
      if (i >= 2 && j >= 2 && same_shape(word[i - 1], text[j - 2]) &&
          same_shape(word[i - 2], text[j - 1]))
        best = std::min(best, at(i - 2, j - 2) + 1);  // two letters exchanged
      at(i, j) = best;
    }
  }
  double least = std::numeric_limits<double>::max();
  for (std::size_t j = 0; j < columns; ++j) least = std::min(least, at(rows - 1, j));
  return 1 - least / static_cast<double>(word.size());
}

std::vector<std::string> confusion_variants(std::string_view word) {
  std::vector<std::string> variants = {std::string(word)};
  for (const Rule& rule : kRules) {
    const std::size_t count = variants.size();
    for (std::size_t i = 0; i < count && variants.size() <= kVariantsMax; ++i) {
      std::string variant = replaced_all(variants[i], rule.read, rule.drawn);
      if (std::find(variants.begin(), variants.end(), variant) == variants.end())
        variants.push_back(std::move(variant));
    }
  }
  variants.erase(variants.begin());
  return variants;
}

Expectation expectation(const lexicon::Analysis& analysis, const policy::Decision& decision,
                        const policy::VerificationRules& verification) {
  Expectation expected;
  expected.allowed_texts = decision.allowed_texts;
  expected.severity_min = verification.severity_min;
  expected.replacement_similarity_min = verification.replacement_similarity_min;
  expected.short_term_confidence_min = verification.short_term_confidence_min;
  if (decision.action != policy::Action::Substitute) return expected;
  for (const policy::Substitution& substitution : decision.substitutions) {
    Replaced replaced{{}, substitution.to};
    for (const lexicon::Finding& finding : analysis.findings)
      if (finding.start < substitution.end && substitution.start < finding.end)
        replaced.from.push_back(finding.term);
    replaced.from.push_back(substitution.from);
    expected.replaced.push_back(std::move(replaced));
  }
  return expected;
}

Comparison compare(const Reading& reading, const Expectation& expectation,
                   const lexicon::Lexicon& lexicon) {
  return Judge(reading, expectation, lexicon).run();
}

}  // namespace glyphward::guard
