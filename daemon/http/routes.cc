#include "daemon/http/routes.h"

#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "daemon/http/api_error.h"

namespace glyphward::daemon {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kShownPathMax = 200;  // bytes

// What is before the parameter: the whole path where there is none.
std::string_view fixed_part(const Route& route) {
  return std::string_view(route.path).substr(0, route.path.find('{'));
}

bool has_parameter(const Route& route) { return fixed_part(route).size() < route.path.size(); }

// What the path says for the route's parameter: empty for a route that has none. Nothing where the
// route does not fit.
std::optional<std::string> match(const Route& route, const std::string& path) {
  if (!has_parameter(route)) {
    return path == route.path ? std::optional<std::string>("") : std::nullopt;
  }
  const std::string_view fixed = fixed_part(route);
  if (!path.starts_with(fixed)) return std::nullopt;
  return path.substr(fixed.size());
}

void check(const Route& route) {
  const std::string_view fixed = fixed_part(route);
  const bool well_formed =
      fixed.starts_with('/') &&
      (!has_parameter(route) || (fixed.ends_with('/') && route.path.ends_with('}')));
  if (!well_formed)
    throw std::invalid_argument(route.path + ": expected /a/path or /a/path/{name}");
}

Response not_found(const std::string& method, const std::string& path) {
  return to_response(ApiError{404, kInvalidRequest, "unknown_url",
                              "no such path: " + method + " " + path.substr(0, kShownPathMax)});
}

Response wrong_method(const std::string& allowed) {
  Response response = to_response(ApiError{405, kInvalidRequest, "method_not_allowed",
                                           "this path answers " + allowed + " only"});
  response.headers.emplace_back("Allow", allowed);
  return response;
}

asio::awaitable<Response> answer_now(std::function<Response()> answer) { co_return answer(); }

}  // namespace

Routes::Routes(std::vector<Route> routes) : routes_(std::move(routes)) {
  std::set<std::pair<std::string, std::string_view>> seen;
  for (const Route& route : routes_) {
    check(route);
    if (!seen.emplace(route.method, fixed_part(route)).second) {
      throw std::invalid_argument(route.method + " " + route.path + ": comes twice");
    }
  }
}

asio::awaitable<Response> Routes::answer(std::shared_ptr<Exchange> exchange) const {
  const std::string path = exchange->path();
  std::string allowed;
  for (const Route& route : routes_) {
    std::optional<std::string> parameter = match(route, path);
    if (!parameter) continue;
    if (route.method == exchange->method) {
      exchange->parameter = std::move(*parameter);
      asio::awaitable<Response> answer = route.handler(std::move(exchange));
      co_return co_await std::move(answer);
    }
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method;
  }
  if (allowed.empty()) co_return not_found(exchange->method, path);
  co_return wrong_method(allowed);
}

Handler at_once(std::function<Response()> answer) {
  return [answer = std::move(answer)](const std::shared_ptr<Exchange>& /*exchange*/) {
    return answer_now(answer);
  };
}

}  // namespace glyphward::daemon
