#include "lexicon/words/word_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/config_error.h"

namespace glyphward::lexicon {
namespace {

constexpr float kUnknownLetter = 11.0f;

bool is_vowel_of_skeleton(char32_t c) {
  return std::u32string_view(U"aeiouyаеиоуыэюя").find(c) != std::u32string_view::npos;
}

}  // namespace

WordTable::WordTable(std::string_view image) : image_(image) {
  std::size_t at = kWordImageMagic.size();
  const auto bad = [] {
    return ConfigError("words image", 0, "", "expected what compile_words writes");
  };
  if (image.substr(0, at) != kWordImageMagic) throw bad();
  const auto part = [&]() -> std::string_view {
    std::uint64_t size = 0;
    if (image.size() - at < sizeof size) throw bad();
    std::memcpy(&size, image.data() + at, sizeof size);
    at += sizeof size;
    if (image.size() - at < size) throw bad();
    const std::string_view result = image.substr(at, size);
    at += (size + 7) / 8 * 8;
    return result;
  };
  const auto slots = [](std::string_view bytes) {
    return std::span(reinterpret_cast<const std::uint32_t*>(bytes.data()), bytes.size() / 4);
  };
  for (std::string_view codes = part(); !codes.empty(); codes.remove_prefix(codes.find(' ') + 1))
    codes_.push_back(codes.substr(0, codes.find(' ')));
  words_ = slots(part());
  const std::string_view languages = part();
  languages_ = {reinterpret_cast<const std::uint8_t*>(languages.data()), languages.size()};
  keys_ = slots(part());
  if (words_.empty() || keys_.empty() || languages_.size() != words_.size()) throw bad();
  const auto note = [](std::span<const std::uint32_t> slots, Known& known) {
    known.resize(kKnown);
    for (const std::uint32_t slot : slots) {
      if (slot != 0) known[(slot >> 8) % kKnown] = true;
    }
  };
  note(words_, words_known_);
  note(keys_, keys_known_);
}

WordTable::Word WordTable::word(WordHash hash) const {
  const std::uint64_t key = key_of(Key::Word, hash);
  const std::uint32_t fingerprint = fingerprint_of(key);
  if (!words_known_[fingerprint % kKnown]) return {};
  for (std::size_t slot = slot_of(key, words_.size()); words_[slot] != 0;) {
    if (words_[slot] >> 8 == fingerprint)
      return {static_cast<float>((words_[slot] & 0xFF) - 1) * kCostStep, languages_[slot]};
    if (++slot == words_.size()) slot = 0;
  }
  return {};
}

float WordTable::find(Key question, WordHash hash, float otherwise) const {
  const std::uint64_t key = key_of(question, hash);
  const std::uint32_t fingerprint = fingerprint_of(key);
  if (!keys_known_[fingerprint % kKnown]) return otherwise;
  for (std::size_t slot = slot_of(key, keys_.size()); keys_[slot] != 0;) {
    if (keys_[slot] >> 8 == fingerprint)
      return static_cast<float>((keys_[slot] & 0xFF) - 1) * kCostStep;
    if (++slot == keys_.size()) slot = 0;
  }
  return otherwise;
}

float WordTable::letter(char32_t c, const char32_t* before, std::size_t count) const {
  const std::uint64_t key = key_of(Key::LetterAfter, hash_append(hash_of({before, count}), c));
  std::atomic<std::uint64_t>& answer = answers_[key % kAnswers];
  const std::uint64_t known = answer.load(std::memory_order_relaxed);
  if (known >> 32 == key >> 32) return std::bit_cast<float>(static_cast<std::uint32_t>(known));
  const float cost = find_letter(c, before, count);
  answer.store(key >> 32 << 32 | std::bit_cast<std::uint32_t>(cost), std::memory_order_relaxed);
  return cost;
}

float WordTable::find_letter(char32_t c, const char32_t* before, std::size_t count) const {
  float paid = 0;
  for (;; --count, ++before) {
    const WordHash context = hash_of({before, count});
    const float cost = find(Key::LetterAfter, hash_append(context, c), kNever);
    if (cost < kNever) return paid + cost;
    if (count == 0) return paid + kUnknownLetter;
    paid += find(Key::Backoff, context, 0);
  }
}

float WordTable::letters(std::u32string_view letters) const {
  float cost = 0;
  char32_t before[3] = {0, 0, U'^'};
  std::size_t known = 1;
  const auto add = [&](char32_t c) {
    cost += letter(c, before + 3 - known, known);
    before[0] = before[1];
    before[1] = before[2];
    before[2] = c;
    known = std::min<std::size_t>(known + 1, 3);
  };
  for (const char32_t c : letters) add(c);
  add(U'$');
  return cost;
}

float WordTable::fragment(std::u32string_view letters) const {
  float cost = 0;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const std::size_t count = std::min<std::size_t>(i, 3);
    cost += letter(letters[i], letters.data() + i - count, count);
  }
  return cost;
}

std::string_view WordTable::language(LanguageNumber number) const {
  return number > 0 && number <= codes_.size() ? codes_[number - 1] : std::string_view();
}

LanguageNumber WordTable::language_number(std::string_view language) const {
  const auto found = std::find(codes_.begin(), codes_.end(), language);
  return found == codes_.end() ? LanguageNumber{0}
                               : static_cast<LanguageNumber>(found - codes_.begin() + 1);
}

std::u32string sound_skeleton(std::u32string_view word) {
  std::u32string result;
  const auto put = [&](char32_t c) {
    if (result.empty() || result.back() != c) result.push_back(c);
  };
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char32_t c = word[i];
    const char32_t next = i + 1 < word.size() ? word[i + 1] : 0;
    const bool with_h = next == U'h';
    if ((c == U'p' || c == U'g') && with_h) {
      put(c == U'p' ? U'f' : U'g');
      ++i;
    } else if (c == U'k' && next == U'n') {
      put(U'n');
      ++i;
    } else if (c == U'w' && with_h) {
      put(U'w');
      ++i;
    } else if (c == U'c' && (next == U'e' || next == U'i' || next == U'y')) {
      put(U's');
    } else if (c == U'c' || c == U'q') {
      put(U'k');
    } else if (c == U'x') {
      put(U'k');
      put(U's');
    } else if (c == U'z') {
      put(U's');
    } else if ((c == U'o' && (next == U'o' || next == U'u')) ||
               (c == U'v' && !is_vowel_of_skeleton(next))) {
      put(U'u');
      if (c == U'o') ++i;
    } else if (c == U'y' || (c == U'e' && (next == U'e' || next == U'a')) ||
               (c == U'i' && next == U'e')) {
      put(U'i');
      if (c != U'y') ++i;
    } else {
      put(c);
    }
  }
  const auto ends = [&](std::u32string_view end) {
    return result.size() > end.size() + 1 &&
           std::u32string_view(result).substr(result.size() - end.size()) == end;
  };
  if (ends(U"er") || ends(U"ah")) {
    result.resize(result.size() - 2);
    result.push_back(U'a');
  } else if (ends(U"e")) {
    result.pop_back();
  }
  return result;
}

std::u32string bones(std::u32string_view word) {
  std::u32string result;
  for (const char32_t c : word) {
    if (result.empty() || !is_vowel_of_skeleton(c)) result.push_back(c);
  }
  return result;
}

}  // namespace glyphward::lexicon
