#include "policy/word_list.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "base/config_error.h"
#include "base/sha256.h"

namespace glyphward::policy {

WordList::WordList(const std::filesystem::path& file, const std::string& content,
                   std::size_t length_min, std::size_t length_max, Lengths lengths) {
  std::istringstream stream(content);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const std::size_t tab = std::min(line.find('\t'), line.size());
    const std::string word = line.substr(0, tab);
    if (word.empty() ||
        !std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
      throw ConfigError(file, number, "",
                        "expected a word of lower-case Latin letters, found '" + word + "'");
    }
    const std::string form = line.substr(std::min(tab + 1, line.size()));
    if (!form.empty() && form != "plural" && form != "participle") {
      throw ConfigError(file, number, "",
                        "expected the form plural or participle, found '" + form + "'");
    }
    all_.push_back({word, number});
    if (word.size() < length_min || word.size() > length_max) continue;
    words_[form.empty()       ? WordForm::Base
           : form == "plural" ? WordForm::Plural
                              : WordForm::Participle][word.size()]
        .push_back(word);
  }
  const ByLength& base = words_[WordForm::Base];
  const std::string many = std::to_string(length_min) + " to " + std::to_string(length_max);
  if (base.empty() && lengths == Lengths::Any)
    throw ConfigError(file, 0, "", "expected a word of " + many + " letters, found none");
  for (std::size_t length = length_min; lengths == Lengths::Every && length <= length_max;
       ++length) {
    if (base.contains(length)) continue;
    throw ConfigError(file, 0, "",
                      "expected a word of " + std::to_string(length) + " letters, found none");
  }
}

const std::string& WordList::pick(std::size_t length, std::string_view seed, WordForm form) const {
  const auto found = words_.find(form);
  const ByLength& lengths = found == words_.end() ? words_.at(WordForm::Base) : found->second;
  auto near = lengths.lower_bound(length);
  if (near == lengths.end()) {
    --near;
  } else if (near != lengths.begin() && near->first != length) {
    const auto shorter = std::prev(near);
    if (length - shorter->first <= near->first - length) near = shorter;
  }
  return near->second[leading_number(sha256_of_chunks({seed})) % near->second.size()];
}

}  // namespace glyphward::policy
