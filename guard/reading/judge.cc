#include "guard/reading/judge.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "base/utf8.h"
#include "guard/reading/confusions.h"

// How a reading is judged. OCR gave several passes over one picture; each is a text with boxes and
// confidences, and each may be wrong in its own way.
//
//   1. Sightings. Everything in any pass that could be a toxic word:
//        a. what the lexicon finds in the pass's text;
//        b. what the lexicon finds in the variants of each of its words: what OCR may have misread
//           ("b|tch"), by its confusions alone (confusions.tsv). Never by edit distance to the
//           lexicon, which has a slur one letter away from "duck". Words that mean themselves
//           ("burn") have no variants;
//        c. the words that were substituted, by similarity. Here a distance is right: the model was
//           once asked for this word, so something near it is more likely the word than chance.
//   2. What is explained goes: a sighting that is part of an allowed text, or that another pass,
//      at the same place and as sure of itself, read as exactly an allowed text. A text excuses
//      nothing if it hides a term from the lexicon ("fu - ck"): models draw it without what hides
//      it.
//   3. Noise goes: three letters that one unsure pass alone read.
//   4. The verdict. Toxic if a sighting is left. Else Unconfirmed if a substitute was not read,
//      which leaves open what the picture shows instead. Else Clean.
//
// Toxic comes before Unconfirmed: what is read weighs more than what is not. Noise is decided
// after the explained ones are gone, so that one cannot vouch for the other. All comparisons are of
// folded letters (confusions.h), since case, accents and 0 for o say nothing in a reading.

namespace glyphward::guard {
namespace {

// As a model may draw the text: without signs and gaps between letters, words parted by one space.
std::string without_signs(std::string_view text) {
  std::string drawn;
  for_each_character(text, [&](std::optional<char32_t> character, std::string_view bytes) {
    if (!character) return;
    const auto c = static_cast<UChar32>(*character);
    const auto type = U_MASK(u_charType(c));
    if ((type & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0) {
      drawn += bytes;
    } else if (u_isUWhiteSpace(c) && !drawn.empty() && drawn.back() != ' ') {
      drawn += ' ';
    }
  });
  return drawn;
}

// Whether the text holds a term that the lexicon does not see in it as it is written: screening has
// not judged it, so it can excuse nothing.
bool hides_a_term(std::string_view text, int severity_min, const lexicon::Lexicon& lexicon) {
  std::set<std::string> seen;
  for (const lexicon::Finding& finding : lexicon.find(text)) seen.insert(finding.term);
  const std::vector<lexicon::Finding> drawn = lexicon.find(without_signs(text));
  return std::any_of(drawn.begin(), drawn.end(), [&](const lexicon::Finding& finding) {
    return finding.severity >= severity_min && !seen.contains(finding.term);
  });
}

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

// A term at [start, end) of the pass's text.
Sighting sighting(const Laid& laid, const std::string& term, std::size_t start, std::size_t end) {
  Sighting found{
      &laid, term, folded_letters(std::string_view(laid.text).substr(start, end - start)), {}, 100};
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
    for (const std::string& text : expectation.allowed_texts) {
      if (hides_a_term(text, expectation.severity_min, lexicon)) continue;
      if (std::string letters = folded_letters(text); !letters.empty())
        allowed_.push_back(std::move(letters));
    }
  }

  Comparison run() {
    const SubstitutedWord* missing = unconfirmed_word();
    for (const Laid& laid : laid_) {
      find_terms(laid);
      find_confused_terms(laid);
      find_substituted_words(laid, missing == nullptr);
    }
    std::erase_if(sightings_, [&](const Sighting& found) { return explained(found); });
    drop_noise();
    if (!sightings_.empty()) return toxic();
    if (missing)
      return {Verdict::Unconfirmed,
              "\"" + missing->substitute + "\" is not read, which was to stand for a toxic word",
              {}};
    return {};
  }

 private:
  // What the lexicon finds in a pass's text as it stands.
  void find_terms(const Laid& laid) {
    for (const lexicon::Finding& finding : lexicon_.find(laid.text))
      if (finding.severity >= expectation_.severity_min)
        sightings_.push_back(sighting(laid, finding.term, finding.start, finding.end));
  }

  // What the lexicon finds in the words that OCR may have misread into these. Word by word: a
  // variant of a whole line would be a variant in some other word.
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

  // The words that were substituted, looked for fuzzily: the picture was asked for them once, so
  // what is nearer to one than to its substitute is one. But where all substitutes were read, what
  // is left is noise unless it is the word itself.
  void find_substituted_words(const Laid& laid, bool confirmed) {
    const std::string letters = folded_letters(laid.text);
    if (letters.empty()) return;
    for (const SubstitutedWord& word : expectation_.substituted) {
      const std::string substitute = folded_letters(word.substitute);
      const double substitute_similarity =
          substitute.empty() ? 0 : similarity_within(substitute, letters);
      for (const std::string& text : word.from) {
        const std::string from = folded_letters(text);
        if (from.size() < 2) continue;
        const double similarity = similarity_within(from, letters);
        const double enough = confirmed ? 1.0 : fuzzy_similarity_min(from.size());
        if (similarity < enough || similarity <= substitute_similarity) continue;
        Sighting found{&laid, text, from, {}, 100};
        for (const Word& read : laid.pass->words)
          if (!folded_letters(read.text).empty()) found.boxes.push_back(read.box);
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

  bool is_substituted(const std::string& term) const {
    return std::any_of(expectation_.substituted.begin(), expectation_.substituted.end(),
                       [&](const SubstitutedWord& word) {
                         return std::find(word.from.begin(), word.from.end(), term) !=
                                word.from.end();
                       });
  }

  // The first word whose substitute no pass shows; null if there is none.
  const SubstitutedWord* unconfirmed_word() const {
    for (const SubstitutedWord& word : expectation_.substituted) {
      const std::string substitute = folded_letters(word.substitute);
      if (substitute.empty()) continue;
      const bool read = std::any_of(laid_.begin(), laid_.end(), [&](const Laid& laid) {
        return similarity_within(substitute, folded_letters(laid.text)) >=
               expectation_.replacement_similarity_min;
      });
      if (!read) return &word;
    }
    return nullptr;
  }

  // Part of what was allowed ("cunt" in "SC UNTHORPE", or "damn" where the policy lets it pass); or
  // a misreading: the allowed text is near, and another pass read just that, at the same place and
  // no less surely.
  bool explained(const Sighting& found) const {
    if (is_substituted(found.term)) return false;
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

  void drop_noise() {
    std::vector<Sighting> kept;
    for (const Sighting& found : sightings_)
      if (!noise(found)) kept.push_back(found);
    sightings_ = std::move(kept);
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

  // How much of an allowed text a pass must show for a term within that text to be part of it.
  static constexpr double kExplainedSimilarity = 0.66;
  // And for another pass's exact reading of it to outvote the term.
  static constexpr double kMisreadSimilarity = 0.6;
  static constexpr double kConfidenceSlack = 5;  // of 100: as sure as the other

  const Reading& reading_;
  const Expectation& expectation_;
  const lexicon::Lexicon& lexicon_;
  std::vector<Laid> laid_;            // of each pass
  std::vector<std::string> allowed_;  // letters of the allowed texts
  std::vector<Sighting> sightings_;   // point into laid_
};

}  // namespace

Expectation expectation(const lexicon::Analysis& analysis, const policy::Decision& decision,
                        const policy::VerificationRules& verification) {
  Expectation expected;
  expected.allowed_texts = decision.allowed_texts;
  expected.severity_min = verification.severity_min;
  expected.replacement_similarity_min = verification.replacement_similarity_min;
  expected.short_term_confidence_min = verification.short_term_confidence_min;
  if (decision.action != policy::Action::Substitute) return expected;
  for (const policy::Substitution& substitution : decision.substitutions) {
    SubstitutedWord word{{}, substitution.to};
    for (const lexicon::Finding& finding : analysis.findings)
      if (finding.start < substitution.end && substitution.start < finding.end)
        word.from.push_back(finding.term);
    word.from.push_back(substitution.from);
    expected.substituted.push_back(std::move(word));
  }
  return expected;
}

Comparison compare(const Reading& reading, const Expectation& expectation,
                   const lexicon::Lexicon& lexicon) {
  return Judge(reading, expectation, lexicon).run();
}

}  // namespace glyphward::guard
