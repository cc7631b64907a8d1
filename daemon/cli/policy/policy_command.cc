// glyphward policy: check, test, explain a policy, and compare two on past decisions. Needs no
// daemon.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <memory>

#include "base/config_error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "daemon/cli/command.h"
#include "daemon/cli/output.h"
#include "daemon/cli/policy/policy_replay.h"
#include "daemon/service/data_files.h"
#include "guard/finding_json.h"
#include "policy/cases.h"
#include "policy/policy.h"
#include "policy/toml/toml_reader.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

struct PolicyOptions {
  std::string file;
  std::string other;  // diff: the new policy
  std::string cases;
  std::string junit;
  std::string prompt;
  std::string tenant;
  std::string decisions;
  bool json = false;
};

fs::path policy_file(const PolicyOptions& options) {
  return options.file.empty() ? default_policy() : fs::path(options.file);
}

// ---- check

json::array problems_json(const std::vector<policy::Problem>& problems) {
  json::array array;
  for (const policy::Problem& problem : problems) {
    json::object object{{"file", problem.file.string()}};
    if (problem.place.line > 0) object["line"] = problem.place.line;
    if (problem.place.column > 0) object["column"] = problem.place.column;
    if (!problem.key.empty()) object["key"] = valid_utf8(problem.key);
    object["message"] = valid_utf8(problem.message);
    if (problem.remark) object["remark"] = true;
    array.push_back(std::move(object));
  }
  return array;
}

void print_problems(const std::vector<policy::Problem>& problems) {
  for (const policy::Problem& problem : problems)
    fmt::print(stderr, "{}\n", printable(policy::to_string(problem)));
}

ExitStatus run_check(const PolicyOptions& options) {
  const fs::path file = policy_file(options);
  const std::vector<policy::Problem> problems = policy::Policy::check(file);
  std::string revision;
  const bool loads = std::ranges::all_of(problems, &policy::Problem::remark);
  if (loads) revision = policy::Policy::load(file)->revision();
  if (options.json) {
    json::object object{{"ok", problems.empty()}, {"problems", problems_json(problems)}};
    if (!revision.empty()) object["revision"] = revision;
    fmt::print("{}\n", json::serialize(object));
  } else if (problems.empty()) {
    fmt::print("{}: no problems, revision {}\n", file.string(), revision);
  } else {
    print_problems(problems);
    fmt::print(stderr, "{}: {} problem{}\n", file.string(), problems.size(),
               problems.size() == 1 ? "" : "s");
  }
  return problems.empty() ? ExitStatus::Ok : ExitStatus::Found;
}

// ---- test

std::vector<policy::Case> load_cases(const PolicyOptions& options, const fs::path& file) {
  std::vector<policy::Problem> problems;
  std::vector<policy::Case> cases = policy::read_cases(file, read_file(file), problems);
  if (problems.empty()) return cases;
  if (options.json) {
    fmt::print("{}\n",
               json::serialize(json::object{{"ok", false}, {"problems", problems_json(problems)}}));
  }
  print_problems(problems);
  throw CommandError(ExitStatus::Usage,
                     file.string() + ": no cases that can be run until its problems are gone");
}

json::array results_json(const std::vector<policy::Case>& cases,
                         const std::vector<policy::CaseResult>& results) {
  json::array array;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    json::array failures;
    for (const std::string& failure : results[i].failures) {
      failures.push_back(json::value(valid_utf8(failure)));
    }
    array.push_back(json::object{{"name", valid_utf8(cases[i].name)},
                                 {"line", cases[i].place.line},
                                 {"passed", results[i].failures.empty()},
                                 {"failures", std::move(failures)}});
  }
  return array;
}

void print_failures(const fs::path& file, const std::vector<policy::Case>& cases,
                    const std::vector<policy::CaseResult>& results) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const std::string& failure : results[i].failures) {
      fmt::print("{}:{}: {}: {}\n", file.string(), cases[i].place.line, printable(cases[i].name),
                 printable(failure));
    }
  }
}

ExitStatus run_test(const PolicyOptions& options) {
  const fs::path file = policy_file(options);
  const fs::path beside =
      options.cases.empty() ? policy::cases_file(file) : fs::path(options.cases);
  const std::vector<policy::Case> cases = load_cases(options, beside);
  const auto policy = policy::Policy::load(file);
  std::vector<policy::CaseResult> results;
  results.reserve(cases.size());
  for (const policy::Case& test : cases) results.push_back(policy::run_case(*policy, test));
  if (!options.junit.empty()) {
    write_file(options.junit, policy::junit_xml(beside, cases, results));
  }
  const auto failed = static_cast<std::size_t>(std::ranges::count_if(
      results, [](const policy::CaseResult& result) { return !result.failures.empty(); }));
  if (options.json) {
    const json::object object{{"ok", failed == 0},
                              {"revision", policy->revision()},
                              {"passed", cases.size() - failed},
                              {"failed", failed},
                              {"cases", results_json(cases, results)}};
    fmt::print("{}\n", json::serialize(object));
  } else {
    print_failures(beside, cases, results);
    fmt::print("{}: {} of {} cases passed\n", beside.string(), cases.size() - failed, cases.size());
  }
  return failed == 0 ? ExitStatus::Ok : ExitStatus::Found;
}

// ---- explain

std::string rule_text(const policy::RuleTrace& rule) {
  if (!rule.mismatch.empty()) return "does not match (" + rule.mismatch + ")";
  if (rule.observe) return fmt::format("matches, observes: would {}", to_string(rule.action));
  return fmt::format("matches and decides: {}", to_string(rule.action));
}

json::object trace_json(const policy::FindingTrace& trace) {
  json::array rules;
  for (const policy::RuleTrace& rule : trace.rules) {
    json::object object{{"rule", rule.rule},
                        {"action", policy::to_string(rule.action)},
                        {"matches", rule.mismatch.empty()},
                        {"observe", rule.observe}};
    if (!rule.mismatch.empty()) object["mismatch"] = valid_utf8(rule.mismatch);
    rules.push_back(std::move(object));
  }
  return {{"rules", std::move(rules)},
          {"decided_by", trace.decided_by},
          {"action", policy::to_string(trace.action)}};
}

// Why the request's action is what it is.
std::string verdict_text(const policy::Decision& decision, bool any_finding) {
  if (!any_finding) return "nothing was found; the default action holds";
  if (decision.rule == "default") return "no rule matched more severely than the default action";
  return "the most severe action of all findings wins: rule \"" + decision.rule + "\"" +
         (decision.note.empty() ? "" : "; " + decision.note);
}

json::object explanation_json(const policy::Policy& policy, const lexicon::Analysis& analysis,
                              const std::vector<policy::FindingTrace>& traces,
                              const policy::Decision& decision) {
  json::array rendered;
  for (const lexicon::RenderedText& text : analysis.rendered) {
    rendered.push_back(json::object{{"text", valid_utf8(text.text)},
                                    {"start", text.start},
                                    {"end", text.end},
                                    {"certainty", lexicon::name_of(text.certainty)}});
  }
  json::array findings;
  for (std::size_t i = 0; i < analysis.findings.size(); ++i) {
    json::object finding = guard::explained_finding_json(analysis.findings[i]);
    finding["language"] = analysis.findings[i].language;
    for (auto& [key, value] : trace_json(traces[i])) finding[key] = std::move(value);
    findings.push_back(std::move(finding));
  }
  json::array substitutions;
  for (const policy::Substitution& one : decision.substitutions) {
    substitutions.push_back(json::object{
        {"start", one.start}, {"end", one.end}, {"from", valid_utf8(one.from)}, {"to", one.to}});
  }
  json::array observed;
  for (const policy::Observation& one : decision.observations) {
    observed.push_back(
        json::object{{"rule", one.rule}, {"would_action", policy::to_string(one.would_action)}});
  }
  return {{"action", policy::to_string(decision.action)},
          {"rule", decision.rule},
          {"why", verdict_text(decision, !analysis.findings.empty())},
          {"flagged", decision.flagged},
          {"rendered", std::move(rendered)},
          {"findings", std::move(findings)},
          {"observed", std::move(observed)},
          {"substitutions", std::move(substitutions)},
          {"sanitized_prompt", valid_utf8(decision.sanitized_prompt)},
          {"policy_revision", policy.revision()}};
}

void print_explanation(const policy::Policy& policy, const lexicon::Analysis& analysis,
                       const std::vector<policy::FindingTrace>& traces,
                       const policy::Decision& decision) {
  fmt::print("{}: {}\n", policy::to_string(decision.action),
             printable(verdict_text(decision, !analysis.findings.empty())));
  for (const lexicon::RenderedText& text : analysis.rendered)
    fmt::print("to be drawn: \"{}\" (bytes {} to {}, {})\n", printable(text.text), text.start,
               text.end, lexicon::name_of(text.certainty));
  if (analysis.rendered.empty()) fmt::print("to be drawn: no text\n");
  for (std::size_t i = 0; i < traces.size(); ++i) {
    const lexicon::Finding& finding = analysis.findings[i];
    fmt::print("bytes {} to {}: \"{}\" is \"{}\" ({}, severity {}, {}), {}, evidence {:.1f}{}\n",
               finding.start, finding.end, printable(finding.matched), printable(finding.term),
               finding.category, finding.severity, finding.language,
               finding.rendered ? "to be drawn" : "in the description", finding.shown_evidence(),
               finding.steps.empty() ? "" : fmt::format("; by {}", fmt::join(finding.steps, ", ")));
    for (const policy::RuleTrace& rule : traces[i].rules)
      fmt::print("    {:<24} {}\n", printable(rule.rule), rule_text(rule));
    if (traces[i].decided_by == "default")
      fmt::print("    {:<24} {}\n", "default", policy::to_string(traces[i].action));
  }
  for (const policy::Substitution& one : decision.substitutions)
    fmt::print("\"{}\" becomes \"{}\"\n", printable(one.from), one.to);
  if (decision.action == policy::Action::Substitute)
    fmt::print("sanitized prompt: {}\n", printable(decision.sanitized_prompt));
  fmt::print("revision {}\n", policy.revision());
}

ExitStatus run_explain(const PolicyOptions& options) {
  require_tenant(options.tenant);
  const auto policy = policy::Policy::load(policy_file(options));
  const lexicon::Analysis analysis = policy->analyze(options.prompt);
  const auto traces = policy->explain(analysis, options.tenant);
  const policy::Decision decision = policy->decide(options.prompt, analysis, options.tenant);
  if (options.json) {
    fmt::print("{}\n", json::serialize(explanation_json(*policy, analysis, traces, decision)));
  } else {
    print_explanation(*policy, analysis, traces, decision);
  }
  return ExitStatus::Ok;
}

// ---- diff

json::object side_json(const policy::Decision& decision) {
  json::array replaced;
  for (const policy::Substitution& one : decision.substitutions)
    replaced.push_back(valid_utf8(one.from).c_str());
  return {{"action", policy::to_string(decision.action)},
          {"rule", decision.rule},
          {"replaced", std::move(replaced)}};
}

json::object change_json(const Change& change) {
  return {{"sequence", change.logged.sequence},         {"request_id", change.logged.request_id},
          {"prompt", valid_utf8(change.logged.prompt)}, {"tenant", change.logged.tenant},
          {"logged_action", change.logged.action},      {"old", side_json(change.old_decision)},
          {"new", side_json(change.new_decision)}};
}

void print_change(const Change& change) {
  fmt::print("{:>8}  {:<10} -> {:<10}  {} -> {}  {}\n", change.logged.sequence,
             policy::to_string(change.old_decision.action),
             policy::to_string(change.new_decision.action), change.old_decision.rule,
             change.new_decision.rule, printable_line(change.logged.prompt));
}

// What a replay came to.
struct Replayed {
  std::size_t replayed = 0;
  std::size_t skipped = 0;                       // without their prompt
  std::map<std::string, std::size_t> by_action;  // changes, by "old action -> new action"

  std::size_t changed() const {
    std::size_t sum = 0;
    for (const auto& [actions, count] : by_action) sum += count;
    return sum;
  }
};

json::object to_json(const Replayed& counts, const policy::Policy& old_policy,
                     const policy::Policy& new_policy, json::array changes) {
  json::object by_action;
  for (const auto& [actions, count] : counts.by_action) by_action[actions] = count;
  return {{"replayed", counts.replayed},           {"skipped_without_prompt", counts.skipped},
          {"changed", counts.changed()},           {"by_action", std::move(by_action)},
          {"old_revision", old_policy.revision()}, {"new_revision", new_policy.revision()},
          {"changes", std::move(changes)}};
}

void print_counts(const Replayed& counts) {
  for (const auto& [actions, count] : counts.by_action) fmt::print("{:>8}  {}\n", count, actions);
  fmt::print(
      "{} of {} decisions would be otherwise{}\n", counts.changed(), counts.replayed,
      counts.skipped == 0
          ? ""
          : fmt::format("; {} have no prompt in the log and were not replayed", counts.skipped));
}

ExitStatus run_diff(const PolicyOptions& options) {
  const auto old_policy = policy::Policy::load(options.file);
  const auto new_policy = policy::Policy::load(options.other);
  Replayed counts;
  json::array changes;
  for_each_decision(options.decisions, [&](LoggedDecision logged) {
    if (logged.prompt.empty()) {
      ++counts.skipped;
      return;
    }
    ++counts.replayed;
    const auto change = replay(*old_policy, *new_policy, std::move(logged));
    if (!change) return;
    ++counts.by_action[fmt::format("{} -> {}", policy::to_string(change->old_decision.action),
                                   policy::to_string(change->new_decision.action))];
    options.json ? changes.push_back(change_json(*change)) : print_change(*change);
  });
  if (options.json) {
    fmt::print("{}\n",
               json::serialize(to_json(counts, *old_policy, *new_policy, std::move(changes))));
  } else {
    print_counts(counts);
  }
  if (counts.replayed == 0 && counts.skipped > 0) {
    throw CommandError(ExitStatus::Found,
                       options.decisions + ": no decision has its prompt; nothing was replayed");
  }
  return counts.changed() == 0 ? ExitStatus::Ok : ExitStatus::Found;
}

Command add_part(Command& policy, const char* name, const char* what,
                 const std::shared_ptr<PolicyOptions>& options,
                 ExitStatus (*run)(const PolicyOptions&)) {
  Command part = policy.part(name, what);
  part.flag("--json", options->json, "Print JSON");
  part.runs([options, run] { return run(*options); });
  return part;
}

}  // namespace

void add_policy(Command& policy) {
  auto options = std::make_shared<PolicyOptions>();
  Command check = add_part(policy, "check", "All that is wrong with a policy, with its place",
                           options, run_check);
  check.option("file", options->file, "Policy file (default: the default policy)");
  check.footer("Exit status: 0 good, 1 problems, 2 usage.");

  Command test = add_part(policy, "test", "Run a policy's cases", options, run_test);
  test.option("file", options->file, "Policy file (default: the default policy)");
  test.option("--cases", options->cases, "Their file (default: POLICY.cases.toml beside it)");
  test.option("--junit", options->junit, "Write a report in JUnit's form too, to this file");
  test.footer("Exit status: 0 all passed, 1 some failed, 2 a file is wrong.");

  Command explain =
      add_part(policy, "explain", "How a prompt's decision comes about", options, run_explain);
  explain.option("prompt", options->prompt, "The prompt").required();
  explain.option("--policy", options->file, "Policy file (default: the default policy)");
  explain.option("--tenant", options->tenant, "Whose rules apply (default: nobody's)");
  explain.footer("Exit status: 0 whatever the decision, 2 usage.");

  Command diff = add_part(policy, "diff", "Which past decisions another policy would change",
                          options, run_diff);
  diff.option("old", options->file, "Policy file").required();
  diff.option("new", options->other, "Policy file").required();
  diff.option("--replay", options->decisions,
              "State folder, its audit.db, or `glyphward audit export`'s JSON Lines")
      .required();
  diff.footer("Exit status: 0 none, 1 some, 2 usage.");
}

}  // namespace glyphward::daemon
