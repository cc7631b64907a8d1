// glyphward bench lexicon: how well and how fast the lexicon finds. Needs no daemon.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "daemon/cli/command.h"
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

std::vector<Row> read_rows(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw CommandError(ExitStatus::Usage, file + ": cannot be read");
  std::vector<Row> rows;
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    try {
      const json::object object = json::parse(line).as_object();
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
      rows.push_back(std::move(row));
    } catch (const std::exception&) {
      throw CommandError(
          ExitStatus::Usage,
          fmt::format(R"({}:{}: expected {{"text", "label": "toxic"|"clean", "kind", "terms"}})",
                      file, number));
    }
  }
  if (rows.empty()) throw CommandError(ExitStatus::Usage, file + ": holds no rows");
  return rows;
}

// Every spelling that the lists have.
std::set<std::u32string> spellings(const std::vector<std::filesystem::path>& files) {
  std::set<std::u32string> result;
  for (const std::filesystem::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    lexicon::Lists lists;
    lexicon::read_list(file, content, lists);
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

void print(const Quality& quality, bool as_json) {
  if (as_json) {
    json::array kinds;
    for (const auto& [key, flagged] : quality.kinds) {
      json::object kind = share_json(flagged);
      kind["label"] = key.first;
      kind["kind"] = key.second;
      kinds.push_back(std::move(kind));
    }
    fmt::print("{}\n",
               json::serialize(json::object{{"recall", share_json(quality.toxic)},
                                            {"recall_of_listed_terms", share_json(quality.listed)},
                                            {"recall_of_other_terms", share_json(quality.unlisted)},
                                            {"false_positives_hard", share_json(quality.hard)},
                                            {"false_positives_easy", share_json(quality.easy)},
                                            {"precision", quality.precision()},
                                            {"texts_per_second", quality.texts_per_second()},
                                            {"p99_ms", percentile(quality.times, 0.99)},
                                            {"kinds", std::move(kinds)}}));
    return;
  }
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

ExitStatus speed(const BenchOptions& options) {
  const LargeLists large(lexicon_files(options.lists));
  const double before = resident_mib("VmRSS");
  const Stopwatch watch;
  const auto lexicon = lexicon::Lexicon::load(large.files());
  json::object result{{"load_100000_terms_ms", watch.milliseconds()}};
  result["load_100000_terms_mib"] = resident_mib("VmHWM") - before;
  const auto measure = [&](const char* name, const std::string& prompt, int times) {
    const std::vector<double> taken = time_prompt(*lexicon, prompt, times);
    result[name] =
        json::object{{"p50_ms", percentile(taken, 0.5)}, {"p99_ms", percentile(taken, 0.99)}};
  };
  measure("short prompt", "a wooden sign at a trailhead that reads \"Mind the gap\", film grain",
          2000);
  measure("4 KiB", repeated("the quick brown fox jumps over a lazy dog and runs on, ", 4096), 1000);
  measure("4 KiB of the terms' syllables", like_the_terms(4096), 1000);
  for (const char* unit :
       {"f*ck* ", "1!|l", "f-u-c-", "F,U,C,K, ", "a s s ", "(f)(u)", "a$$", "sshhiitt", "\"'`«",
        "п1з∂", "x*x*", "x-x ", "says ", "says \"a\" ", "a\n", "(c<k"}) {
    measure(("32,000 of " + json::serialize(json::string(unit))).c_str(), repeated(unit, 32000),
            50);
  }
  measure("32,000 of printable ASCII at random", scattered(printable_ascii(), 32000), 50);
  for (const char* alphabet : {"1!|l", "x* ", "fuck*- ", "shit1$! .", "\"'ab `"}) {
    measure(fmt::format("32,000 of {} at random", json::serialize(json::string(alphabet))).c_str(),
            scattered(alphabet, 32000), 50);
  }
  if (options.json) {
    fmt::print("{}\n", json::serialize(result));
    return ExitStatus::Ok;
  }
  fmt::print("loading 100,000 terms: {:.0f} ms, {:.0f} MiB at most\n",
             result["load_100000_terms_ms"].as_double(),
             result["load_100000_terms_mib"].as_double());
  fmt::print("\n| prompt, against 100,000 terms | p50 ms | p99 ms |\n|---|---|---|\n");
  for (const auto& [name, value] : result) {
    if (!value.is_object()) continue;
    fmt::print("| {} | {:.3f} | {:.3f} |\n", std::string_view(name), value.at("p50_ms").as_double(),
               value.at("p99_ms").as_double());
  }
  return ExitStatus::Ok;
}

ExitStatus run(const BenchOptions& options) {
  if (options.eval.empty()) return speed(options);
  const auto files = lexicon_files(options.lists);
  print(evaluate(*lexicon::Lexicon::load(files), read_rows(options.eval), spellings(files)),
        options.json);
  return ExitStatus::Ok;
}

}  // namespace

void add_bench(CLI::App& app, ExitStatus& exit_status) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Measure the lexicon, or a model in the box");
  command->require_subcommand(1);
  CLI::App* sub = command->add_subcommand("lexicon", "How well, or how fast, the lexicon finds");
  sub->add_option("--eval", options->eval,
                  R"(Judge the lines {"text", "label", "kind", "terms", "hard"} of a file)");
  sub->add_option("--list", options->lists, "List files (default: the ones that come along)");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->callback([options, &exit_status] { exit_status = run(*options); });
  add_bench_bundled(*command, exit_status);
}

}  // namespace glyphward::daemon
