// glyphward bench lexicon: how well and how fast the lexicon finds. Needs no daemon.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <random>
#include <set>

#include "base/stopwatch.h"
#include "daemon/cli/bench/bench_command.h"
#include "daemon/cli/bench/lexicon/quality.h"
#include "daemon/cli/measure.h"
#include "daemon/service/data_files.h"
#include "lexicon/lexicon.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

struct BenchOptions {
  std::vector<std::string> evals;
  std::vector<std::string> lists;
  std::string wrong;
  bool json = false;
};

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
  const auto lexicon = lexicon::Lexicon::load(files);
  const std::set<std::u32string> known = listed_spellings(files);
  std::vector<SetQuality> sets;
  for (const std::string& file : options.evals)
    sets.push_back({std::filesystem::path(file).stem().string(),
                    evaluate(*lexicon, read_labelled_prompts(file), known)});
  if (!options.wrong.empty()) {
    std::ofstream out(options.wrong);
    for (const SetQuality& set : sets) {
      for (const json::object& prompt : set.quality.wrong) out << json::serialize(prompt) << '\n';
    }
    if (!out.flush())
      throw CommandError(ExitStatus::Usage, options.wrong + ": expected a file to write");
  }
  if (options.json) {
    fmt::print("{}\n", json::serialize(to_json(sets)));
  } else {
    fmt::print("{}", to_text(sets));
  }
  return ExitStatus::Ok;
}

}  // namespace

void add_bench_lexicon(Command& bench) {
  auto options = std::make_shared<BenchOptions>();
  Command command = bench.part("lexicon", "How well, or how fast, the lexicon finds");
  command.option("--eval", options->evals,
                 R"(Judge the lines {"text", "label", "kind", "terms", "lang", "texts"} of files)");
  command.option("--list", options->lists, "List files (default: the ones that come along)");
  command.option("--wrong", options->wrong,
                 "Write what --eval judges wrongly, a JSON object a line");
  command.flag("--json", options->json, "Print JSON");
  command.runs([options] {
    return options->evals.empty() ? measure_speed(*options) : measure_quality(*options);
  });
}

}  // namespace glyphward::daemon
