#include "daemon/http/api_error.h"

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <stdexcept>

#include "guard/request.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

ApiError to_api_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidRequest:
      return {400, kInvalidRequest, "invalid_value", error.message, error.param};
    case ErrorCode::NotFound:
      return {404, kInvalidRequest, "not_found", error.message, error.param};
    case ErrorCode::Overloaded:
      return {429, kRateLimit, "queue_full", error.message, "", 1};
    case ErrorCode::DeadlineExceeded:
      return {504, kServerError, "deadline_exceeded", error.message};
    case ErrorCode::Cancelled:
    case ErrorCode::Unavailable:
      return {503, kServerError, "unavailable", error.message};
    case ErrorCode::Internal:
      break;
  }
  return {500, kServerError, "internal_error", error.message};
}

ApiError to_api_error(ServerError error, const std::string& detail) {
  constexpr std::size_t kCharacters = guard::kPromptCharactersMax;
  static_assert(kCharacters >= 1000 && kCharacters < 1'000'000, "written as thousands and rest");
  switch (error) {
    case ServerError::HeaderTooLarge:
      return {431, kInvalidRequest, "header_too_large", "the request's header is too large"};
    case ServerError::BodyTooLarge:
      return {413, kInvalidRequest, "request_too_large",
              fmt::format("the request's body is too large (a prompt has at most {},{:03} "
                          "characters)",
                          kCharacters / 1000, kCharacters % 1000)};
    case ServerError::MalformedHttp:
      return {400, kInvalidRequest, "malformed_http",
              "the request is not well-formed HTTP/1.1: " + detail};
    case ServerError::TooManyConnections:
      return {
          503, kServerError, "too_many_connections", "too many connections; try again later", "",
          1};
    case ServerError::Internal:
      break;
  }
  return {500, kServerError, "internal_error", "an internal error"};
}

}  // namespace

void throw_exception_from_error(const ApiError& error, const boost::source_location& /*where*/) {
  throw std::runtime_error(error.message);
}

json::object to_json(const ApiError& error) {
  json::object object{
      {"message", error.message},
      {"type", error.type},
      {"param", error.param.empty() ? json::value(nullptr) : json::value(error.param)},
      {"code", error.code}};
  return {{"error", std::move(object)}};
}

Response to_response(const ApiError& error) {
  Response response = json_response(to_json(error), error.status);
  if (error.retry_after_s > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  }
  if (error.status < 500 && error.status != 429) {
    response.headers.emplace_back("x-should-retry", "false");
  }
  return response;
}

Response to_response(const Error& error) { return to_response(to_api_error(error)); }

Response to_response(ServerError error, const std::string& detail) {
  return to_response(to_api_error(error, detail));
}

}  // namespace glyphward::daemon
