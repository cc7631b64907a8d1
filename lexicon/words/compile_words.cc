// Makes the image of word_table.h.   usage: compile_words words.txt names.txt TERMS IMAGE
//
// words.txt has a section for each language, "= en", and in it the words in order: how many bytes
// the word shares with the one before ('0' + n), its other bytes, its cost ('!' + cost - 3 nats in
// steps of a fifth). The sections "+ en" have costs in a text of the language alone. names.txt has
// one section.
//
// TERMS is the default list. What holds its terms counts neither for the letters of ordinary words
// nor for what is near them: "fuking" is no slip of an ordinary word.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lexicon/words/word_table.h"

namespace glyphward::lexicon {
namespace {

struct Row {
  std::u32string letters;
  float cost = 0;
  LanguageNumber language = 0;
};

struct Source {
  std::string languages;
  std::vector<Row> rows;
  std::vector<Row> inside;  // a language's own
};

// Well-formed by make_words.py.
std::u32string decode_utf8(const std::string& bytes) {
  std::u32string result;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i++]);
    int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t c = lead < 0x80 ? lead : lead & (0x3Fu >> more);
    for (; more > 0 && i < bytes.size(); --more)
      c = c << 6 | (static_cast<unsigned char>(bytes[i++]) & 0x3Fu);
    result.push_back(c);
  }
  return result;
}

Source read(const char* file) {
  std::ifstream in(file, std::ios::binary);
  Source source;
  LanguageNumber language = 0;
  bool inside = false;
  std::string word;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.rfind("= ", 0) == 0 || line.rfind("+ ", 0) == 0) {
      if (line.front() == '=') source.languages += line.substr(2) + " ";
      if (line.front() == '+' && !inside) language = 0;
      inside = line.front() == '+';
      ++language;
      word.clear();
      continue;
    }
    word.resize(std::min(word.size(), static_cast<std::size_t>(line.front() - '0')));
    word += line.substr(1, line.size() - 2);
    (inside ? source.inside : source.rows)
        .push_back(
            {decode_utf8(word), 3.0f + 0.2f * static_cast<float>(line.back() - '!'), language});
  }
  return source;
}

// The spellings of the list's terms, of three letters or more, as they are written there.
std::unordered_set<std::u32string> read_terms(const char* file) {
  std::ifstream in(file, std::ios::binary);
  std::unordered_set<std::u32string> terms;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t tab = line.find('\t');
    const std::size_t forms = line.rfind('\t');
    std::string spellings = line.substr(0, tab) + "|";
    if (std::count(line.begin(), line.end(), '\t') == 5) spellings += line.substr(forms + 1) + "|";
    for (std::size_t at = 0; at < spellings.size();) {
      const std::size_t end = spellings.find('|', at);
      const std::u32string term = decode_utf8(spellings.substr(at, end - at));
      if (term.size() >= 3) terms.insert(term);
      at = end + 1;
    }
  }
  return terms;
}

// Whether the word is a term, a term and an ending, or holds a term of five letters or more.
bool holds_term(std::u32string_view word, const std::unordered_set<std::u32string>& terms) {
  constexpr std::size_t kEndingMax = 3;
  for (std::size_t begin = 0; begin < word.size(); ++begin) {
    for (std::size_t size = 3; begin + size <= word.size(); ++size) {
      const bool whole = begin == 0 && begin + size + kEndingMax >= word.size();
      if ((whole || size >= 5) && terms.contains(std::u32string(word.substr(begin, size))))
        return true;
    }
  }
  return false;
}

// The least cost of each key.
class Keys {
 public:
  void put(Key key, WordHash hash, float cost) {
    const auto [it, added] = costs_.emplace(key_of(key, hash), cost);
    if (!added) it->second = std::min(it->second, cost);
  }
  std::size_t size() const { return costs_.size(); }
  std::vector<std::uint32_t> slots() const {
    std::vector<std::uint32_t> slots(costs_.size() * 4 / 3 + 1);
    for (const auto& [key, cost] : costs_) {
      std::size_t slot = slot_of(key, slots.size());
      while (slots[slot] != 0) slot = slot + 1 == slots.size() ? 0 : slot + 1;
      slots[slot] = fingerprint_of(key) << 8 | (cost_code(cost) + 1);
    }
    return slots;
  }

 private:
  std::unordered_map<std::uint64_t, float> costs_;
};

bool is_unspaced_letter(char32_t c) {
  return (c >= 0xE00 && c < 0xE80) || (c >= 0x2E80 && c < 0xA4D0) || (c >= 0xAC00 && c < 0xD7B0) ||
         c >= 0xF900;
}

// Which letters follow which: Witten and Bell's interpolation over up to three letters before. Each
// language weighs what its words weigh in all.
void count_letters(const std::vector<Row>& rows, Keys& keys) {
  struct Context {
    float total = 0;
    std::unordered_map<char32_t, float> after;
  };
  std::unordered_map<std::u32string, Context> contexts;
  std::vector<double> mass(256);
  std::vector<double> share(256);
  for (const Row& row : rows) {
    ++mass[row.language];
    share[row.language] += std::exp(-row.cost);
  }
  for (const Row& row : rows) {
    const std::u32string word = U"^" + row.letters + U"$";
    const float weight = static_cast<float>(share[row.language] / mass[row.language] * 1e6) *
                         (1 + std::max(0.0f, 16 - row.cost) / 3);
    const std::size_t order = is_unspaced_letter(row.letters[0]) ? 1 : 3;
    for (std::size_t i = 1; i < word.size(); ++i) {
      for (std::size_t n = 0; n <= std::min(order, i); ++n) {
        Context& context = contexts[word.substr(i - n, n)];
        context.total += weight;
        context.after[word[i]] += weight;
      }
    }
  }
  const auto probability = [&](auto& self, std::u32string_view context, char32_t c) -> double {
    const double lower = context.empty() ? 1.0 / 20000 : self(self, context.substr(1), c);
    const auto it = contexts.find(std::u32string(context));
    if (it == contexts.end()) return lower;
    const double other = 0.7 * static_cast<double>(it->second.after.size());
    const auto after = it->second.after.find(c);
    return ((after == it->second.after.end() ? 0.0 : after->second) + other * lower) /
           (it->second.total + other);
  };
  for (const auto& [context, counts] : contexts) {
    const std::size_t n = context.size();
    if ((n == 3 && counts.total < 12) || (n == 2 && counts.total < 2)) continue;
    const float other = 0.7f * static_cast<float>(counts.after.size());
    keys.put(Key::Backoff, hash_of(context), -std::log(other / (counts.total + other)));
    for (const auto& [c, weight] : counts.after) {
      if (n >= 2 && weight < (n == 3 ? 2.5f : 0.8f)) continue;
      keys.put(Key::LetterAfter, hash_append(hash_of(context), c),
               static_cast<float>(-std::log(probability(probability, context, c))));
    }
  }
}

// What words have that are words without it: endings and beginnings.
void count_affixes(const std::vector<Row>& rows, const std::string& languages, Keys& keys) {
  constexpr std::size_t kAffixMax = 5;
  constexpr std::size_t kKept = 120;
  constexpr std::size_t kWordsMin = 3000;  // fewer tell too little of a language's endings
  const auto code = [&](LanguageNumber number) {
    std::size_t at = 0;
    for (LanguageNumber i = 1; i < number; ++i) at = languages.find(' ', at) + 1;
    return languages.substr(at, languages.find(' ', at) - at);
  };
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    std::unordered_map<std::u32string_view, bool> known;
    while (last < rows.size() && rows[last].language == rows[first].language)
      known[rows[last++].letters] = true;
    for (const bool suffix : {true, false}) {
      if (last - first < kWordsMin) break;
      std::unordered_map<std::u32string, double> counts;
      double total = 0;
      for (std::size_t i = first; i < last; ++i) {
        const std::u32string_view word = rows[i].letters;
        for (std::size_t n = 1; n <= kAffixMax && word.size() >= n + 4; ++n) {
          const std::u32string_view rest =
              suffix ? word.substr(0, word.size() - n) : word.substr(n);
          if (is_unspaced_letter(word[0]) || !known.contains(rest)) continue;
          ++counts[std::u32string(suffix ? word.substr(word.size() - n) : word.substr(0, n))];
          ++total;
        }
      }
      std::vector<std::pair<double, std::u32string>> order;
      for (const auto& [affix, count] : counts) order.emplace_back(-count, affix);
      std::sort(order.begin(), order.end());
      for (std::size_t i = 0; i < std::min(kKept, order.size()); ++i) {
        const double cost =
            -std::log(-order[i].first / total) + (code(rows[first].language) == "en" ? 0.0 : 1.5);
        const WordHash hash = hash_of(order[i].second);
        keys.put(suffix ? Key::Suffix : Key::Prefix, hash, static_cast<float>(cost));
        if (suffix)
          keys.put(Key::SuffixIn, hash_append(hash, rows[first].language),
                   static_cast<float>(cost));
      }
    }
    first = last;
  }
}

// The frequent words as a slip, a mask or an ear leaves them.
void add_near(std::vector<Row> rows, Keys& keys) {
  constexpr std::size_t kFrequent = 24000;
  constexpr std::size_t kByEar = 60000;
  std::erase_if(rows, [](const Row& row) {
    return row.letters.size() < 3 || row.letters.size() > 14 || is_unspaced_letter(row.letters[0]);
  });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.cost < b.cost; });
  for (std::size_t r = 0; r < std::min(kByEar, rows.size()); ++r) {
    const std::u32string& word = rows[r].letters;
    const float cost = rows[r].cost;
    keys.put(Key::Sound, hash_of(sound_skeleton(word)), cost);
    if (r >= kFrequent) continue;
    if (word.size() > 3) keys.put(Key::Bones, hash_of(bones(word)), cost);
    if (word.size() > 12) continue;
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::u32string changed = word;
      changed[i] = kHiddenLetter;
      keys.put(Key::Hidden, hash_of(changed), cost);
      if (i > 0 && i + 2 < word.size()) {
        changed[i + 1] = kHiddenLetter;
        keys.put(Key::Hidden, hash_of(changed), cost);
      }
      keys.put(Key::Less, hash_of(std::u32string(word).erase(i, 1)), cost);
    }
    if (word.size() > 4) {
      std::u32string ends(word.size(), kHiddenLetter);
      ends.front() = word.front();
      ends.back() = word.back();
      keys.put(Key::Hidden, hash_of(ends), cost);
    }
  }
}

void write_part(std::ofstream& out, const void* bytes, std::uint64_t size) {
  static constexpr char kPadding[8] = {};
  out.write(reinterpret_cast<const char*>(&size), sizeof size);
  out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  out.write(kPadding, static_cast<std::streamsize>((8 - size % 8) % 8));
}

int compile(const char* from, const char* names_from, const char* list, const char* to) {
  const Source source = read(from);
  const Source names = read(names_from);
  if (source.rows.empty() || names.rows.empty()) {
    std::fprintf(stderr, "%s: no words\n", source.rows.empty() ? from : names_from);
    return 1;
  }
  std::vector<std::uint32_t> words(source.rows.size() * 4 / 3 + 1);
  std::vector<std::uint8_t> languages(words.size());
  for (const Row& row : source.rows) {
    const std::uint64_t key = key_of(Key::Word, hash_of(row.letters));
    std::size_t slot = slot_of(key, words.size());
    while (words[slot] != 0) slot = slot + 1 == words.size() ? 0 : slot + 1;
    words[slot] = fingerprint_of(key) << 8 | (cost_code(row.cost) + 1);
    languages[slot] = row.language;
  }
  Keys keys;
  std::vector<Row> harmless = source.rows;
  const std::unordered_set<std::u32string> terms = read_terms(list);
  std::erase_if(harmless, [&](const Row& row) { return holds_term(row.letters, terms); });
  count_letters(harmless, keys);
  const std::size_t letters = keys.size();
  count_affixes(source.rows, source.languages, keys);
  add_near(harmless, keys);
  for (const Row& row : source.inside)
    keys.put(Key::InLanguage, hash_append(hash_of(row.letters), row.language), row.cost);
  for (const Row& row : names.rows) keys.put(Key::Name, hash_of(row.letters), row.cost);
  const std::vector<std::uint32_t> slots = keys.slots();
  std::ofstream out(to, std::ios::binary);
  out << kWordImageMagic;
  write_part(out, source.languages.data(), source.languages.size());
  write_part(out, words.data(), words.size() * 4);
  write_part(out, languages.data(), languages.size());
  write_part(out, slots.data(), slots.size() * 4);
  out.close();
  if (!out) std::fprintf(stderr, "%s: cannot be written\n", to);
  std::printf("%zu words, %zu sequences of letters, %zu names, %zu other keys\n",
              source.rows.size(), letters, names.rows.size(),
              keys.size() - letters - names.rows.size());
  return out ? 0 : 1;
}

}  // namespace
}  // namespace glyphward::lexicon

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: compile_words WORDS NAMES TERMS IMAGE\n");
    return 2;
  }
  return glyphward::lexicon::compile(argv[1], argv[2], argv[3], argv[4]);
}
