#include <boost/url.hpp>
#include <charconv>

#include "daemon/http/api.h"
#include "daemon/http/api_error.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr int kPageMax = 500;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || number < 0)
    return std::nullopt;
  return number;
}

ApiError bad_parameter(const std::string& name, const std::string& expected) {
  return {400, kInvalidRequest, "invalid_value", name + ": expected " + expected, name};
}

// One parameter of the query into the filter; the fault if it is none, or its value is wrong.
std::optional<ApiError> set_filter(guard::RecordFilter& filter, const std::string& name,
                                   const std::string& value) {
  const std::pair<const char*, std::string*> texts[] = {
      {"action", &filter.action},
      {"outcome", &filter.outcome},
      {"endpoint", &filter.endpoint},
      {"route", &filter.route},
      {"prompt_contains", &filter.prompt_contains}};
  for (const auto& [known, target] : texts) {
    if (name == known) {
      *target = value;
      return std::nullopt;
    }
  }
  if (name == "open_for_review") {
    if (value != "true" && value != "false") return bad_parameter(name, "true or false");
    filter.open_for_review_only = value == "true";
    return std::nullopt;
  }
  const std::pair<const char*, std::int64_t*> numbers[] = {{"before", &filter.before_sequence},
                                                           {"since_ms", &filter.since_ms},
                                                           {"until_ms", &filter.until_ms}};
  const auto number = whole_number(value);
  for (const auto& [known, target] : numbers) {
    if (name != known) continue;
    if (!number) return bad_parameter(name, "a whole number of 0 or more");
    *target = *number;
    return std::nullopt;
  }
  if (name == "limit") {
    if (!number || *number < 1 || *number > kPageMax) {
      return bad_parameter(name, "a whole number from 1 to " + std::to_string(kPageMax));
    }
    filter.limit = static_cast<int>(*number);
    return std::nullopt;
  }
  return ApiError{400, kInvalidRequest, "unknown_parameter",
                  "Unknown parameter: '" + name.substr(0, 64) +
                      "'; known are action, outcome, endpoint, route, prompt_contains, "
                      "open_for_review, before, since_ms, until_ms, limit",
                  name.substr(0, 64)};
}

ApiResult<guard::RecordFilter> parse_filter(const std::string& target) {
  guard::RecordFilter filter;
  const auto url = boost::urls::parse_origin_form(target);
  if (!url) {
    return ApiError{400, kInvalidRequest, "invalid_url", "the path is not well-formed"};
  }
  for (const auto& parameter : url->params()) {
    if (auto fault = set_filter(filter, parameter.key, parameter.value)) return *fault;
  }
  return filter;
}

const char* name_of(PartState state) {
  switch (state) {
    case PartState::Loading:
      return "loading";
    case PartState::Ready:
      return "ready";
    case PartState::Failed:
      break;
  }
  return "failed";
}

json::object part_json(const PartStatus& part) {
  json::object object{{"state", name_of(part.state)}};
  if (!part.reason.empty()) object["reason"] = part.reason;
  return object;
}

json::object model_json(const EngineStatus& engine, const model::Pipeline* pipeline) {
  json::object object = part_json(engine.model);
  if (pipeline == nullptr) return object;
  const model::ModelInfo& info = pipeline->info();
  object["name"] = info.name;
  object["family"] = info.family;
  object["device"] = info.device;
  object["dtype"] = info.dtype;
  object["weights_sha256"] = info.weights_sha256;
  object["profile"] = info.profile_state;
  object["localized_layers"] =
      json::array(info.localized_layers.begin(), info.localized_layers.end());
  object["localized_from_share"] = info.localized_from_share;
  object["attention_layers"] = info.attention_layers.size();
  return object;
}

}  // namespace

AdminApi::AdminApi(Engine& engine, PolicyStore& policy, const Config& config,
                   std::function<asio::awaitable<std::string>()> reload)
    : engine_(engine),
      policy_(policy),
      config_(config),
      reload_(std::move(reload)),
      routes_(table()) {}

std::vector<Route> AdminApi::table() {
  std::vector<Route> routes = probe_routes(engine_, policy_);
  routes.push_back({"GET", "/v1/status", at_once([this] { return status(); })});
  routes.push_back({"GET", "/metrics", at_once([this] {
                      return metrics_response(engine_.status(), policy_,
                                              config_.limits.queue_size_max);
                    })});
  routes.push_back({"GET", "/v1/decisions", [this](std::shared_ptr<Exchange> exchange) {
                      return decisions(std::move(exchange));
                    }});
  routes.push_back({"GET", "/v1/decisions/{id}", [this](std::shared_ptr<Exchange> exchange) {
                      return decision(std::move(exchange));
                    }});
  routes.push_back(
      {"POST", "/v1/policy/reload",
       [this](const std::shared_ptr<Exchange>& /*exchange*/) { return reload_policy(); }});
  return routes;
}

asio::awaitable<Response> AdminApi::decisions(std::shared_ptr<Exchange> exchange) {
  ApiResult<guard::RecordFilter> filter = parse_filter(exchange->target);
  if (!filter) co_return to_response(filter.error());
  const int limit = filter->limit++;  // one more than asked for tells whether there is another page
  Result<std::vector<guard::Record>> records = co_await engine_.list(std::move(*filter));
  if (!records) co_return to_response(records.error());
  const bool has_more = records->size() > static_cast<std::size_t>(limit);
  if (has_more) records->pop_back();
  json::array data;
  for (const guard::Record& record : *records) data.push_back(guard::to_json(record));
  json::object body{{"object", "list"}, {"data", std::move(data)}, {"has_more", has_more}};
  if (has_more) body["next_before"] = records->back().sequence;
  co_return json_response(body);
}

// By its sequence number or its request id.
asio::awaitable<Response> AdminApi::decision(std::shared_ptr<Exchange> exchange) {
  std::string id = exchange->parameter;
  Result<std::optional<guard::Record>> record = std::optional<guard::Record>();
  if (const auto sequence = whole_number(id)) {
    record = co_await engine_.find(*sequence);
  } else {
    record = co_await engine_.find(std::move(id));
  }
  if (!record) co_return to_response(record.error());
  if (!*record) {
    Error error{ErrorCode::NotFound, "no decision has this sequence number or request id", "id"};
    co_return to_response(error);
  }
  co_return json_response(guard::to_json(**record));
}

asio::awaitable<Response> AdminApi::reload_policy() {
  const std::string failure = co_await reload_();
  if (!failure.empty()) {
    ApiError error{400, kInvalidRequest, "policy_invalid",
                   failure + (policy_.current() ? "; the old policy stays in force" : "")};
    co_return to_response(error);
  }
  const json::object body{{"revision", policy_.current()->revision()}};
  co_return json_response(body);
}

Response AdminApi::status() const {
  const EngineStatus engine = engine_.status();
  const std::string reason = not_ready_reason(engine, policy_);
  json::object policy{{"file", config_.policy.string()}};
  if (policy_.current()) {
    policy["revision"] = policy_.current()->revision();
    policy["loaded_at"] = policy_.loaded_at_s();
    policy["terms"] = policy_.current()->lexicon().terms().size();
  }
  policy["reloads"] = policy_.reloads();
  policy["failed_reloads"] = policy_.failed_reloads();
  if (!policy_.last_error().empty()) policy["last_error"] = policy_.last_error();
  json::object body{{"ready", reason.empty()}};
  if (!reason.empty()) body["reason"] = reason;
  body["version"] = GLYPHWARD_VERSION;
  body["model"] = model_json(engine, engine_.pipeline());
  body["ocr"] = part_json(engine.ocr);
  json::object audit = part_json(engine.audit);
  audit["state_dir"] = config_.state_dir.string();
  body["audit"] = std::move(audit);
  body["policy"] = std::move(policy);
  body["queue"] = json::object{{"waiting", engine.queued},
                               {"size_max", config_.limits.queue_size_max},
                               {"working", engine.working},
                               {"step", engine.step},
                               {"steps", engine.steps}};
  body["requests"] = json::object{{"answered", engine.answered},
                                  {"refused", engine.refused},
                                  {"cancelled", engine.cancelled},
                                  {"failed", engine.failed},
                                  {"overloaded", engine.overloaded}};
  return json_response(body);
}

}  // namespace glyphward::daemon
