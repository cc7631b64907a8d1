// glyphward audit: list, show, verify and export what was decided. Reads the state folder; needs no
// daemon.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/config_error.h"
#include "daemon/cli/command.h"
#include "daemon/cli/output.h"
#include "daemon/service/data_files.h"
#include "guard/attempts.h"
#include "guard/audit/audit_log.h"
#include "policy/decision.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr const char* kSystemStateDir = "/var/lib/glyphward";

struct AuditOptions {
  std::string state_dir;
  guard::RecordFilter filter;
  std::string which;  // a sequence number or a request id
  std::string format = "jsonl";
  std::string output;
  bool json = false;
};

fs::path state_dir(const AuditOptions& options) {
  if (!options.state_dir.empty()) return options.state_dir;
  const char* given = std::getenv("GLYPHWARD_STATE_DIR");  // NOLINT(concurrency-mt-unsafe)
  if (given != nullptr && *given != '\0') return given;
  if (::access((fs::path(kSystemStateDir) / "audit.db").c_str(), R_OK) == 0) return kSystemStateDir;
  return user_state_dir();
}

std::string time_text(std::int64_t time_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(time_ms / 1000)), time_ms % 1000);
}

// {"a": "x"} or ["x", {"text": "y"}]: what an auditor looks for first, the texts.
std::string texts_of(const std::string& rendered_json) {
  boost::system::error_code error;
  const json::value value = json::parse(rendered_json, error);
  std::string texts;
  if (error || !value.is_array()) return texts;
  for (const json::value& entry : value.as_array()) {
    const json::value* text = entry.is_object() ? entry.as_object().if_contains("text") : nullptr;
    if (text == nullptr || !text->is_string()) continue;
    if (!texts.empty()) texts += " / ";
    texts += text->as_string();
  }
  return texts;
}

void print_row(const guard::Record& record) {
  fmt::print("{:>8}  {:<24}  {:<10}  {:<9}  {:<11}  {} -> {}\n", record.sequence,
             time_text(record.time_ms), record.action, record.outcome, record.route,
             printable_line(texts_of(record.rendered_json)), printable_line(record.ocr_reading));
}

ExitStatus run_list(const AuditOptions& options) {
  const auto log = guard::AuditLog::open_read_only(state_dir(options));
  const auto records = log->list(options.filter);
  if (options.json) {
    for (const auto& record : records) fmt::print("{}\n", json::serialize(guard::to_json(record)));
    return ExitStatus::Ok;
  }
  fmt::print("{:>8}  {:<24}  {:<10}  {:<9}  {:<11}  {}\n", "sequence", "time", "action", "outcome",
             "route", "asked for -> read");
  for (const guard::Record& record : records) print_row(record);
  return ExitStatus::Ok;
}

ExitStatus run_show(const AuditOptions& options) {
  const fs::path folder = state_dir(options);
  const auto log = guard::AuditLog::open_read_only(folder);
  const bool number = options.which.find_first_not_of("0123456789") == std::string::npos &&
                      options.which.size() < 19;
  const auto record =
      number ? log->find(std::int64_t{std::stoll(options.which)}) : log->find(options.which);
  if (!record) {
    throw CommandError(ExitStatus::Found,
                       fmt::format("{}: no decision {}; `glyphward audit list` shows them",
                                   folder.string(), printable(options.which)));
  }
  const json::object object = guard::to_json(*record);
  if (options.json) {
    fmt::print("{}\n", json::serialize(object));
    return ExitStatus::Ok;
  }
  for (const auto& [key, value] : object) {
    std::string shown = value.is_string() ? std::string(value.as_string()) : json::serialize(value);
    if (key == "time_ms") shown = time_text(record->time_ms);
    fmt::print("{:<18} {}\n", std::string_view(key), printable_line(shown));
  }
  return ExitStatus::Ok;
}

ExitStatus run_verify(const AuditOptions& options) {
  const fs::path folder = state_dir(options);
  guard::ChainCheck verification;
  try {
    verification = guard::AuditLog::open_read_only(folder)->verify();
  } catch (const ConfigError& error) {
    verification.message = error.what();
  }
  if (options.json) {
    json::object object{{"intact", verification.intact},
                        {"rows", verification.rows},
                        {"first_bad_sequence", verification.first_bad_sequence},
                        {"message", verification.message}};
    fmt::print("{}\n", json::serialize(object));
  } else if (verification.intact) {
    fmt::print("{}: intact, {} rows: {}\n", folder.string(), verification.rows,
               printable(verification.message));
  } else {
    const std::string where = verification.first_bad_sequence > 0
                                  ? fmt::format("row {}: ", verification.first_bad_sequence)
                                  : "";
    fmt::print(stderr, "glyphward: {}: BROKEN: {}{}\n", folder.string(), where,
               printable(verification.message));
  }
  return verification.intact ? ExitStatus::Ok : ExitStatus::Found;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void write_csv(std::ostream& out, const json::object& object, bool first) {
  std::string header;
  std::string row;
  for (const auto& [key, value] : object) {
    if (!row.empty()) {
      header += ',';
      row += ',';
    }
    header += key;
    row += csv_field(value.is_string() ? std::string(value.as_string()) : json::serialize(value));
  }
  if (first) out << header << "\r\n";
  out << row << "\r\n";
}

// Oldest first, row by row: a log may be larger than memory.
ExitStatus run_export(const AuditOptions& options) {
  const auto log = guard::AuditLog::open_read_only(state_dir(options));
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary);
    if (!file) throw CommandError(ExitStatus::Usage, options.output + ": cannot be written");
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  guard::RecordFilter newest;
  newest.limit = 1;
  const auto last = log->list(newest);
  bool first = true;
  for (std::int64_t sequence = 1; !last.empty() && sequence <= last.front().sequence; ++sequence) {
    const auto record = log->find(sequence);
    if (!record) continue;  // `audit verify` tells of a missing row
    if (options.format == "csv") {
      write_csv(out, guard::to_json(*record), first);
    } else {
      out << json::serialize(guard::to_json(*record)) << '\n';
    }
    first = false;
  }
  out.flush();
  if (!out) {
    throw CommandError(
        ExitStatus::Found,
        (options.output.empty() ? "standard output" : options.output) + ": writing failed");
  }
  return ExitStatus::Ok;
}

// As --help and the check of an option want them.
template <typename Values>
std::vector<std::string> names_of(const Values& values) {
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const auto value : values) names.emplace_back(to_string(value));
  return names;
}

Command add_part(Command& audit, const char* name, const char* what,
                 const std::shared_ptr<AuditOptions>& options,
                 ExitStatus (*run)(const AuditOptions&)) {
  Command part = audit.part(name, what);
  part.option("--state-dir", options->state_dir,
              "Folder of the log (default: GLYPHWARD_STATE_DIR, else the daemon's, else yours)");
  part.runs([options, run] { return run(*options); });
  return part;
}

void add_list(Command& audit, const std::shared_ptr<AuditOptions>& options) {
  guard::RecordFilter& filter = options->filter;
  Command list = add_part(audit, "list", "Newest decisions", options, run_list);
  list.option("--action", filter.action, "Only " + alternatives(names_of(policy::kActions)))
      .one_of(names_of(policy::kActions));
  list.option("--outcome", filter.outcome, "Only " + alternatives(names_of(guard::kOutcomes)))
      .one_of(names_of(guard::kOutcomes));
  list.option("--route", filter.route,
              "Only this route: " + alternatives(names_of(guard::kRouteNames)));
  list.option("--contains", filter.prompt_contains, "Only prompts that hold this text");
  list.flag("--open", filter.open_for_review_only, "Only what waits for a person");
  list.option("--before", filter.before_sequence, "Only sequence numbers below this one");
  list.option("--limit", filter.limit, "At most so many (default 50)").within(1, 1'000'000);
  list.flag("--json", options->json, "Print JSON, a decision per line");
}

}  // namespace

void add_audit(Command& audit) {
  auto options = std::make_shared<AuditOptions>();
  add_list(audit, options);

  Command show = add_part(audit, "show", "One decision, whole", options, run_show);
  show.option("decision", options->which, "Its sequence number or request id").required();
  show.flag("--json", options->json, "Print JSON");

  Command verify =
      add_part(audit, "verify", "Check every row, the chain and the seal", options, run_verify);
  verify.flag("--json", options->json, "Print JSON");
  verify.footer(
      "Exit status: 0 unbroken, 1 broken or not to be checked (the first bad row is named).");

  Command exported = add_part(audit, "export", "All decisions, oldest first", options, run_export);
  exported.option("--format", options->format, "jsonl or csv (default jsonl)")
      .one_of({"jsonl", "csv"});
  exported.option("-o,--output", options->output, "File (default: standard output)");
  exported.flag("--json", options->json, "The same as --format jsonl");
}

}  // namespace glyphward::daemon
