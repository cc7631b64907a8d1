// The OpenAI shapes: requests read strictly, replies and errors written. Pure functions.
// Fields and codes: OpenAI's API reference, images/generations and moderations.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/api_error.h"
#include "daemon/http/exchange.h"
#include "guard/guard.h"
#include "model/pipeline.h"

namespace glyphward::daemon {

// POST /v1/images/generations: OpenAI's fields (prompt, n, size, model, response_format,
// output_format, user) and ours (seed, num_inference_steps, guidance_scale, negative_prompt,
// height, width, scheduler). Fields of OpenAI's that this service cannot honour, and that take
// nothing from the guard, are ignored and named in the reply; any other field is an error. Bounds
// of the values are guard::screen's business.
struct GenerationCall {
  guard::ImageRequest request;
  std::vector<std::string> ignored;
  bool size_given = false;  // height and width were asked for as one "size"
};
ApiResult<GenerationCall> parse_generation(std::string_view body, const model::ModelInfo& info);

// POST /v1/moderations: input is a string, an array of strings, or an array of {"type": "text",
// "text": ...}.
ApiResult<std::vector<std::string>> parse_moderation(std::string_view body);

// Whose rules apply: the OpenAI-Project header, which OpenAI's clients send for their `project`.
// Empty if there is none; an error if there are several, or it is no tenant's name.
ApiResult<std::string> tenant_of(const Exchange& exchange);

boost::json::object generation_reply(const guard::Reply& reply, const GenerationCall& call,
                                     std::int64_t created_s);

// A refusal, by policy or by verification: 400 content_policy_violation.
Response refusal_response(const guard::Refusal& refusal);

// One entry of results[]. flagged and categories speak of the text to be rendered, from severity 2
// on; scores are the highest severity of any finding, divided by 7; findings lists all of them.
boost::json::object moderation_result(const guard::Screened& screened);

}  // namespace glyphward::daemon
