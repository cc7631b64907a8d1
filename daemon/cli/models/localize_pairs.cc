#include "daemon/cli/models/localize_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>

#include "base/config_error.h"
#include "daemon/cli/json_lines.h"
#include "guard/reading/confusions.h"

namespace glyphward::daemon {
namespace {

// The words that the bundled model's recipe keeps out of its training, to measure it by.
constexpr std::array kWords = {"hello",   "world",    "peace",    "love",    "coffee", "taxi",
                               "open",    "closed",   "happy",    "music",   "garden", "bread",
                               "stop",    "pizza",    "quick",    "jazz",    "winter", "cat",
                               "fly",     "market",   "summer",   "books",   "exit",   "video",
                               "kitchen", "birthday", "tomorrow", "freedom", "bakery", "hotel"};
constexpr std::array kColours = {"red",    "green", "blue",  "yellow", "purple",
                                 "orange", "white", "black", "gray",   "pink"};
constexpr std::array kObjects = {"sign", "board", "banner", "plate"};
constexpr std::array kGrounds = {"wall", "fence", "sky"};

// The standard's distributions differ between libraries; its engines do not.
template <typename Array>
const char* pick(const Array& array, std::mt19937_64& random) {
  return array[random() % array.size()];
}

template <typename Array>
const char* pick_other(const Array& array, std::string_view than, std::mt19937_64& random) {
  const char* picked = pick(array, random);
  while (picked == than) picked = pick(array, random);
  return picked;
}

std::string with_article(const std::string& noun) {
  const bool vowel = std::string_view("aeiou").find(noun[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + noun;
}

// The scene up to the word: the same text in both prompts of a pair.
std::string scene(bool open, std::mt19937_64& random) {
  if (open) return "a thing that says ";
  const std::string colour = pick(kColours, random);
  const std::string ground = pick_other(kColours, colour, random);
  return with_article(colour + " " + pick(kObjects, random)) + " on " +
         with_article(ground + " " + pick(kGrounds, random)) + " that says ";
}

std::string text_of(const JsonLines& line, const char* key) {
  std::string text = line.text(key);
  if (text.empty()) line.fail(key, "expected a text, found \"\"");
  return text;
}

model::PromptPair parse_pair(const JsonLines& line) {
  for (const auto& member : line.object()) {
    constexpr std::array kKnown = {"source", "target", "source_word", "target_word", "form"};
    if (std::ranges::find(kKnown, std::string_view(member.key())) == kKnown.end()) {
      line.fail(member.key(),
                "expected source, target, source_word, target_word or form, found an unknown key");
    }
  }
  model::PromptPair pair;
  pair.source = text_of(line, "source");
  pair.target = text_of(line, "target");
  pair.source_word = text_of(line, "source_word");
  pair.target_word = text_of(line, "target_word");
  if (line.has("form")) pair.form = text_of(line, "form");
  if (guard::folded_letters(pair.source_word) == guard::folded_letters(pair.target_word)) {
    line.fail("target_word", "expected another word than source_word");
  }
  return pair;
}

// Pixels that the pass's words take.
std::int64_t area(const guard::Pass& pass) {
  std::int64_t pixels = 0;
  for (const guard::Word& word : pass.words) {
    pixels += std::int64_t{word.box.x1 - word.box.x0} * (word.box.y1 - word.box.y0);
  }
  return pixels;
}

}  // namespace

std::vector<model::PromptPair> built_in_pairs(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<model::PromptPair> pairs;
  for (int i = 0; i < count; ++i) {
    const bool open = i % 2 == 0;
    const std::string before = scene(open, random);
    model::PromptPair pair;
    pair.source_word = pick(kWords, random);
    pair.target_word = pick_other(kWords, pair.source_word, random);
    pair.source = fmt::format("{}\"{}\"", before, pair.source_word);
    pair.target = fmt::format("{}\"{}\"", before, pair.target_word);
    pair.seed = seed + static_cast<std::uint64_t>(i);
    pair.form = open ? "open" : "stated";
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::vector<model::PromptPair> read_pairs(const std::filesystem::path& file, int count,
                                          std::uint64_t seed) {
  JsonLines lines(file);
  std::vector<model::PromptPair> pairs;
  while ((count == 0 || static_cast<int>(pairs.size()) < count) && lines.next()) {
    pairs.push_back(parse_pair(lines));
    pairs.back().seed = seed + pairs.size() - 1;
  }
  if (pairs.empty()) throw ConfigError(file, 0, "", "expected at least one pair, found none");
  return pairs;
}

double letters_in_common(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return 0;
  std::vector<std::size_t> previous(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min(
          {previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
    }
    previous = std::move(row);
  }
  return 1 -
         static_cast<double>(previous.back()) / static_cast<double>(std::max(a.size(), b.size()));
}

model::PairScore score(const guard::Reading& reading, const model::PromptPair& pair) {
  const std::string source = guard::folded_letters(pair.source_word);
  const std::string target = guard::folded_letters(pair.target_word);
  model::PairScore score;
  const guard::Pass* nearest = nullptr;
  std::pair<double, std::int64_t> nearest_by{0, 0};  // letters, then the smaller boxes
  for (const guard::Pass& pass : reading.passes) {
    const std::string read = guard::folded_letters(pass.text());
    const double target_letters = letters_in_common(read, target);
    const double source_letters = letters_in_common(read, source);
    score.target_exact = score.target_exact || read == target;
    score.source_exact = score.source_exact || read == source;
    score.target_letters = std::max(score.target_letters, target_letters);
    score.source_letters = std::max(score.source_letters, source_letters);
    const std::pair by{std::max(target_letters, source_letters), -area(pass)};
    if (by.first > 0 && (nearest == nullptr || by > nearest_by)) {
      nearest = &pass;
      nearest_by = by;
    }
  }
  // Two ways that read both words read neither.
  if (score.source_exact) score.target_exact = false;
  // Where the nearest way read: Reading::boxes holds whatever looks like text to any, a sign's
  // frame too.
  if (nearest != nullptr) {
    for (const guard::Word& word : nearest->words) {
      score.boxes.push_back({word.box.x0, word.box.y0, word.box.x1, word.box.y1});
    }
  }
  return score;
}

}  // namespace glyphward::daemon
