// A guard with all that it works with, for tests of one request's way.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "guard/guard.h"
#include "guard/screen.h"
#include "tests/guard/fakes.h"

namespace glyphward::guard {

// The text between the first quotation marks.
inline std::string quoted(const std::string& prompt) {
  const std::size_t open = prompt.find('"');
  return open == std::string::npos ? ""
                                   : prompt.substr(open + 1, prompt.find('"', open + 1) - open - 1);
}

inline const std::string& stream_text(const model::GenerationRequest& request,
                                      const std::string& name) {
  for (const model::TextStream& stream : request.streams)
    if (stream.name == name) return stream.text;
  throw std::runtime_error("no stream " + name);
}

// What the picture says if `layer` alone decides: the text of the stream that it reads.
inline std::string read_by(const model::GenerationRequest& request, const std::string& layer) {
  for (const model::LayerRoute& route : request.route.layers)
    if (route.layer == layer) return quoted(stream_text(request, route.stream));
  return quoted(stream_text(request, request.route.base));
}

// A guard over fakes. The picture says what the stream says that kLayers[0] reads, unless `draw`
// has it otherwise.
struct Bench {
  explicit Bench(FakePipeline::Draw draw =
                     [](const auto& request) { return read_by(request, kLayers[0]); })
      : pipeline(std::move(draw)), ocr(pipeline), guard(pipeline, ocr, audit) {}

  Result<Screened> screened(const std::string& prompt, int n = 1) {
    ImageRequest request;
    request.request_id = "req";
    request.endpoint = "local";
    request.prompt = prompt;
    request.n = n;
    request.seed = 7;
    return screen(request, policy, pipeline);
  }

  Result<Answer> ask(const std::string& prompt, int n = 1) {
    Result<Screened> looked_at = screened(prompt, n);
    if (!looked_at) return looked_at.error();
    return guard.complete(*looked_at, stop.get_token());
  }

  std::shared_ptr<FakeLexicon> lexicon =
      std::make_shared<FakeLexicon>(std::vector<std::pair<std::string, int>>{
          {"fuck", 5}, {"shit", 4}, {"slur", 6}, {"worst", 7}, {"moron", 1}});
  std::shared_ptr<FakePolicy> policy = std::make_shared<FakePolicy>(lexicon);
  FakePipeline pipeline;
  FakeOcr ocr;
  FakeAudit audit;
  Guard guard;
  std::stop_source stop;
};

inline const Reply& reply(const Result<Answer>& answer) { return std::get<Reply>(answer.value()); }
inline const Refusal& refusal(const Result<Answer>& answer) {
  return std::get<Refusal>(answer.value());
}

inline std::vector<std::string> escalated_routes(const Record& record) {
  std::vector<std::string> routes;
  const boost::json::value steps = boost::json::parse(record.escalations_json);
  for (const auto& step : steps.as_array()) routes.emplace_back(step.at("route").as_string());
  return routes;
}

}  // namespace glyphward::guard
