#include <spdlog/spdlog.h>

#include <chrono>

#include "daemon/http/api.h"
#include "daemon/http/api_error.h"
#include "daemon/http/openai.h"

namespace glyphward::daemon {
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void identify(guard::ImageRequest& request, const Exchange& exchange, const std::string& tenant) {
  request.request_id = exchange.request_id;
  request.client = to_string(exchange.peer) + request.client;  // the client's own "user" follows
  request.endpoint = exchange.path();
  request.tenant = tenant;
}

// The guard's messages begin with its own name of the field; the client knows it by another.
void rename_field(Error& error, const std::string& name) {
  if (error.message.starts_with(error.param + ": ")) {
    error.message.replace(0, error.param.size(), name);
  }
  error.param = name;
}

Response cancelled_response(StopReason reason, const Limits& limits) {
  if (reason == StopReason::Deadline) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limits.deadline);
    return to_response(Error{ErrorCode::DeadlineExceeded,
                             "not done within " + std::to_string(seconds.count()) + " s", ""});
  }
  return to_response(Error{ErrorCode::Unavailable, std::string(to_string(reason)), ""});
}

}  // namespace

ServiceApi::ServiceApi(Engine& engine, PolicyStore& policy, const Limits& limits)
    : engine_(engine), policy_(policy), limits_(limits), routes_(table()) {}

std::vector<Route> ServiceApi::table() {
  std::vector<Route> routes = probe_routes(engine_, policy_);
  routes.push_back({"POST", "/v1/images/generations", [this](std::shared_ptr<Exchange> exchange) {
                      return generations(std::move(exchange));
                    }});
  routes.push_back({"POST", "/v1/moderations", [this](std::shared_ptr<Exchange> exchange) {
                      return moderations(std::move(exchange));
                    }});
  routes.push_back({"GET", "/v1/models", at_once([this] { return models(); })});
  return routes;
}

asio::awaitable<Response> ServiceApi::generations(std::shared_ptr<Exchange> exchange) {
  const auto deadline = std::chrono::steady_clock::now() + limits_.deadline;
  const std::string reason = not_ready_reason(engine_.status(), policy_);
  if (!reason.empty()) co_return not_ready(reason);
  ApiResult<GenerationCall> call = parse_generation(exchange->body, engine_.pipeline()->info());
  if (!call) co_return to_response(call.error());
  const ApiResult<std::string> tenant = tenant_of(*exchange);
  if (!tenant) co_return to_response(tenant.error());
  identify(call->request, *exchange, *tenant);
  Result<guard::Screened> screened =
      guard::screen(call->request, policy_.current(), *engine_.pipeline());
  if (!screened) {
    Error error = screened.error();
    const bool side = error.param == "height" || error.param == "width";
    if (side && call->size_given) rename_field(error, "size");
    co_return to_response(error);
  }
  Result<std::shared_ptr<GenerationJob>> submitted = engine_.submit(std::move(*screened));
  if (!submitted) co_return to_response(submitted.error());
  const std::shared_ptr<GenerationJob> job = *submitted;
  std::function<void()> hung_up = [this, job] { engine_.abandon(job, StopReason::HangUp); };
  exchange->on_hang_up(std::move(hung_up));

  if (!co_await job->done.wait_until(deadline)) {
    // One that waits is done now; one that has begun ends within two steps, and tells how.
    engine_.abandon(job, StopReason::Deadline);
    co_await job->done.wait();
  }
  if (!job->result) co_return cancelled_response(job->stop_reason(), limits_);
  const Result<guard::Answer>& answer = *job->result;
  if (!answer) {
    if (answer.error().code == ErrorCode::Cancelled) {
      co_return cancelled_response(job->stop_reason(), limits_);
    }
    spdlog::warn("{}: {}", exchange->request_id, answer.error().message);
    co_return to_response(answer.error());
  }
  if (const auto* refusal = std::get_if<guard::Refusal>(&*answer)) {
    co_return refusal_response(*refusal);
  }
  co_return json_response(generation_reply(std::get<guard::Reply>(*answer), *call, now_s()));
}

asio::awaitable<Response> ServiceApi::moderations(std::shared_ptr<Exchange> exchange) {
  const std::string reason = not_ready_reason(engine_.status(), policy_);
  if (!reason.empty()) co_return not_ready(reason);
  const ApiResult<std::vector<std::string>> inputs = parse_moderation(exchange->body);
  if (!inputs) co_return to_response(inputs.error());
  const ApiResult<std::string> tenant = tenant_of(*exchange);
  if (!tenant) co_return to_response(tenant.error());
  // One revision for all of its texts.
  const std::shared_ptr<const policy::Policy> policy = policy_.current();
  json::array results;
  std::vector<guard::Screened> all;
  for (const std::string& input : *inputs) {
    guard::ImageRequest request;
    request.prompt = input;
    identify(request, *exchange, *tenant);
    if (inputs->size() > 1) request.request_id += "." + std::to_string(all.size());
    Result<guard::Screened> screened = guard::screen_text(std::move(request), policy);
    if (!screened) {
      Error error = screened.error();
      rename_field(error, "input");
      co_return to_response(error);
    }
    all.push_back(std::move(*screened));
  }
  for (guard::Screened& screened : all) {
    results.push_back(moderation_result(screened));
    const Result<guard::Record> record = co_await engine_.moderate(std::move(screened));
    if (!record) co_return to_response(record.error());
  }
  const json::object body{{"id", "modr-" + exchange->request_id.substr(4)},
                          {"model", "glyphward-lexicon"},
                          {"results", std::move(results)},
                          {"glyphward", json::object{{"policy_revision", policy->revision()}}}};
  co_return json_response(body);
}

Response ServiceApi::models() const {
  json::array data;
  if (const model::Pipeline* pipeline = engine_.pipeline()) {
    data.push_back(json::object{{"id", pipeline->info().name},
                                {"object", "model"},
                                {"created", 0},
                                {"owned_by", "glyphward"}});
  }
  return json_response(json::object{{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace glyphward::daemon
