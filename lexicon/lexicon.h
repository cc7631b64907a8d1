// The lexicon: toxic terms and the harmless phrases that contain them, and the search for them in a
// prompt.
//
//   prompt --extract--> rendered texts --normalize--> readings --match--> findings, with offsets
//   into the prompt's bytes
//
// A Lexicon is immutable once loaded: analyze() and find() may run on any number of threads.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glyphward::lexicon {

// One line of a lexicon file.
struct Term {
  std::string term;      // canonical form, NFC, lower case: "asshole"
  std::string category;  // profanity sexual insult racial religious lgbtq ableist hate violence
  int severity = 0;      // 0 (harmless) .. 7 (worst), Azure AI Content Safety's scale
  std::string language;  // BCP 47: "en"; "und" for any
};

// A text that the picture would show, as the prompt writes it.
struct RenderedText {
  std::string text;       // its bytes in the prompt, without the quotation marks
  std::size_t start = 0;  // byte offsets into the prompt: [start, end)
  std::size_t end = 0;
  bool quoted =
      false;  // between quotation marks; otherwise after a verb of writing ("that says X")
};

// A term found. Offsets are bytes into the prompt as the user sent it, whatever normalization did
// in between.
struct Finding {
  std::string term;  // canonical form, as the lexicon has it
  std::string category;
  int severity = 0;
  std::string language;
  std::size_t start = 0;  // [start, end): the smallest run of the prompt that holds the whole match
  std::size_t end = 0;
  std::string matched;    // prompt.substr(start, end - start)
  bool rendered = false;  // in the text to be rendered; otherwise elsewhere in the prompt
  std::vector<std::string>
      steps;  // the normalizations that led from matched to term: {"confusables", "leet"}
  // If the term was put together from several quotes or lines: the bytes of each, [first, second).
  // Empty otherwise.
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
};

// What analyze() found in a prompt.
struct Analysis {
  std::vector<RenderedText> rendered;  // in order of position; empty if the prompt asks for no text
  std::vector<Finding>
      findings;  // in order of position; overlapping findings: the most severe, then the longest
};

class Lexicon {
 public:
  // Reads one or more lexicon files (docs/LEXICON.md). Throws ConfigError naming file, line and
  // field; an empty list is an error.
  static std::shared_ptr<const Lexicon> load(const std::vector<std::filesystem::path>& files);

  virtual ~Lexicon() = default;

  // The whole way for a prompt. Linear in prompt.size(). Invalid UTF-8 reads as U+FFFD: it cannot
  // hide a term.
  virtual Analysis analyze(std::string_view prompt) const = 0;

  // Searches a text that is known to be shown, such as an OCR reading: every finding has rendered =
  // true.
  virtual std::vector<Finding> find(std::string_view text) const = 0;

  virtual const std::vector<Term>& terms() const = 0;

  // SHA-256 (hex) over all that decides what is found: the files' bytes in the order given, and the
  // matcher's version.
  virtual const std::string& revision() const = 0;
};

// The category of OpenAI's moderation API for one of ours (docs/LEXICON.md): "hate", "sexual",
// "harassment" or "violence".
std::string_view openai_category(std::string_view category);

}  // namespace glyphward::lexicon
