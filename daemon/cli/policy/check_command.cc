// glyphward check: what the policy would do with a prompt. Needs no daemon.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "base/utf8.h"
#include "daemon/cli/command.h"
#include "daemon/cli/json_lines.h"
#include "daemon/cli/output.h"
#include "daemon/service/data_files.h"
#include "guard/finding_json.h"
#include "policy/policy.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

struct CheckOptions {
  std::string text;
  std::string jsonl;
  std::string policy;
  std::string tenant;
  bool json = false;
};

struct Checked {
  lexicon::Analysis analysis;
  policy::Decision decision;
};

Checked check(const policy::Policy& policy, std::string_view text, const std::string& tenant) {
  Checked checked;
  checked.analysis = policy.analyze(text);
  checked.decision = policy.decide(text, checked.analysis, tenant);
  return checked;
}

json::object to_json(const Checked& checked) {
  json::object object{{"action", policy::to_string(checked.decision.action)},
                      {"flagged", checked.decision.flagged},
                      {"findings", guard::findings_json(checked.analysis)}};
  for (auto& [key, value] : guard::totals_json(checked.analysis)) object[key] = std::move(value);
  return object;
}

// A filter: one line out for each line in, and the status tells of the filter, not of what it
// found.
ExitStatus check_lines(const policy::Policy& policy, const std::string& file,
                       const std::string& tenant) {
  JsonLines lines(file, {.of_line = R"( {"id": ..., "text": "..."})",
                         .if_missing = "; --jsonl - reads standard input",
                         .any_bytes = true});  // such a text is judged, not refused
  while (lines.next()) {
    if (!lines.has("id")) lines.fail("id", "expected any value, found none");
    json::object result{{"id", lines.object().at("id")}};
    for (auto& [key, value] : to_json(check(policy, lines.text("text"), tenant))) {
      result[key] = std::move(value);
    }
    fmt::print("{}\n", json::serialize(result));
  }
  return ExitStatus::Ok;
}

bool is_substituted(const policy::Decision& decision) {
  return decision.action == policy::Action::Substitute;
}

void print_json(const Checked& checked) {
  json::object result = to_json(checked);
  result["rule"] = checked.decision.rule;
  if (is_substituted(checked.decision)) {
    result["sanitized_prompt"] = valid_utf8(checked.decision.sanitized_prompt);
  }
  fmt::print("{}\n", json::serialize(result));
}

void print_text(const Checked& checked) {
  const policy::Decision& decision = checked.decision;
  fmt::print("{} (rule {})\n", policy::to_string(decision.action), decision.rule);
  for (const lexicon::Finding& finding : checked.analysis.findings) {
    fmt::print("  bytes {} to {}: \"{}\" is {}, {}, severity {}{}\n", finding.start, finding.end,
               printable(finding.matched), printable(finding.term), finding.category,
               finding.severity, finding.rendered ? ", to be drawn" : "");
  }
  if (is_substituted(decision))
    fmt::print("drawn instead: {}\n", printable(decision.sanitized_prompt));
}

ExitStatus check_text(const policy::Policy& policy, const CheckOptions& options) {
  const Checked checked = check(policy, options.text, options.tenant);
  options.json ? print_json(checked) : print_text(checked);
  return checked.decision.flagged ? ExitStatus::Found : ExitStatus::Ok;
}

ExitStatus run(const CheckOptions& options) {
  const bool lines = !options.jsonl.empty();
  if (lines == !options.text.empty()) {
    throw CommandError(ExitStatus::Usage, "check: expected either a text or --jsonl FILE");
  }
  require_tenant(options.tenant);
  const auto policy = policy::Policy::load(
      options.policy.empty() ? default_policy() : std::filesystem::path(options.policy));
  return lines ? check_lines(*policy, options.jsonl, options.tenant) : check_text(*policy, options);
}

}  // namespace

void add_check(Command& command) {
  auto options = std::make_shared<CheckOptions>();
  command.option("text", options->text, "The prompt");
  command.option(
      "--jsonl", options->jsonl,
      R"(Read lines {"id", "text"} from a file ('-': standard input), write one line each)");
  command.option("--policy", options->policy, "Policy file (default: the default policy)");
  command.option("--tenant", options->tenant, "Whose rules apply (default: nobody's)");
  command.flag("--json", options->json, "Print JSON");
  command.footer(
      "Exit status: 0 not flagged, 1 flagged, 2 usage; with --jsonl 0 whatever was found.");
  command.runs([options] { return run(*options); });
}

}  // namespace glyphward::daemon
