// Result<T>: what a request's step returns when the caller answers differently on failure
// (docs/ARCHITECTURE.md, "Errors"). Startup throws ConfigError instead (base/config_error.h).
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace glyphward {

enum class ErrorCode {
  InvalidRequest,    // 400: the client can mend it; `param` names the field
  NotFound,          // 404
  Overloaded,        // 429: the queue is full
  DeadlineExceeded,  // 504
  Cancelled,         // the client hung up
  Unavailable,       // 503: audit, OCR or model cannot work now
  Internal,          // 500
};

// The message never quotes the prompt: it may be logged where prompts may not.
struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  std::string param;  // the request's field that is at fault; empty if none is
};

template <typename T>
using Result = boost::system::result<T, Error>;

// Called by Result::value() on a failure. Found by argument-dependent lookup.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& /*where*/) {
  throw std::runtime_error(error.message);
}

}  // namespace glyphward
