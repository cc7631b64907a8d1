// What both sockets answer alike.
#include "daemon/http/api.h"

#include "daemon/http/routing.h"

namespace glyphward::daemon {
namespace json = boost::json;

std::string not_ready_reason(const EngineStatus& engine, const PolicyStore& policy) {
  std::string reason;
  const auto add = [&reason](const std::string& line) {
    if (!reason.empty()) reason += '\n';
    reason += line;
  };
  const std::pair<const char*, const PartStatus*> parts[] = {
      {"model", &engine.model}, {"ocr", &engine.ocr}, {"audit", &engine.audit}};
  for (const auto& [name, part] : parts) {
    if (part->state == PartState::Loading) add(std::string(name) + ": loading");
    if (part->state == PartState::Failed) add(std::string(name) + ": " + part->reason);
  }
  if (!policy.current()) add("policy: " + policy.last_error());
  return reason;
}

Response not_found(const Exchange& exchange) {
  return to_response(
      ApiError{404, "invalid_request_error", "unknown_url",
               "no such path: " + exchange.method + " " +
                   exchange.target.substr(0, exchange.target.find('?')).substr(0, 200)});
}

Response wrong_method(const std::string& allowed) {
  Response response = to_response(ApiError{405, "invalid_request_error", "method_not_allowed",
                                           "this path answers " + allowed + " only"});
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Response health() {
  Response response;
  response.body = json::object{{"status", "ok"}};
  return response;
}

Response readiness(const EngineStatus& engine, const PolicyStore& policy) {
  const std::string reason = not_ready_reason(engine, policy);
  Response response;
  if (!reason.empty()) response = not_ready(reason);
  response.body.emplace_object()["ready"] = reason.empty();
  if (!reason.empty()) {
    response.body.as_object()["error"] = not_ready(reason).body.as_object()["error"];
    response.body.as_object()["reason"] = reason;
  }
  return response;
}

Response not_ready(const std::string& reason) {
  Response response =
      to_response(ApiError{503, "server_error", "not_ready", "not ready: " + reason});
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace glyphward::daemon
