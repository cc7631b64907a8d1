// Fits the channel's prices: which numbers of rules.tsv and prices.tsv part toxic texts from
// ordinary ones best.
//
//   glyphward_fit_channel --out FOLDER [--passes N] FILE...
//
// Rows {"text", "label": "toxic"|"clean"[, "weight"]}, as bench/lexicon/sets/make.py writes them.
// Of rows with "term_half" and "template_half" only those with A in both are looked at, so that the
// others can show how well it went. One number after the other is moved up and down while that
// lessens the loss: the logistic loss of the evidence around the margin, and a little for each step
// away from the numbers that are compiled in. Begins with the tables in FOLDER if it has any, and
// writes them there after each better number: it may be killed and started again.
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "lexicon/channel/channel.h"
#include "lexicon/lists/list.h"
#include "lexicon/reading/reader.h"
#include "lexicon/tables.h"
#include "lexicon/text/extraction.h"

namespace glyphward::lexicon {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::vector<TextReading> texts;
  bool toxic = false;
  double weight = 1;
};

bool in_half_a(const boost::json::object& row) {
  for (const char* key : {"term_half", "template_half"}) {
    const auto* half = row.if_contains(key);
    if (half != nullptr && *half != "A") return false;
  }
  return true;
}

std::vector<Row> read_rows(const std::vector<std::string>& files) {
  std::vector<Row> rows;
  for (const std::string& file : files) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error(file + ": cannot be read");
    for (std::string line; std::getline(in, line);) {
      const boost::json::object object = boost::json::parse(line).as_object();
      if (!in_half_a(object)) continue;
      Row row;
      row.toxic = object.at("label") == "toxic";
      if (const auto* weight = object.if_contains("weight"))
        row.weight = weight->to_number<double>();
      const Extraction extraction = extract(std::string_view(object.at("text").as_string()));
      for (const RenderedText& text : extraction.texts) row.texts.push_back({text.text, {}});
      if (!row.texts.empty()) rows.push_back(std::move(row));
    }
  }
  return rows;
}

// A table of names and numbers; comments and order are kept.
class Numbers {
 public:
  struct Place {
    std::size_t line = 0;
    std::size_t field = 0;
  };

  explicit Numbers(std::string_view content) {
    std::string text(content);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::vector<std::string> fields;
      for (std::size_t from = at; from <= end;) {
        const std::size_t tab = std::min(text.find('\t', from), end);
        fields.push_back(text.substr(from, tab - from));
        from = tab + 1;
      }
      lines_.push_back(std::move(fields));
      at = end + 1;
    }
    bool header = true;
    for (std::size_t line = 0; line < lines_.size(); ++line) {
      if (lines_[line][0].empty() || lines_[line][0][0] == '#') continue;
      for (std::size_t field = 1; !header && field < lines_[line].size(); ++field)
        places_.push_back({line, field});
      header = false;
    }
  }

  const std::vector<Place>& places() const { return places_; }
  std::string name(const Place& place) const {
    return lines_[place.line][0] + (place.field > 1 ? "." + std::to_string(place.field) : "");
  }
  double get(const Place& place) const { return std::stod(lines_[place.line][place.field]); }
  void set(const Place& place, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    std::string& field = lines_[place.line][place.field];
    field = text;
    while (field.ends_with('0')) field.pop_back();
    if (field.ends_with('.')) field.pop_back();
    if (field == "-0") field = "0";
  }
  std::string content() const {
    std::string text;
    for (const auto& fields : lines_) {
      for (std::size_t i = 0; i < fields.size(); ++i) text += (i > 0 ? "\t" : "") + fields[i];
      text += '\n';
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> lines_;
  std::vector<Place> places_;
};

class Fit {
 public:
  Fit(fs::path out, std::vector<Row> rows)
      : out_(std::move(out)),
        rows_(std::move(rows)),
        first_rules_(tables::lexicon_channel_rules_tsv),
        first_prices_(tables::lexicon_channel_prices_tsv),
        rules_(table("rules.tsv", tables::lexicon_channel_rules_tsv)),
        prices_(table("prices.tsv", tables::lexicon_channel_prices_tsv)) {
    const fs::path folder = fs::path(GLYPHWARD_SOURCE_DIR) / "lexicon";
    for (const char* name : {"default.tsv", "allow.tsv"})
      read_list(folder / name, read_file(folder / name), lists_);
  }

  void run(int passes) {
    fs::create_directories(out_);
    best_ = loss();
    std::printf("%zu rows, loss %.2f: %s\n", rows_.size(), best_, figures_.c_str());
    for (int pass = 0; pass < passes; ++pass) {
      const double before = best_;
      for (Numbers* numbers : {&prices_, &rules_}) {
        for (const Numbers::Place& place : numbers->places()) {
          // What all terms pay comes last: it makes up for all others.
          if (pass > 0 || numbers->name(place) != "term") move(*numbers, place, pass);
        }
      }
      std::printf("pass %d: loss %.2f: %s\n", pass + 1, best_, figures_.c_str());
      if (before - best_ < 0.001 * before) break;
    }
  }

 private:
  std::string table(const char* name, std::string_view compiled) const {
    return fs::exists(out_ / name) ? read_file(out_ / name) : std::string(compiled);
  }

  void move(Numbers& numbers, const Numbers::Place& place, int pass) {
    for (const double direction : {1.0, -1.0}) {
      double step = std::max(0.1, std::abs(numbers.get(place)) * (pass == 0 ? 0.25 : 0.12));
      bool better = false;
      while (step < 20) {
        const double before = numbers.get(place);
        const double after = before + direction * step;
        if (&numbers == &rules_ && after < 0) break;
        numbers.set(place, after);
        const double now = loss();
        if (now >= best_ - 0.01) {
          numbers.set(place, before);
          break;
        }
        best_ = now;
        better = true;
        std::printf("%s %.2f -> %.2f: %.2f: %s\n", numbers.name(place).c_str(), before, after, now,
                    figures_.c_str());
        std::fflush(stdout);
        std::ofstream(out_ / "rules.tsv") << rules_.content();
        std::ofstream(out_ / "prices.tsv") << prices_.content();
        step *= 1.5;
      }
      if (better) break;
    }
  }

  double loss() {
    Channel::replace_shipped(Channel(rules_.content(), prices_.content(),
                                     tables::lexicon_channel_sound_tsv,
                                     tables::lexicon_channel_companions_tsv));
    constexpr double kLeast = 0;
    const Reader reader(lists_.entries, lists_.allowed, kLeast);
    double sum = 0;
    double found = 0, toxic = 0, accused = 0, clean = 0;
    for (const Row& row : rows_) {
      const double evidence = std::clamp(evidence_of(reader, row), -1.0, 12.0);
      const double beyond =
          row.toxic ? kEvidenceMin + 0.5 - evidence : evidence - kEvidenceMin + 0.5;
      sum += row.weight * std::log1p(std::exp(beyond / 0.8));
      (row.toxic ? toxic : clean) += row.weight;
      if (evidence >= kEvidenceMin) (row.toxic ? found : accused) += row.weight;
    }
    char text[80];
    std::snprintf(text, sizeof text, "%.4f found, %.4f accused", found / toxic, accused / clean);
    figures_ = text;
    return sum + strays();
  }

  double evidence_of(const Reader& reader, const Row& row) const {
    std::vector<PlacedHit> hits;
    std::vector<NormalizedPart> parts;
    for (const TextReading& text : row.texts)
      parts.push_back({reader.read_shown(text, 0, {}, hits), 0});
    if (parts.size() > 1) reader.read_joined(parts, {}, hits);
    double best = -1;
    for (const PlacedHit& hit : hits) {
      if (lists_.entries[hit.entry].term.severity >= kFlaggedSeverityMin)
        best = std::max(best, hit.evidence);
    }
    return best;
  }

  // So that a number moves only for what many rows gain.
  double strays() const { return strayed(prices_, first_prices_) + strayed(rules_, first_rules_); }

  static double strayed(const Numbers& now, const Numbers& first) {
    constexpr double kLossOfStep = 5;
    double sum = 0;
    for (std::size_t i = 0; i < now.places().size(); ++i) {
      const double before = first.get(first.places()[i]);
      sum += std::abs(now.get(now.places()[i]) - before) / std::max(1.0, std::abs(before) / 2);
    }
    return kLossOfStep * sum;
  }

  fs::path out_;
  std::vector<Row> rows_;
  Numbers first_rules_;
  Numbers first_prices_;
  Numbers rules_;
  Numbers prices_;
  Lists lists_;
  double best_ = 0;
  std::string figures_;
};

}  // namespace
}  // namespace glyphward::lexicon

int main(int argc, char** argv) {
  std::string out;
  int passes = 4;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--out" && i + 1 < argc) {
      out = argv[++i];
    } else if (word == "--passes" && i + 1 < argc) {
      passes = std::atoi(argv[++i]);
    } else {
      files.push_back(word);
    }
  }
  if (out.empty() || files.empty()) {
    std::fprintf(stderr, "usage: glyphward_fit_channel --out FOLDER [--passes N] FILE...\n");
    return 2;
  }
  try {
    glyphward::lexicon::Fit(out, glyphward::lexicon::read_rows(files)).run(passes);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
