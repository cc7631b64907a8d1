// Reads the text in a picture. Tesseract, several ways (scale, binarization, page segmentation),
// since one way misses what another reads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guard/reading/box.h"
#include "model/image.h"

namespace glyphward::guard {

struct Word {
  std::string text;       // UTF-8
  double confidence = 0;  // 0 to 100
  Box box;
};

// What one way of reading saw.
struct Pass {
  std::string name;  // "x3 otsu psm7"
  std::vector<Word> words;
  std::string text() const;  // the words joined by spaces, lines by line breaks
};

struct Reading {
  std::vector<Pass> passes;
  std::string best;        // the text of the most confident pass, for people and records
  std::vector<Box> boxes;  // of the words that some pass is fairly sure of, merged
};

// One engine; one thread owns it.
class Ocr {
 public:
  // languages: Tesseract's names joined by '+'. Throws ConfigError if a language's data is not
  // installed.
  static std::unique_ptr<Ocr> open(const std::string& languages = "eng");
  virtual ~Ocr() = default;
  // Throws std::runtime_error if Tesseract fails: the caller must not release the picture.
  virtual Reading read(const model::Image& image) = 0;
  // Can the languages at hand read every letter of this UTF-8 text? Text that is to be drawn in
  // another script cannot be verified. By Unicode's script of each letter; digits, marks and
  // symbols count as readable. Latin only, unless overridden.
  virtual bool inspectable(std::string_view text) const;
};

}  // namespace glyphward::guard
