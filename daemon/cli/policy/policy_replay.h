// Past decisions put to two policies: which would be decided otherwise? Behind `glyphward policy
// diff`.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace glyphward::daemon {

// What is replayed of a row of the audit log.
struct LoggedDecision {
  std::int64_t sequence = 0;  // 0 where an export does not say
  std::string request_id;
  std::string prompt;  // empty if the log does not keep it: then it cannot be replayed
  std::string tenant;
  std::string action;  // what was done then, under whatever policy held
};

// Of a line of `glyphward audit export`, or a row as guard::to_json() writes it. Throws
// std::invalid_argument saying what is missing.
LoggedDecision logged_decision(const boost::json::object& row);

// Calls `take` for each, oldest first. `decisions` is a state folder, its audit.db, or an export as
// JSON Lines. Throws ConfigError naming file and line.
void for_each_decision(const std::filesystem::path& decisions,
                       const std::function<void(LoggedDecision)>& take);

// Otherwise means: another action, or, where both substitute, other bytes replaced. The substitutes
// follow the revision and do not count.
struct Change {
  LoggedDecision logged;
  policy::Decision old_decision;
  policy::Decision new_decision;
};
std::optional<Change> replay(const policy::Policy& old_policy, const policy::Policy& new_policy,
                             LoggedDecision logged);

}  // namespace glyphward::daemon
