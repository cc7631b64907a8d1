#include "guard/record_of.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <string>
#include <utility>

#include "guard/attempts.h"
#include "guard/finding_json.h"

namespace glyphward::guard {
namespace {

// What the policy was given and what its rules on trial would have done, for the row alone.
boost::json::object policy_parameters(const Screened& screened) {
  boost::json::object parameters = totals_json(screened.analysis);
  if (!screened.request.tenant.empty()) parameters["tenant"] = screened.request.tenant;
  for (const policy::Observation& observation : screened.decision.observations) {
    if (!parameters.contains("observed")) parameters["observed"].emplace_array();
    parameters["observed"].as_array().push_back(boost::json::object{
        {"rule", observation.rule}, {"would_action", policy::to_string(observation.would_action)}});
  }
  return parameters;
}

boost::json::object parameters_json(const Screened& screened, const model::ModelInfo& info) {
  const ImageRequest& request = screened.request;
  boost::json::array seeds;
  for (int i = 0; i < request.n; ++i) seeds.push_back(request.seed + static_cast<std::uint64_t>(i));
  boost::json::object parameters{
      {"n", request.n},
      {"seeds", std::move(seeds)},
      {"num_inference_steps",
       request.settings.num_inference_steps.value_or(info.num_inference_steps)},
      {"guidance_scale", request.settings.guidance_scale.value_or(info.guidance_scale)},
      {"height", request.settings.height.value_or(info.height)},
      {"width", request.settings.width.value_or(info.width)},
      {"scheduler", request.settings.scheduler.empty()
                        ? boost::json::value(nullptr)
                        : boost::json::value(request.settings.scheduler)},
      {"prompt_tokens", screened.fit.tokens},
      {"prompt_tokens_max", screened.fit.tokens_max}};
  // What the text encoder does not see was guarded all the same.
  if (screened.fit.bytes_kept < request.prompt.size())
    parameters["prompt_bytes_seen"] = screened.fit.bytes_kept;
  if (!screened.negative.findings.empty())
    parameters["negative_prompt_findings"] = explained_findings_json(screened.negative);
  for (auto& [key, value] : policy_parameters(screened)) parameters[key] = std::move(value);
  return parameters;
}

}  // namespace

Record record_of(const Screened& screened) {
  Record record;
  record.request_id = screened.request.request_id;
  record.client = screened.request.client;
  record.endpoint = screened.request.endpoint;
  record.prompt = screened.request.prompt;
  record.negative_prompt = screened.request.negative_prompt;
  record.rendered_json = boost::json::serialize(rendered_json(screened.analysis));
  record.findings_json = boost::json::serialize(explained_findings_json(screened.analysis));
  record.policy_revision = screened.policy->revision();
  record.rule = screened.decision.rule;
  record.action = std::string(policy::to_string(screened.decision.action));
  if (screened.decision.action == policy::Action::Substitute)
    record.sanitized_prompt = screened.decision.sanitized_prompt;
  record.route = to_string(RouteName::None);
  return record;
}

Record record_of(const Screened& screened, const model::ModelInfo& info) {
  Record record = record_of(screened);
  record.model = info.name;
  record.weights_sha256 = info.weights_sha256;
  record.parameters_json = boost::json::serialize(parameters_json(screened, info));
  return record;
}

Result<Record> append_row(AuditLog& audit, Record record) {
  try {
    return audit.append(std::move(record));
  } catch (const std::exception& error) {
    return Error{ErrorCode::Unavailable,
                 std::string("the audit log cannot be written: ") + error.what(), ""};
  }
}

Result<Record> record_moderation(const Screened& screened, AuditLog& audit) {
  Record record = record_of(screened);
  record.outcome = to_string(Outcome::Answered);
  if (const auto parameters = policy_parameters(screened); !parameters.empty())
    record.parameters_json = boost::json::serialize(parameters);
  record.timings_json =
      boost::json::serialize(boost::json::object{{"screen_ms", screened.screening_ms}});
  return append_row(audit, std::move(record));
}

}  // namespace glyphward::guard
