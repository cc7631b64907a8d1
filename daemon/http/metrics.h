// GET /metrics on the admin socket: Prometheus' text format, version 0.0.4.
#pragma once

#include <string>

#include "daemon/service/engine.h"
#include "daemon/service/policy_store.h"

namespace glyphward::daemon {

// Io thread only. docs/man/glyphwardd.8 lists the metrics.
std::string metrics_text(const EngineStatus& engine, const PolicyStore& policy, int queue_size_max);

}  // namespace glyphward::daemon
