// How well the lexicon judges labelled prompts: what it finds, whom it accuses, and what it takes
// for the text that a picture would show, with intervals, by kind and by language.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/cli/measure.h"
#include "lexicon/lexicon.h"

namespace glyphward::daemon {

struct LabelledPrompt {
  std::string text, label, kind, language;  // label: "toxic" or "clean"
  std::vector<std::string> terms;
  bool hard = false;
  std::optional<std::vector<std::string>> texts;  // what the picture would show, in order
};

// The lines of a file. Throws ConfigError naming file and line, CommandError if it has none.
std::vector<LabelledPrompt> read_labelled_prompts(const std::string& file);

// Every spelling that the lists have, folded.
std::set<std::u32string> listed_spellings(const std::vector<std::filesystem::path>& files);

struct Quality {
  using ByLabel = std::map<std::pair<std::string, std::string>, Share>;  // (label, name): flagged
  ByLabel kinds;
  ByLabel languages;  // without the kind "mild", as all figures below
  Share toxic, listed, unlisted, hard, easy;
  // Of the prompts that say what is drawn: all of it and nothing else was taken for it; something
  // else was taken for it, of all and of the long ones.
  Share exact_texts, extra_texts, extra_texts_long;
  std::vector<double> times;  // ms
  // The prompts judged wrongly: a label, kind, language, the terms found or missed, the prompt.
  std::vector<boost::json::object> wrong;

  Share clean() const { return {hard.count + easy.count, hard.of + easy.of}; }
  double precision() const;
  double texts_per_second() const;
  void add(const Quality& other);
};

Quality evaluate(const lexicon::Lexicon& lexicon, const std::vector<LabelledPrompt>& prompts,
                 const std::set<std::u32string>& listed);

struct SetQuality {
  std::string name;
  Quality quality;
};

// Of all sets together, and where there are several, of each.
boost::json::object to_json(const std::vector<SetQuality>& sets);
std::string to_text(const std::vector<SetQuality>& sets);

}  // namespace glyphward::daemon
