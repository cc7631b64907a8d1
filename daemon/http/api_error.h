// What an answer says when it is an error, in the shape that OpenAI's clients read. Knows no
// endpoint. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>
#include <string>

#include "base/result.h"
#include "daemon/http/exchange.h"

namespace glyphward::daemon {

// Values of ApiError::type.
inline constexpr const char* kInvalidRequest = "invalid_request_error";
inline constexpr const char* kRateLimit = "rate_limit_error";
inline constexpr const char* kServerError = "server_error";

// An error object: {"error": {"message", "type", "param", "code"}}.
struct ApiError {
  int status = 500;
  std::string type;
  std::string code;  // for programs: "unknown_parameter", "content_policy_violation", ...
  std::string message;
  std::string param = {};  // the field at fault; null where none is
  int retry_after_s = 0;   // 0: no Retry-After
};

template <typename T>
using ApiResult = boost::system::result<T, ApiError>;
// Called by ApiResult::value() on a failure. Found by argument-dependent lookup.
[[noreturn]] void throw_exception_from_error(const ApiError& error,
                                             const boost::source_location& where);

// What keeps a request from its endpoint, or an endpoint from its answer: the server's own errors.
enum class ServerError {
  HeaderTooLarge,
  BodyTooLarge,
  MalformedHttp,
  TooManyConnections,
  Internal
};

// The body alone, for who adds to it.
boost::json::object to_json(const ApiError& error);

// What no retry can mend carries x-should-retry: false, since SDKs retry on their own.
Response to_response(const ApiError& error);
Response to_response(const Error& error);
Response to_response(ServerError error, const std::string& detail = "");

}  // namespace glyphward::daemon
