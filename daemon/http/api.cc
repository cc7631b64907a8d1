// What both sockets answer alike.
#include "daemon/http/api.h"

#include <boost/json/object.hpp>

#include "daemon/http/api_error.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

ApiError not_ready_error(const std::string& reason) {
  return {503, kServerError, "not_ready", "not ready: " + reason, "", 5};
}

Response health() {
  Response response = json_response(json::object{{"status", "ok"}});
  response.routine = true;
  return response;
}

Response readiness(const std::string& reason) {
  Response response;
  json::object body{{"ready", reason.empty()}};
  if (!reason.empty()) {
    const ApiError error = not_ready_error(reason);
    response = to_response(error);
    body["error"] = to_json(error)["error"];
    body["reason"] = reason;
  }
  response.body = json::serialize(body);
  response.routine = true;
  return response;
}

}  // namespace

std::string not_ready_reason(const EngineStatus& engine, const PolicyStore& policy) {
  std::string reason = engine.not_ready_reason();
  if (!policy.current()) {
    if (!reason.empty()) reason += '\n';
    reason += "policy: " + policy.last_error();
  }
  return reason;
}

Response not_ready(const std::string& reason) { return to_response(not_ready_error(reason)); }

std::vector<Route> probe_routes(const Engine& engine, const PolicyStore& policy) {
  return {{"GET", "/healthz", at_once(health)},
          {"GET", "/readyz", at_once([&engine, &policy] {
             return readiness(not_ready_reason(engine.status(), policy));
           })}};
}

}  // namespace glyphward::daemon
