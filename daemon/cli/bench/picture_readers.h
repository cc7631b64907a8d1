// What reads the pictures of `glyphward bench bundled`, and what counts as read. One thread at a
// time (one OCR engine, one program).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/cli/bench/second_reader.h"
#include "guard/reading/ocr.h"
#include "model/localize.h"

namespace glyphward::daemon {

// The name of the guard's own reader: Tesseract, several ways.
inline constexpr const char* kGuardReader = "guard";

class PictureReaders {
 public:
  // `ocr` must outlive this. `second_reader`: a command, see SecondReader; empty: none. Throws
  // std::runtime_error if it does not start.
  PictureReaders(guard::Ocr& ocr, const std::string& second_reader);

  // By the second reader where there is one, else by the guard's. All three throw
  // std::runtime_error where a reader fails.
  SeenByReader judge(const model::Image& image);
  // By all of them.
  SeenByReader all(const model::Image& image);
  // As localization wants it, by the one of judge() that gives boxes; its name is localizer().
  model::PairScore score(const model::Image& image, const model::PromptPair& pair);
  const std::string& localizer() const { return localizer_; }

 private:
  TextSeen by_guard(const model::Image& image);

  guard::Ocr& ocr_;
  std::unique_ptr<SecondReader> second_;
  std::string localizer_ = kGuardReader;
};

// Capitals and digits of a text: what counts in a reading.
std::string squeezed(std::string_view text);

// Is this read, whatever the line breaks, and nothing else? By one of a reader's ways.
bool reads_exactly(const TextSeen& seen, const std::vector<std::string>& words);

// Does the word appear anywhere in what is read? As a generous reader sees it: confusable digits
// and signs count as letters.
bool shows(const TextSeen& seen, std::string_view word);

}  // namespace glyphward::daemon
