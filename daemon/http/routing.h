// Answers that the service and the admin socket share.
#pragma once

#include <string>

#include "daemon/http/api.h"
#include "daemon/http/openai.h"

namespace glyphward::daemon {

Response not_found(const Exchange& exchange);
Response wrong_method(const std::string& allowed);
Response health();  // GET /healthz: the process answers
// GET /readyz: 200 {"ready": true}, or 503 with "reason" and an error object.
Response readiness(const EngineStatus& engine, const PolicyStore& policy);
Response not_ready(const std::string& reason);

}  // namespace glyphward::daemon
