// Layer routing: a request's route, checked against the model's layers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/pipeline.h"

namespace glyphward::model {

// Which stream each layer reads, step by step. Streams and layers are indices into the request's
// streams and the model's attention_layers.
class RoutePlan {
 public:
  // InvalidRequest naming the field on: no streams, streams of one name, an unknown stream or
  // layer, a layer listed twice for one step, a from_step outside 0 .. steps - 1 (such a swap would
  // silently never happen).
  static Result<RoutePlan> make(const GenerationRequest& request,
                                const std::vector<std::string>& attention_layers, int steps);

  std::size_t stream(std::size_t layer, int step) const;
  // What the layers read that are not listed.
  std::size_t base() const { return base_; }
  // Those that some layer reads at some step.
  std::set<std::size_t> streams_in_use() const;
  // Whose pooled embedding conditions the network, at every step.
  std::size_t pooled() const { return pooled_; }
  // True if some layer reads another stream at `step` than at the step before.
  bool changes_at(int step) const;

 private:
  struct Switch {
    int from_step;
    std::size_t stream;
  };
  int steps_ = 0;
  std::size_t base_ = 0;
  std::size_t pooled_ = 0;
  // By layer, in order of from_step; the first is the base at 0.
  std::vector<std::vector<Switch>> switches_;
};

}  // namespace glyphward::model
