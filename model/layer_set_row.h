// A row of the localization's table while its pictures come in. Internal to model/.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/image.h"
#include "model/localize.h"

namespace glyphward::model {

// Means over the pairs that were added. Not thread-safe.
class LayerSetRow {
 public:
  LayerSetRow(std::vector<std::string> layers, int from_step);

  // `image` is the pair's picture with these layers given the target, `plain` that with none; each
  // with what was read in it. Throws std::logic_error if the two differ in size.
  void add(const Image& plain, const PairScore& plain_score, const Image& image,
           const PairScore& score, const std::string& form);

  // All but LayerSetResult::carried, which takes another row to tell.
  LayerSetResult mean() const;

 private:
  class Mean {
   public:
    void add(double value);
    double value() const { return count_ > 0 ? sum_ / count_ : 0; }
    int count() const { return count_; }

   private:
    double sum_ = 0;
    int count_ = 0;
  };
  struct Form {
    Mean target_exact;
    Mean outside_mse;
  };

  LayerSetResult row_;
  Mean target_letters_;
  Mean source_exact_;
  Mean source_letters_;
  Mean psnr_;
  Form all_;
  std::map<std::string, Form> forms_;
};

}  // namespace glyphward::model
