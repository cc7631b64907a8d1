#include "lexicon/lists/lint.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <utility>

#include "base/config_error.h"
#include "base/table.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {

std::vector<std::string> read_dictionary(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw ConfigError(file, 0, "", "expected a readable dictionary, found none");
  const bool hunspell = file.extension() == ".dic";
  std::vector<std::string> words;
  std::string line;
  if (hunspell) std::getline(stream, line);  // how many words follow
  while (std::getline(stream, line)) {
    std::string word = trimmed(line);
    if (hunspell) word = word.substr(0, std::min(word.find('/'), word.find('\t')));
    if (!word.empty()) words.push_back(std::move(word));
  }
  if (words.empty()) throw ConfigError(file, 0, "", "expected a word a line, found none");
  return words;
}

std::vector<Remark> lint(const std::vector<Entry>& entries, const Search& search) {
  std::vector<Remark> remarks;
  std::map<std::u32string, const Entry*> spellings;
  for (const Entry& entry : entries) {
    std::vector<std::string> own = {entry.term.term};
    own.insert(own.end(), entry.forms.begin(), entry.forms.end());
    for (const std::string& spelling : own) {
      const auto [it, fresh] = spellings.emplace(fold_term(spelling), &entry);
      if (!fresh) {
        remarks.push_back(
            {Remark::Kind::Duplicate, entry.term.term, spelling, it->second->term.term, {}});
        continue;
      }
      const std::vector<Finding> found = search(spelling);
      const bool itself = std::any_of(found.begin(), found.end(), [&](const Finding& finding) {
        return finding.term == entry.term.term;
      });
      if (itself || found.empty() || found[0].severity < entry.term.severity) continue;
      remarks.push_back(
          {Remark::Kind::Shadowed, entry.term.term, spelling, found[0].term, found[0].steps});
    }
  }
  return remarks;
}

std::vector<Remark> lint_dictionary(const std::vector<std::string>& words, const Search& search) {
  std::vector<Remark> remarks;
  for (const std::string& word : words) {
    const std::string prompt = "a sign that says \"" + word + "\"";
    for (const Finding& finding : search(prompt)) {
      if (!finding.flags()) continue;
      remarks.push_back({Remark::Kind::Harmless, finding.term, word, finding.term, finding.steps});
      break;
    }
  }
  return remarks;
}

}  // namespace glyphward::lexicon
