#include "daemon/cli/bench/picture_readers.h"

#include <algorithm>
#include <stdexcept>

#include "daemon/cli/models/localize_pairs.h"
#include "guard/reading/confusions.h"

namespace glyphward::daemon {

PictureReaders::PictureReaders(guard::Ocr& ocr, const std::string& second_reader) : ocr_(ocr) {
  if (!second_reader.empty()) second_ = std::make_unique<SecondReader>(second_reader);
}

TextSeen PictureReaders::by_guard(const model::Image& image) {
  TextSeen seen;
  for (const guard::Pass& pass : ocr_.read(image).passes) seen.texts.push_back(pass.text());
  return seen;
}

SeenByReader PictureReaders::judge(const model::Image& image) {
  if (second_) return second_->read(image);
  return {{kGuardReader, by_guard(image)}};
}

SeenByReader PictureReaders::all(const model::Image& image) {
  SeenByReader seen = judge(image);
  if (!seen.contains(kGuardReader)) seen[kGuardReader] = by_guard(image);
  return seen;
}

model::PairScore PictureReaders::score(const model::Image& image, const model::PromptPair& pair) {
  if (!second_) return daemon::score(ocr_.read(image), pair);
  const SeenByReader readers = second_->read(image);
  const auto reader =
      std::ranges::find_if(readers, [](const auto& entry) { return entry.second.tells_boxes; });
  if (reader == readers.end()) {
    throw std::runtime_error(
        "--second-reader: none of its readers gives \"boxes\", which the set "
        "localization needs");
  }
  localizer_ = reader->first;
  const TextSeen& seen = reader->second;
  model::PairScore score;
  score.target_exact = reads_exactly(seen, {pair.target_word});
  score.source_exact = reads_exactly(seen, {pair.source_word});
  const std::string read = squeezed(seen.texts.at(0));
  score.target_letters = letters_in_common(read, squeezed(pair.target_word));
  score.source_letters = letters_in_common(read, squeezed(pair.source_word));
  score.boxes = seen.boxes;
  return score;
}

std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') result += static_cast<char>(c - 'a' + 'A');
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) result += c;
  }
  return result;
}

bool reads_exactly(const TextSeen& seen, const std::vector<std::string>& words) {
  std::string wanted;
  for (const std::string& word : words) wanted += squeezed(word);
  return !wanted.empty() && std::ranges::any_of(seen.texts, [&](const std::string& text) {
    return squeezed(text) == wanted;
  });
}

bool shows(const TextSeen& seen, std::string_view word) {
  const std::string letters = guard::folded_letters(word);
  return !letters.empty() && std::ranges::any_of(seen.texts, [&](const std::string& text) {
    return guard::folded_letters(text).find(letters) != std::string::npos;
  });
}

}  // namespace glyphward::daemon
