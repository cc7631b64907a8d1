// glyphward check: what the policy would do with a prompt. Needs no daemon.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/utf8.h"
#include "daemon/cli/command.h"
#include "daemon/cli/text.h"
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

json::object check(const policy::Policy& policy, std::string_view text, const std::string& tenant,
                   policy::Decision* decision = nullptr) {
  const lexicon::Analysis analysis = policy.lexicon().analyze(text);
  policy::Decision decided = policy.decide(text, analysis, tenant);
  json::object result{{"action", policy::to_string(decided.action)},
                      {"flagged", decided.flagged},
                      {"findings", guard::findings_json(analysis)}};
  if (decision != nullptr) *decision = std::move(decided);
  return result;
}

[[noreturn]] void bad_line(const std::string& file, std::size_t line, const std::string& what) {
  throw CommandError(ExitStatus::Usage,
                     fmt::format(R"({}:{}: {}; expected an object {{"id": ..., "text": "..."}})",
                                 file, line, what));
}

json::object parse_line(const std::string& file, std::size_t number, const std::string& line) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // such a text is judged, not refused
  boost::system::error_code error;
  json::value value = json::parse(line, error, {}, options);
  if (error) bad_line(file, number, "not JSON (" + error.message() + ")");
  if (!value.is_object()) bad_line(file, number, "not an object");
  json::object& object = value.as_object();
  if (!object.contains("id")) bad_line(file, number, "no \"id\"");
  const json::value* text = object.if_contains("text");
  if (text == nullptr || !text->is_string()) bad_line(file, number, "\"text\" is no string");
  return std::move(object);
}

// A filter: one line out for each line in, and the status tells of the filter, not of what it
// found.
ExitStatus check_lines(const policy::Policy& policy, const std::string& file,
                       const std::string& tenant) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file);
    if (!opened) {
      throw CommandError(ExitStatus::Usage,
                         file + ": cannot be read; --jsonl - reads standard input");
    }
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const json::object parsed = parse_line(file, number, line);
    json::object result{{"id", parsed.at("id")}};
    for (auto& [key, value] :
         check(policy, std::string_view(parsed.at("text").as_string()), tenant)) {
      result[key] = std::move(value);
    }
    fmt::print("{}\n", json::serialize(result));
  }
  if (in.bad()) throw CommandError(ExitStatus::Found, file + ": reading failed");
  return ExitStatus::Ok;
}

ExitStatus check_text(const policy::Policy& policy, const CheckOptions& options) {
  policy::Decision decision;
  json::object result = check(policy, options.text, options.tenant, &decision);
  const bool substituted = decision.action == policy::Action::Substitute;
  if (options.json) {
    result["rule"] = decision.rule;
    if (substituted) result["sanitized_prompt"] = valid_utf8(decision.sanitized_prompt);
    fmt::print("{}\n", json::serialize(result));
  } else {
    fmt::print("{} (rule {})\n", policy::to_string(decision.action), decision.rule);
    for (const json::value& finding : result.at("findings").as_array()) {
      fmt::print(
          "  bytes {} to {}: \"{}\" is {}, {}, severity {}{}\n",
          finding.at("start").to_number<std::size_t>(), finding.at("end").to_number<std::size_t>(),
          printable(finding.at("matched").as_string()), printable(finding.at("term").as_string()),
          std::string_view(finding.at("category").as_string()),
          finding.at("severity").to_number<int>(),
          finding.at("rendered").as_bool() ? ", to be drawn" : "");
    }
    if (substituted) fmt::print("drawn instead: {}\n", printable(decision.sanitized_prompt));
  }
  return decision.flagged ? ExitStatus::Found : ExitStatus::Ok;
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

void add_check(CLI::App& app, ExitStatus& exit_status) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "What the policy would do with a prompt");
  command->add_option("text", options->text, "The prompt");
  command->add_option(
      "--jsonl", options->jsonl,
      R"(Read lines {"id", "text"} from a file ('-': standard input), write one line each)");
  command->add_option("--policy", options->policy, "Policy file (default: the default policy)");
  command->add_option("--tenant", options->tenant, "Whose rules apply (default: nobody's)");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Exit status: 0 not flagged, 1 flagged, 2 usage; with --jsonl 0 whatever was found.");
  command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace glyphward::daemon
