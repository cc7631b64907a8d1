#include "lexicon/text/languages.h"

#include <algorithm>

#include "base/table.h"
#include "lexicon/tables.h"
#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

constexpr std::array<std::string_view, Languages::kCount> kLanguages = {
    "en", "fr", "es", "pt", "it", "de",      "sv", "nb", "da", "nl", "la",
    "pl", "tr", "fi", "vi", "id", "ru",      "zh", "ja", "ko", "hu", "ro",
    "el", "he", "ar", "fa", "hi", "hi-Latn", "th", "uk", "eu"};

std::size_t index_of(std::string_view language) {
  return static_cast<std::size_t>(std::find(kLanguages.begin(), kLanguages.end(), language) -
                                  kLanguages.begin());
}

const LanguageTable& table() {
  static const LanguageTable table("lexicon/text/languages.tsv",
                                   tables::lexicon_text_languages_tsv);
  return table;
}

}  // namespace

LanguageTable::LanguageTable(const std::filesystem::path& file, std::string_view content) {
  TableReader reader(file, content);
  reader.expect_header({"kind", "languages", "signs"});
  while (reader.next()) {
    std::vector<std::size_t> languages;
    for (const std::string& language : split(reader.fields()[1], ' ')) {
      languages.push_back(index_of(language));
      if (languages.back() == kLanguages.size())
        reader.fail("languages", "unknown: '" + language + "'");
    }
    const std::string& signs = reader.fields()[2];
    if (signs.empty()) reader.fail("signs", "expected at least one, found none");
    if (reader.fields()[0] == "words") {
      for (const std::string& word : split(signs, ' ')) {
        std::vector<std::size_t>& known = words_[word];
        known.insert(known.end(), languages.begin(), languages.end());
      }
    } else if (reader.fields()[0] == "letters") {
      for (std::size_t offset = 0; offset < signs.size();) {
        const char32_t letter = decode(signs, offset);
        if (!letters_.emplace(letter, languages).second)
          reader.fail("signs", std::string("'")
                                   .append(encode(std::u32string_view(&letter, 1)))
                                   .append("' appears twice"));
      }
    } else {
      reader.fail("kind", "expected words or letters, found '" + reader.fields()[0] + "'");
    }
  }
}

const std::vector<std::size_t>& LanguageTable::of_word(const std::string& word) const {
  static const std::vector<std::size_t> none;
  const auto it = words_.find(word);
  return it == words_.end() ? none : it->second;
}

const std::vector<std::size_t>& LanguageTable::of_letter(char32_t c) const {
  static const std::vector<std::size_t> none;
  struct Script {
    char32_t first, last;
    std::vector<std::size_t> languages;
  };
  static const std::array<Script, 10> scripts = {{{0x400, 0x52F, {index_of("ru")}},
                                                  {0x370, 0x3FF, {index_of("el")}},
                                                  {0x590, 0x5FF, {index_of("he")}},
                                                  {0x600, 0x6FF, {index_of("ar")}},
                                                  {0x900, 0x97F, {index_of("hi")}},
                                                  {0xE00, 0xE7F, {index_of("th")}},
                                                  {0x3040, 0x30FF, {index_of("ja")}},
                                                  {0xAC00, 0xD7A3, {index_of("ko")}},
                                                  {0x4E00, 0x9FFF, {index_of("zh")}},
                                                  {0x1EA0, 0x1EF9, {index_of("vi")}}}};
  if (const auto it = letters_.find(c); it != letters_.end()) return it->second;
  for (const Script& script : scripts) {
    if (c >= script.first && c <= script.last) return script.languages;
  }
  return none;
}

bool Languages::has(std::string_view language) const {
  const std::size_t index = index_of(language);
  return index < kCount && counts_[index] > 0;
}

std::string_view Languages::main() const {
  const auto most = std::max_element(counts_.begin(), counts_.end());
  if (*most == 0 || std::count(counts_.begin(), counts_.end(), *most) > 1) return {};
  return kLanguages[static_cast<std::size_t>(most - counts_.begin())];
}

void LanguageIndex::build() const {
  Languages seen;
  std::string word;
  const std::vector<std::size_t>* by_letters = nullptr;  // of the first letter that tells
  std::size_t start = 0;
  const auto finish = [&](std::size_t end) {
    if (!word.empty()) {
      words_.push_back({start, end, seen});
      const std::vector<std::size_t>& by_word = table().of_word(word);
      if (!by_word.empty()) {
        for (const std::size_t language : by_word) ++seen.counts_[language];
      } else if (by_letters != nullptr) {
        for (const std::size_t language : *by_letters) ++seen.counts_[language];
      }
    }
    word.clear();
    by_letters = nullptr;
  };
  for (std::size_t offset = 0; offset < text_.size();) {
    const std::size_t at = offset;
    char32_t c = decode(text_, offset);
    if (c >= U'A' && c <= U'Z') c += 32;
    if (c >= U'À' && c <= U'Þ' && c != U'×') c += 32;
    if (!is_letter(c)) {
      finish(at);
      continue;
    }
    if (word.empty()) start = at;
    if (word.size() >= 48) continue;
    if (c < 0x80) {
      word += static_cast<char>(c);
    } else {
      word += encode(std::u32string_view(&c, 1));
      const std::vector<std::size_t>& languages = table().of_letter(c);
      if (by_letters == nullptr && !languages.empty()) by_letters = &languages;
    }
  }
  finish(text_.size());
  words_.push_back({text_.size(), text_.size(), seen});
}

Languages LanguageIndex::all() const {
  if (words_.empty()) build();
  return words_.back().before;
}

// The words that lie in [start, end) whole.
Languages LanguageIndex::between(std::size_t start, std::size_t end) const {
  Languages result;
  const auto first =
      std::lower_bound(words_.begin(), words_.end() - 1, start,
                       [](const Word& word, std::size_t at) { return word.start < at; });
  const auto last = std::upper_bound(
      first, words_.end() - 1, end, [](std::size_t at, const Word& word) { return at < word.end; });
  for (std::size_t i = 0; i < Languages::kCount; ++i)
    result.counts_[i] = last->before.counts_[i] - first->before.counts_[i];
  return result;
}

Languages LanguageIndex::near(std::size_t start, std::size_t end, std::size_t clip_start,
                              std::size_t clip_end) const {
  constexpr std::size_t kNear = 200;
  if (words_.empty()) build();
  Languages result;
  const std::size_t from = std::max(clip_start, start - std::min(start, kNear));
  const std::size_t to = std::min(clip_end, end + kNear);
  if (from < start) result = between(from, start);
  if (end < to) {
    const Languages after = between(end, to);
    for (std::size_t i = 0; i < Languages::kCount; ++i) result.counts_[i] += after.counts_[i];
  }
  return result;
}

}  // namespace glyphward::lexicon
