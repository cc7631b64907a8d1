#include "model/route.h"

#include <algorithm>
#include <cassert>

namespace glyphward::model {
namespace {

Error invalid(std::string message, std::string param) {
  return Error{ErrorCode::InvalidRequest, std::move(message), std::move(param)};
}

// The streams' size if there is none of this name.
std::size_t find_stream(const std::vector<TextStream>& streams, const std::string& name) {
  return static_cast<std::size_t>(
      std::find_if(streams.begin(), streams.end(),
                   [&name](const TextStream& stream) { return stream.name == name; }) -
      streams.begin());
}

}  // namespace

Result<RoutePlan> RoutePlan::make(const GenerationRequest& request,
                                  const std::vector<std::string>& attention_layers, int steps) {
  const std::vector<TextStream>& streams = request.streams;
  if (streams.empty()) return invalid("expected at least one text stream", "streams");
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (find_stream(streams, streams[i].name) != i) {
      return invalid("two text streams are named '" + streams[i].name + "'", "streams");
    }
  }
  const std::size_t base = find_stream(streams, request.route.base);
  if (base == streams.size()) {
    return invalid("no text stream is named '" + request.route.base + "'", "route.base");
  }
  const std::size_t pooled = find_stream(streams, request.route.pooled);
  if (pooled == streams.size()) {
    return invalid("no text stream is named '" + request.route.pooled + "'", "route.pooled");
  }
  RoutePlan plan;
  plan.steps_ = steps;
  plan.base_ = base;
  plan.pooled_ = pooled;
  plan.switches_.assign(attention_layers.size(), {Switch{-1, base}});
  for (const LayerRoute& route : request.route.layers) {
    const auto layer = std::find(attention_layers.begin(), attention_layers.end(), route.layer);
    if (layer == attention_layers.end()) {
      return invalid("the model has no attention layer '" + route.layer + "'", "route.layers");
    }
    const std::size_t stream = find_stream(streams, route.stream);
    if (stream == streams.size()) {
      return invalid("no text stream is named '" + route.stream + "'", "route.layers");
    }
    if (route.from_step < 0 || route.from_step >= steps) {
      return invalid("from_step: expected 0 to " + std::to_string(steps - 1) + ", found " +
                         std::to_string(route.from_step),
                     "route.layers");
    }
    std::vector<Switch>& switches =
        plan.switches_[static_cast<std::size_t>(layer - attention_layers.begin())];
    const auto place =
        std::lower_bound(switches.begin(), switches.end(), route.from_step,
                         [](const Switch& s, int from_step) { return s.from_step < from_step; });
    if (place != switches.end() && place->from_step == route.from_step) {
      return invalid("'" + route.layer + "' is listed twice for one step", "route.layers");
    }
    switches.insert(place, Switch{route.from_step, stream});
  }
  return plan;
}

std::size_t RoutePlan::stream(std::size_t layer, int step) const {
  assert(step >= 0 && step < steps_);
  std::size_t result = 0;
  for (const Switch& s : switches_[layer]) {
    if (s.from_step <= step) result = s.stream;
  }
  return result;
}

std::set<std::size_t> RoutePlan::streams_in_use() const {
  std::set<std::size_t> streams;
  for (std::size_t layer = 0; layer < switches_.size(); ++layer) {
    for (int step = 0; step < steps_; ++step) streams.insert(stream(layer, step));
  }
  return streams;
}

bool RoutePlan::changes_at(int step) const {
  if (step == 0) return true;
  for (std::size_t layer = 0; layer < switches_.size(); ++layer) {
    if (stream(layer, step) != stream(layer, step - 1)) return true;
  }
  return false;
}

}  // namespace glyphward::model
