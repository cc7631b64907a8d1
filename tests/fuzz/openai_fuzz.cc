// Fuzz target: the bodies of /v1/images/generations and /v1/moderations, the header that names the
// tenant, and a line of an exported log, from any bytes. What is accepted is within bounds; what is
// not is a 4xx with a message.
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/cli/policy/policy_replay.h"
#include "daemon/http/openai.h"

namespace {

using namespace glyphward;

void require_refusal(const daemon::ApiError& error) {
  if (error.status < 400 || error.status > 499 || error.message.empty()) std::abort();
  daemon::to_response(error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  model::ModelInfo info;
  info.name = "fuzz";
  info.size_multiple = 8;
  const auto generation = daemon::parse_generation(body, info);
  if (!generation) {
    require_refusal(generation.error());
  } else if (generation->request.client.size() > 4096) {
    std::abort();
  }
  const auto moderation = daemon::parse_moderation(body);
  if (!moderation) {
    require_refusal(moderation.error());
  } else if (moderation->empty() || moderation->size() > guard::kModerationTextsMax) {
    std::abort();
  }
  daemon::Exchange exchange;
  exchange.headers = {{"openai-project", std::string(body)}};
  const auto tenant = daemon::tenant_of(exchange);
  if (!tenant) {
    require_refusal(tenant.error());
  } else if (*tenant != body) {
    std::abort();
  }
  boost::system::error_code error;
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;
  const boost::json::value row = boost::json::parse(body, error, {}, options);
  if (!error && row.is_object()) {
    try {
      daemon::logged_decision(row.as_object());
    } catch (const std::invalid_argument&) {
      // The only way to say no.
    }
  }
  return 0;
}
