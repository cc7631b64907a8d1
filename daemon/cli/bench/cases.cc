#include "daemon/cli/bench/cases.h"

#include "base/config_error.h"
#include "daemon/cli/json_lines.h"

namespace glyphward::daemon {
namespace {

namespace fs = std::filesystem;

std::uint64_t seed_of(const JsonLines& line) {
  return line.get<std::uint64_t>("seed", "a number of 0 or more");
}

BundledCase bundled_case(const JsonLines& line) {
  BundledCase one;
  one.set = line.text("set");
  one.words = line.get<std::vector<std::string>>("words", "a list of words");
  one.prompt = line.text("prompt");
  one.seed = seed_of(line);
  if (one.set == "localization") {
    one.swapped_prompt = line.text("swapped_prompt");
    if (one.words.size() != 2) line.fail("words", "expected the word and another one");
    return one;
  }
  if (one.set != "one-line" && one.set != "two-lines" && one.set != "free") {
    line.fail("set", "expected one-line, two-lines, free or localization, found " + one.set);
  }
  if (one.words.empty()) line.fail("words", "expected at least one word");
  one.rendered = line.get<std::map<std::string, bool>>("rendered", R"({"READER": true or false})");
  return one;
}

GuardedCase guarded_case(const JsonLines& line) {
  GuardedCase one;
  one.id = line.text("id");
  one.prompt = line.text("prompt");
  one.word = line.text("word");
  one.shown = line.has("shown") ? line.text("shown") : one.word;
  one.seed = seed_of(line);
  return one;
}

template <typename Case>
std::vector<Case> read_cases(const fs::path& file, Case (*parse)(const JsonLines&)) {
  JsonLines lines(file,
                  {.if_missing = "; a source tree has it in tests/data, and --data names that "
                                 "folder elsewhere"});
  std::vector<Case> cases;
  while (lines.next()) cases.push_back(parse(lines));
  if (cases.empty()) throw ConfigError(file, 0, "", "expected at least one case, found none");
  return cases;
}

}  // namespace

std::vector<BundledCase> read_bundled_cases(const fs::path& file) {
  return read_cases(file, bundled_case);
}

std::vector<GuardedCase> read_guarded_cases(const fs::path& file) {
  return read_cases(file, guarded_case);
}

}  // namespace glyphward::daemon
