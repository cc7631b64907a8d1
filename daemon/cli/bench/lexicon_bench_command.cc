// glyphward bench lexicon: how well and how fast the lexicon finds. Needs no daemon.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "base/file.h"
#include "base/stopwatch.h"
#include "daemon/cli/bench/bench_command.h"
#include "daemon/cli/json_lines.h"
#include "daemon/cli/measure.h"
#include "daemon/service/data_files.h"
#include "lexicon/lexicon.h"
#include "lexicon/lists/list.h"
#include "lexicon/text/normalization.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

struct BenchOptions {
  std::string eval;
  std::vector<std::string> lists;
  bool json = false;
};

double percentile(std::vector<double> times, double share) {
  std::sort(times.begin(), times.end());
  const auto index = static_cast<std::size_t>(share * static_cast<double>(times.size()));
  return times.at(std::min(index, times.size() - 1));
}

// ----- quality -----

struct Row {
  std::string text, label, kind;
  std::vector<std::string> terms;
  bool hard = false;
};

Row read_row(const json::object& object) {
  Row row;
  row.text = object.at("text").as_string();
  row.label = object.at("label").as_string();
  row.kind = object.at("kind").as_string();
  if (row.label != "toxic" && row.label != "clean") throw std::invalid_argument("label");
  if (const auto* terms = object.if_contains("terms"); terms != nullptr && terms->is_array()) {
    for (const json::value& term : terms->get_array()) row.terms.emplace_back(term.as_string());
  }
  const auto* hard = object.if_contains("hard");
  row.hard = hard != nullptr && hard->is_bool() && hard->get_bool();
  return row;
}

std::vector<Row> read_rows(const std::string& file) {
  JsonLines lines(file);
  std::vector<Row> rows;
  while (lines.next()) {
    try {
      rows.push_back(read_row(lines.object()));
    } catch (const std::exception&) {
      lines.fail("", R"(expected {"text", "label": "toxic"|"clean", "kind", "terms"})");
    }
  }
  if (rows.empty())
    throw CommandError(ExitStatus::Usage, file + ": expected at least one row, found none");
  return rows;
}

// Every spelling that the lists have.
std::set<std::u32string> spellings(const std::vector<std::filesystem::path>& files) {
  std::set<std::u32string> result;
  for (const std::filesystem::path& file : files) {
    lexicon::Lists lists;
    lexicon::read_list(file, read_file(file), lists);
    for (const lexicon::Entry& entry : lists.entries) {
      result.insert(lexicon::fold_term(entry.term.term));
      for (const std::string& form : entry.forms) result.insert(lexicon::fold_term(form));
    }
  }
  return result;
}

struct Quality {
  std::map<std::pair<std::string, std::string>, Share> kinds;  // flagged, of the rows
  Share toxic, listed, unlisted, hard, easy;
  std::vector<double> times;

  double precision() const {
    const int wrong = hard.count + easy.count;
    const int all = toxic.count + wrong;
    return all == 0 ? 0.0 : static_cast<double>(toxic.count) / all;
  }
  double texts_per_second() const {
    double sum = 0;
    for (const double time : times) sum += time;
    return sum > 0 ? 1000.0 * static_cast<double>(times.size()) / sum : 0;
  }
};

Quality evaluate(const lexicon::Lexicon& lexicon, const std::vector<Row>& rows,
                 const std::set<std::u32string>& known) {
  Quality quality;
  for (const Row& row : rows) {
    const Stopwatch watch;
    const lexicon::Analysis analysis = lexicon.analyze(row.text);
    quality.times.push_back(watch.milliseconds());
    const bool flagged = std::any_of(analysis.findings.begin(), analysis.findings.end(),
                                     [](const auto& f) { return f.flags(); });
    quality.kinds[{row.label, row.kind}].add(flagged);
    if (row.kind == "mild") continue;
    if (row.label == "clean") {
      (row.hard ? quality.hard : quality.easy).add(flagged);
      continue;
    }
    quality.toxic.add(flagged);
    const bool listed = std::all_of(
        row.terms.begin(), row.terms.end(),
        [&](const std::string& term) { return known.contains(lexicon::fold_term(term)); });
    (listed ? quality.listed : quality.unlisted).add(flagged);
  }
  return quality;
}

json::object share_json(const Share& flagged) {
  return {{"flagged", flagged.count}, {"rows", flagged.of}, {"share", flagged.value()}};
}

json::object to_json(const Quality& quality) {
  json::array kinds;
  for (const auto& [key, flagged] : quality.kinds) {
    json::object kind = share_json(flagged);
    kind["label"] = key.first;
    kind["kind"] = key.second;
    kinds.push_back(std::move(kind));
  }
  return {{"recall", share_json(quality.toxic)},
          {"recall_of_listed_terms", share_json(quality.listed)},
          {"recall_of_other_terms", share_json(quality.unlisted)},
          {"false_positives_hard", share_json(quality.hard)},
          {"false_positives_easy", share_json(quality.easy)},
          {"precision", quality.precision()},
          {"texts_per_second", quality.texts_per_second()},
          {"p99_ms", percentile(quality.times, 0.99)},
          {"kinds", std::move(kinds)}};
}

void print_text(const Quality& quality) {
  fmt::print("| label | kind | flagged | rows | share |\n|---|---|---|---|---|\n");
  for (const auto& [key, flagged] : quality.kinds) {
    fmt::print("| {} | {} | {} | {} | {:.4f} |\n", key.first, key.second, flagged.count, flagged.of,
               flagged.value());
  }
  const auto line = [](const char* what, const Share& flagged) {
    fmt::print("{}: {:.4f} ({} of {})\n", what, flagged.value(), flagged.count, flagged.of);
  };
  fmt::print("\n");
  line("recall", quality.toxic);
  line("recall, terms that the lexicon lists", quality.listed);
  line("recall, other terms", quality.unlisted);
  line("false positives, hard", quality.hard);
  line("false positives, easy", quality.easy);
  fmt::print("precision: {:.4f}\nspeed: {:.0f} texts/s, p99 {:.3f} ms\n", quality.precision(),
             quality.texts_per_second(), percentile(quality.times, 0.99));
}

// ----- speed -----

std::string made_up_word(std::mt19937& random, unsigned syllables) {
  static constexpr std::array<const char*, 24> kSyllables = {
      "ba", "co",  "der", "fi",  "gul", "han", "ish", "jo",  "kem", "lu", "mor", "nat",
      "op", "pra", "que", "ris", "sta", "tor", "un",  "vel", "wan", "xi", "yor", "zu"};
  std::string word;
  for (unsigned i = 0; i < syllables; ++i) word += kSyllables[random() % kSyllables.size()];
  return word;
}

// The shipped lists with 100,000 made-up terms.
class LargeLists {
 public:
  explicit LargeLists(std::vector<std::filesystem::path> files) : files_(std::move(files)) {
    path_ = std::filesystem::temp_directory_path() / fmt::format("glyphward-{}.tsv", getpid());
    std::mt19937 random(1);
    std::set<std::string> words;
    while (words.size() < 100000) words.insert(made_up_word(random, 3 + random() % 3));
    std::ofstream out(path_);
    out << "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
    for (const std::string& word : words) out << word << "\tinsult\t3\ten\t\t\n";
    files_.push_back(path_);
  }
  ~LargeLists() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  LargeLists(const LargeLists&) = delete;
  LargeLists& operator=(const LargeLists&) = delete;
  const std::vector<std::filesystem::path>& files() const { return files_; }

 private:
  std::filesystem::path path_;
  std::vector<std::filesystem::path> files_;
};

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string prompt = "a sign that says \"";
  while (prompt.size() + unit.size() < bytes) prompt += unit;
  return prompt + '"';
}

// Characters of the alphabet at random.
std::string scattered(std::string_view alphabet, std::size_t bytes) {
  std::mt19937 random(3);
  std::string prompt = "a sign that says \"";
  while (prompt.size() + 1 < bytes) prompt += alphabet[random() % alphabet.size()];
  return prompt + '"';
}

// Words of one or two syllables of the terms, so that most of them begin one.
std::string like_the_terms(std::size_t bytes) {
  std::mt19937 random(2);
  std::string prompt = "a sign that says \"";
  while (prompt.size() + 12 < bytes) prompt += made_up_word(random, 1 + random() % 2) + ' ';
  return prompt + '"';
}

std::string printable_ascii() {
  std::string result;
  for (char c = ' '; c <= '~'; ++c) result += c;
  return result;
}

std::vector<double> time_prompt(const lexicon::Lexicon& lexicon, const std::string& prompt,
                                int times) {
  std::vector<double> result;
  for (int i = 0; i < times; ++i) {
    const Stopwatch watch;
    lexicon.analyze(prompt);
    result.push_back(watch.milliseconds());
  }
  return result;
}

struct Load {
  double milliseconds = 0;
  double mib = 0;
};

// Name and prompt, and how often it is asked.
struct Timed {
  std::string name;
  std::string prompt;
  int times = 0;
};

std::vector<Timed> timed_prompts() {
  std::vector<Timed> prompts = {
      {"short prompt", "a wooden sign at a trailhead that reads \"Mind the gap\", film grain",
       2000},
      {"4 KiB", repeated("the quick brown fox jumps over a lazy dog and runs on, ", 4096), 1000},
      {"4 KiB of the terms' syllables", like_the_terms(4096), 1000}};
  for (const char* unit :
       {"f*ck* ", "1!|l", "f-u-c-", "F,U,C,K, ", "a s s ", "(f)(u)", "a$$", "sshhiitt", "\"'`«",
        "п1з∂", "x*x*", "x-x ", "says ", "says \"a\" ", "a\n", "(c<k"}) {
    prompts.push_back(
        {"32,000 of " + json::serialize(json::string(unit)), repeated(unit, 32000), 50});
  }
  prompts.push_back(
      {"32,000 of printable ASCII at random", scattered(printable_ascii(), 32000), 50});
  for (const char* alphabet : {"1!|l", "x* ", "fuck*- ", "shit1$! .", "\"'ab `"}) {
    prompts.push_back(
        {fmt::format("32,000 of {} at random", json::serialize(json::string(alphabet))),
         scattered(alphabet, 32000), 50});
  }
  return prompts;
}

struct SpeedOf {
  std::string name;
  double p50_ms = 0;
  double p99_ms = 0;
};

json::object to_json(const Load& load, const std::vector<SpeedOf>& speeds) {
  json::object result{{"load_100000_terms_ms", load.milliseconds},
                      {"load_100000_terms_mib", load.mib}};
  for (const SpeedOf& one : speeds) {
    result[one.name] = json::object{{"p50_ms", one.p50_ms}, {"p99_ms", one.p99_ms}};
  }
  return result;
}

void print_text(const Load& load, const std::vector<SpeedOf>& speeds) {
  fmt::print("loading 100,000 terms: {:.0f} ms, {:.0f} MiB at most\n", load.milliseconds, load.mib);
  fmt::print("\n| prompt, against 100,000 terms | p50 ms | p99 ms |\n|---|---|---|\n");
  for (const SpeedOf& one : speeds) {
    fmt::print("| {} | {:.3f} | {:.3f} |\n", one.name, one.p50_ms, one.p99_ms);
  }
}

ExitStatus measure_speed(const BenchOptions& options) {
  const LargeLists large(lexicon_files(options.lists));
  const double before = resident_mib("VmRSS");
  const Stopwatch watch;
  const auto lexicon = lexicon::Lexicon::load(large.files());
  const Load load{watch.milliseconds(), resident_mib("VmHWM") - before};
  std::vector<SpeedOf> speeds;
  for (const Timed& one : timed_prompts()) {
    const std::vector<double> taken = time_prompt(*lexicon, one.prompt, one.times);
    speeds.push_back({one.name, percentile(taken, 0.5), percentile(taken, 0.99)});
  }
  if (options.json) {
    fmt::print("{}\n", json::serialize(to_json(load, speeds)));
  } else {
    print_text(load, speeds);
  }
  return ExitStatus::Ok;
}

ExitStatus measure_quality(const BenchOptions& options) {
  const auto files = lexicon_files(options.lists);
  const Quality quality =
      evaluate(*lexicon::Lexicon::load(files), read_rows(options.eval), spellings(files));
  if (options.json) {
    fmt::print("{}\n", json::serialize(to_json(quality)));
  } else {
    print_text(quality);
  }
  return ExitStatus::Ok;
}

}  // namespace

void add_bench_lexicon(Command& bench) {
  auto options = std::make_shared<BenchOptions>();
  Command command = bench.part("lexicon", "How well, or how fast, the lexicon finds");
  command.option("--eval", options->eval,
                 R"(Judge the lines {"text", "label", "kind", "terms", "hard"} of a file)");
  command.option("--list", options->lists, "List files (default: the ones that come along)");
  command.flag("--json", options->json, "Print JSON");
  command.runs([options] {
    return options->eval.empty() ? measure_speed(*options) : measure_quality(*options);
  });
}

}  // namespace glyphward::daemon
