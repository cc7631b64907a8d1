#include "policy/cases.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <sstream>

#include "base/utf8.h"
#include "policy/toml/toml_reader.h"

namespace glyphward::policy {
namespace {

std::string quoted_list(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "\"" : ", \"") + word + "\"";
  return "[" + result + "]";
}

std::optional<std::vector<std::string>> list(TomlReader& toml, const toml::table& table,
                                             std::string_view key) {
  if (!table.contains(key)) return std::nullopt;
  std::vector<std::string> values;
  for (auto& [value, place] : toml.strings(table, key, {}, true)) values.push_back(value);
  return values;
}

Case read_case(TomlReader& toml, const toml::table& table) {
  toml.check_keys(table,
                  {"name", "prompt", "tenant", "action", "rule", "flagged", "findings", "observed",
                   "sanitized_prompt", "sanitized_like"},
                  "case");
  Case test;
  test.place = TomlReader::place_of(table.source());
  test.prompt = toml.text(table, "prompt").value_or("");
  if (!table.contains("prompt"))
    toml.note_missing(table.source(), "prompt", "expected a prompt, found no such key");
  test.name = toml.text(table, "name").value_or(test.prompt);
  test.tenant = toml.text(table, "tenant").value_or("");
  if (!test.tenant.empty() && !is_tenant(test.tenant)) {
    toml.note(table.get("tenant")->source(), "tenant",
              "expected " + std::string(kTenantForm) + ", found '" + test.tenant + "'");
  }
  test.action = toml.required_action(table, "action", kActions).value_or(Action::Allow);
  test.rule = toml.text(table, "rule");
  test.flagged = toml.boolean(table, "flagged");
  test.findings = list(toml, table, "findings");
  test.observed = list(toml, table, "observed");
  test.sanitized_prompt = toml.text(table, "sanitized_prompt");
  test.sanitized_like = toml.text(table, "sanitized_like");
  return test;
}

// Text for XML 1.0, which has no place for control characters and broken UTF-8.
std::string xml(std::string_view text) {
  std::string result;
  for_each_character(text, [&](std::optional<char32_t> character, std::string_view bytes) {
    const char32_t c = character.value_or(0);
    const bool allowed = (c >= 0x20 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '"') {
      result += "&quot;";
    } else if (c == '\t' || c == '\n' || c == '\r') {
      result += "&#" + std::to_string(static_cast<std::uint32_t>(c)) + ";";
    } else if (!allowed) {
      result += "\uFFFD";
    } else {
      result += bytes;
    }
  });
  return result;
}

}  // namespace

std::filesystem::path cases_file(const std::filesystem::path& policy) {
  std::filesystem::path file = policy;
  return file.replace_extension(".cases.toml");
}

std::vector<Case> read_cases(const std::filesystem::path& file, std::string content,
                             std::vector<Problem>& problems) {
  TomlReader toml(file, std::move(content));
  toml.check_keys(toml.root(), {"case"}, "");
  std::vector<Case> cases;
  for (const toml::table* table : toml.tables(toml.root(), "case"))
    cases.push_back(read_case(toml, *table));
  if (cases.empty())
    toml.note_missing(toml.root().source(), "case", "expected tables [[case]], found none");
  problems.insert(problems.end(), std::make_move_iterator(toml.problems().begin()),
                  std::make_move_iterator(toml.problems().end()));
  return cases;
}

CaseResult run_case(const Policy& policy, const Case& test) {
  const auto start = std::chrono::steady_clock::now();
  const lexicon::Analysis analysis = policy.analyze(test.prompt);
  const Decision decision = policy.decide(test.prompt, analysis, test.tenant);
  CaseResult result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto expect = [&](bool holds, const std::string& what, const std::string& expected,
                          const std::string& found) {
    if (!holds) result.failures.push_back(what + ": expected " + expected + ", found " + found);
  };
  std::vector<std::string> terms;
  for (const lexicon::Finding& finding : analysis.findings) terms.push_back(finding.term);
  std::vector<std::string> observed;
  for (const Observation& seen : decision.observations) observed.push_back(seen.rule);
  const std::string& sanitized = decision.sanitized_prompt;
  expect(decision.action == test.action, "action", std::string(to_string(test.action)),
         std::string(to_string(decision.action)) + " (rule " + decision.rule + ")");
  if (test.rule) expect(decision.rule == *test.rule, "rule", *test.rule, decision.rule);
  if (test.flagged) {
    expect(decision.flagged == *test.flagged, "flagged", *test.flagged ? "true" : "false",
           decision.flagged ? "true" : "false");
  }
  if (test.findings)
    expect(terms == *test.findings, "findings", quoted_list(*test.findings), quoted_list(terms));
  if (test.observed) {
    expect(observed == *test.observed, "observed", quoted_list(*test.observed),
           quoted_list(observed));
  }
  if (test.sanitized_prompt) {
    expect(sanitized == *test.sanitized_prompt, "sanitized_prompt", *test.sanitized_prompt,
           sanitized);
  }
  if (test.sanitized_like) {
    expect(matches_pattern(*test.sanitized_like, sanitized), "sanitized_like", *test.sanitized_like,
           sanitized);
  }
  return result;
}

std::string junit_xml(const std::filesystem::path& file, const std::vector<Case>& cases,
                      const std::vector<CaseResult>& results) {
  double seconds = 0;
  for (const CaseResult& result : results) seconds += result.seconds;
  const auto failed = std::count_if(results.begin(), results.end(), [](const CaseResult& result) {
    return !result.failures.empty();
  });
  std::ostringstream out;
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" << xml(file.string())
      << "\" tests=\"" << results.size() << "\" failures=\"" << failed << "\" time=\"" << std::fixed
      << seconds << "\">\n";
  for (std::size_t i = 0; i < results.size(); ++i) {
    out << "  <testcase classname=\"policy\" name=\"" << xml(cases[i].name) << "\" file=\""
        << xml(file.string()) << "\" line=\"" << cases[i].place.line << "\" time=\""
        << results[i].seconds << '"';
    if (results[i].failures.empty()) {
      out << "/>\n";
      continue;
    }
    out << ">\n";
    for (const std::string& failure : results[i].failures)
      out << "    <failure message=\"" << xml(failure) << "\"/>\n";
    out << "  </testcase>\n";
  }
  out << "</testsuite>\n";
  return out.str();
}

// Greedy, going back to the last star alone.
bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  for (std::size_t t = 0; t < text.size();) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace glyphward::policy
