#include "daemon/cli/policy/policy_replay.h"

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

#include "daemon/cli/json_lines.h"
#include "guard/audit/audit_log.h"

namespace glyphward::daemon {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) {
    throw std::invalid_argument("\"" + std::string(key) + "\": expected a string");
  }
  return std::string(value->as_string());
}

void read_log(const fs::path& state_dir, const std::function<void(LoggedDecision)>& take) {
  const auto log = guard::AuditLog::open_read_only(state_dir);
  guard::RecordFilter newest;
  newest.limit = 1;
  const auto last = log->list(newest);
  // Row by row: a log may be larger than memory.
  for (std::int64_t sequence = 1; !last.empty() && sequence <= last.front().sequence; ++sequence) {
    if (const auto record = log->find(sequence)) take(logged_decision(guard::to_json(*record)));
  }
}

void read_export(const fs::path& file, const std::function<void(LoggedDecision)>& take) {
  JsonLines lines(file,
                  {.of_line = ", as `glyphward audit export` writes it",
                   .if_missing = "; expected an audit log or what `glyphward audit export` wrote",
                   .any_bytes = true});
  while (lines.next()) {
    try {
      take(logged_decision(lines.object()));
    } catch (const std::invalid_argument& fault) {
      lines.fail("", fault.what());
    }
  }
}

bool same_bytes(const policy::Decision& a, const policy::Decision& b) {
  return std::equal(a.substitutions.begin(), a.substitutions.end(), b.substitutions.begin(),
                    b.substitutions.end(),
                    [](const policy::Substitution& x, const policy::Substitution& y) {
                      return x.start == y.start && x.end == y.end;
                    });
}

}  // namespace

LoggedDecision logged_decision(const json::object& row) {
  LoggedDecision logged;
  if (const json::value* sequence = row.if_contains("sequence")) {
    if (!sequence->is_int64()) throw std::invalid_argument("\"sequence\": expected a whole number");
    logged.sequence = sequence->as_int64();
  }
  logged.request_id = text_of(row, "request_id");
  logged.prompt = text_of(row, "prompt");
  logged.action = text_of(row, "action");
  if (logged.action.empty()) throw std::invalid_argument("expected \"action\", found none");
  const json::value* parameters = row.if_contains("parameters");
  if (parameters != nullptr && parameters->is_object())
    logged.tenant = text_of(parameters->as_object(), "tenant");
  return logged;
}

void for_each_decision(const fs::path& decisions, const std::function<void(LoggedDecision)>& take) {
  if (fs::is_directory(decisions)) return read_log(decisions, take);
  if (decisions.extension() == ".db") return read_log(decisions.parent_path(), take);
  read_export(decisions, take);
}

std::optional<Change> replay(const policy::Policy& old_policy, const policy::Policy& new_policy,
                             LoggedDecision logged) {
  const auto decide = [&](const policy::Policy& policy) {
    return policy.decide(logged.prompt, policy.analyze(logged.prompt), logged.tenant);
  };
  policy::Decision before = decide(old_policy);
  policy::Decision after = decide(new_policy);
  if (before.action == after.action && same_bytes(before, after)) return std::nullopt;
  return Change{std::move(logged), std::move(before), std::move(after)};
}

}  // namespace glyphward::daemon
