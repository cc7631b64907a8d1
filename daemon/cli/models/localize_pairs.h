// What `glyphward localize` draws and how it reads it: pairs of prompts that differ in the quoted
// word, and Tesseract as the scorer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "guard/reading/ocr.h"
#include "model/localize.h"

namespace glyphward::daemon {

// Pairs of plain English words of three to eight letters, half of them in each of two forms: "open"
// leaves the scene to the word (a thing that says "hello"), "stated" states it (a red sign on a
// blue wall that says "hello"). The same seed gives the same pairs on every machine; pair i is
// drawn from seed + i.
std::vector<model::PromptPair> built_in_pairs(int count, std::uint64_t seed);

// A JSON object a line: {"source", "target", "source_word", "target_word"} and, if wanted, "form".
// `count` 0 takes all. Throws ConfigError naming file and line.
std::vector<model::PromptPair> read_pairs(const std::filesystem::path& file, int count,
                                          std::uint64_t seed);

// A word is read exactly if one of OCR's ways reads it and nothing else; letters and boxes are
// those of the way nearest to either word, the boxes the smallest of several such. Texts are
// compared as guard/reading/confusions.h folds them (case, accents, 0 for o).
model::PairScore score(const guard::Reading& reading, const model::PromptPair& pair);

// 1 - edit distance / the longer length, for two words of folded letters; 0 if either is empty.
double letters_in_common(std::string_view a, std::string_view b);

}  // namespace glyphward::daemon
