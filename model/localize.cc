#include "model/localize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace glyphward::model {
namespace {

// A set is given the target from this part of the steps at the latest.
constexpr int kDelayShare = 4;
constexpr int kMargin = 4;  // pixels around a box: letters bleed past what OCR boxes

using LayerSet = std::vector<int>;  // indices into the model's layers, ascending: the forward order

// ---- Pictures ----------------------------------------------------------------------------------

// Which pixels belong to the text of either picture.
std::vector<bool> text_mask(const Image& image, const PairScore& a, const PairScore& b) {
  std::vector<bool> mask(static_cast<std::size_t>(image.width) *
                         static_cast<std::size_t>(image.height));
  for (const PairScore* score : {&a, &b}) {
    for (const auto& [x0, y0, x1, y1] : score->boxes) {
      for (int y = std::max(0, y0 - kMargin); y < std::min(image.height, y1 + kMargin); ++y) {
        for (int x = std::max(0, x0 - kMargin); x < std::min(image.width, x1 + kMargin); ++x) {
          mask[static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
               static_cast<std::size_t>(x)] = true;
        }
      }
    }
  }
  return mask;
}

struct Difference {
  std::optional<double> outside_mse;  // 0..1 units; none if the boxes cover the picture
  double psnr = 0;
};

Difference compare(const Image& plain, const Image& image, const std::vector<bool>& mask) {
  if (plain.width != image.width || plain.height != image.height) {
    throw std::logic_error("two pictures of one pair differ in size");
  }
  double outside = 0;
  double whole = 0;
  std::size_t outside_values = 0;
  for (std::size_t pixel = 0; pixel < mask.size(); ++pixel) {
    double squares = 0;
    for (std::size_t i = 3 * pixel; i < 3 * pixel + 3; ++i) {
      const double difference = double(plain.rgb[i]) - double(image.rgb[i]);
      squares += difference * difference;
    }
    whole += squares;
    if (mask[pixel]) continue;
    outside += squares;
    outside_values += 3;
  }
  Difference difference;
  const auto values = static_cast<double>(std::max<std::size_t>(1, 3 * mask.size()));
  difference.psnr = 10 * std::log10(255.0 * 255.0 / (whole / values + 1e-10));
  if (outside_values > 0) {
    difference.outside_mse = outside / static_cast<double>(outside_values) / (255.0 * 255.0);
  }
  return difference;
}

// ---- The search --------------------------------------------------------------------------------

// A mean of what there is.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / count_ : 0; }
  int count() const { return count_; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

// A row while its pairs come in.
class RowBuilder {
 public:
  RowBuilder(std::vector<std::string> layers, int from_step) {
    row_.layers = std::move(layers);
    row_.from_step = from_step;
  }

  void add(const PairScore& score, const Difference& difference, bool without_box,
           const std::string& form) {
    target_letters_.add(score.target_letters);
    source_exact_.add(score.source_exact ? 1 : 0);
    source_letters_.add(score.source_letters);
    psnr_.add(difference.psnr);
    row_.pairs_without_box += without_box ? 1 : 0;
    all_.add(score, difference);
    if (!form.empty()) forms_[form].add(score, difference);
  }

  LayerSetResult mean() const {
    LayerSetResult row = row_;
    row.target_exact = all_.target_exact.value();
    row.target_letters = target_letters_.value();
    row.source_exact = source_exact_.value();
    row.source_letters = source_letters_.value();
    row.outside_mse = all_.outside_mse.value();
    row.psnr = psnr_.value();
    for (const auto& [name, form] : forms_) {
      row.forms[name] = {form.target_exact.count(), form.target_exact.value(),
                         form.outside_mse.value()};
    }
    return row;
  }

 private:
  struct Form {
    void add(const PairScore& score, const Difference& difference) {
      target_exact.add(score.target_exact ? 1 : 0);
      if (difference.outside_mse) outside_mse.add(*difference.outside_mse);
    }
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

class Search {
 public:
  Search(Pipeline& pipeline, const std::vector<PromptPair>& pairs, const Scorer& scorer,
         const LocalizeOptions& options, std::stop_token stop, const LocalizeProgress& progress)
      : pipeline_(pipeline),
        layers_(pipeline.info().attention_layers),
        pairs_(pairs),
        scorer_(scorer),
        options_(options),
        stop_(std::move(stop)),
        progress_(progress),
        count_(static_cast<int>(layers_.size())) {}

  Result<LocalizationReport> run() {
    const LayerSet all = all_layers();
    // As if three would do.
    total_sets_ = 2 + count_ + std::max(0, count_ - 1) + std::max(0, count_ - 2) + 3;
    if (const auto error = evaluate_all({{}, all})) return *error;
    if (all_exact_ == 0) {
      return report(
          {},
          fmt::format("all layers together show the other word in none of {} pairs: the model, its "
                      "settings or these prompts do not write legibly",
                      pairs_.size()));
    }
    LayerSet set;
    if (const auto error = grow(set)) return *error;
    if (const auto error = shrink(set)) return *error;
    const std::optional<LayerSet> best = choose(all);
    if (!best) {
      return report(
          {},
          fmt::format("no set tried reads the other word {:.2f} times as often as all {} layers",
                      options_.carry_share, count_));
    }
    return delay(*best);
  }

  Result<std::vector<LayerSetResult>> measure(const std::vector<std::vector<std::string>>& named,
                                              int from_step) {
    std::vector<LayerSet> sets;
    for (const std::vector<std::string>& names : named) {
      LayerSet set;
      for (const std::string& name : names) {
        const auto found = std::ranges::find(layers_, name);
        if (found == layers_.end()) {
          return Error{ErrorCode::InvalidRequest, "the model has no layer " + name, "layers"};
        }
        set.push_back(static_cast<int>(found - layers_.begin()));
      }
      std::ranges::sort(set);
      sets.push_back(std::move(set));
    }
    total_sets_ = static_cast<int>(sets.size()) + 2;
    const LayerSet all = all_layers();
    if (const auto error = evaluate_all({{}, all})) return *error;
    std::vector<LayerSetResult> rows = {find({})->row, find(all)->row};
    for (const LayerSet& set : sets) {
      if (const auto error = evaluate(set, from_step)) return *error;
      rows.push_back(find(set, from_step)->row);
    }
    return rows;
  }

 private:
  struct Evaluated {
    LayerSet set;
    LayerSetResult row;  // has the step from which the set was given the target
  };

  LayerSet all_layers() const {
    LayerSet all(layers_.size());
    for (int i = 0; i < count_; ++i) all[static_cast<std::size_t>(i)] = i;
    return all;
  }

  // Draws and scores a set over all pairs, unless that was done.
  std::optional<Error> evaluate(const LayerSet& set, int from_step = 0) {
    if (find(set, from_step) != nullptr) return std::nullopt;
    std::vector<std::string> names;
    names.reserve(set.size());
    for (int layer : set) names.push_back(layers_[layer]);
    RowBuilder row(names, from_step);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      Result<Generation> drawn =
          pipeline_.generate(static_cast<int>(set.size()) == count_
                                 ? all_layers_request(pairs_[i], names)
                                 : localization_request(pairs_[i], names, from_step),
                             stop_);
      if (!drawn) return drawn.error();
      Image& image = drawn->images.at(0);
      const PairScore score = scorer_(image, pairs_[i]);
      if (set.empty()) plain_.push_back({image, score});
      const Plain& plain = plain_[i];
      const bool without_box = score.boxes.empty() || plain.score.boxes.empty();
      row.add(score, compare(plain.image, image, text_mask(image, plain.score, score)), without_box,
              pairs_[i].form);
      ++done_;
      if (progress_) progress_(done_, std::max(done_, total()), row.mean());
    }
    LayerSetResult result = row.mean();
    if (static_cast<int>(set.size()) == count_) all_exact_ = result.target_exact;
    if (all_exact_ > 0) result.carried = result.target_exact / all_exact_;
    evaluated_.push_back({set, std::move(result)});
    return std::nullopt;
  }

  // Adds the layer with which the set reads best, until it carries the word.
  std::optional<Error> grow(LayerSet& set) {
    const int limit =
        options_.layers_max > 0 ? std::min(options_.layers_max, count_ - 1) : count_ - 1;
    while (static_cast<int>(set.size()) < limit) {
      std::vector<LayerSet> candidates;
      for (int layer = 0; layer < count_; ++layer) {
        if (std::ranges::find(set, layer) != set.end()) continue;
        candidates.push_back(set);
        candidates.back().insert(std::ranges::upper_bound(candidates.back(), layer), layer);
      }
      if (auto error = evaluate_all(candidates)) return error;
      set =
          *std::ranges::max_element(candidates, {}, [&](const LayerSet& c) { return reading(c); });
      if (carries(set)) break;
    }
    return std::nullopt;
  }

  // Leaves out members that the set does without.
  std::optional<Error> shrink(LayerSet& set) {
    while (set.size() > 1 && carries(set)) {
      std::vector<LayerSet> candidates;
      for (std::size_t i = 0; i < set.size(); ++i) {
        candidates.push_back(set);
        candidates.back().erase(candidates.back().begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (auto error = evaluate_all(candidates)) return error;
      set =
          *std::ranges::max_element(candidates, {}, [&](const LayerSet& c) { return reading(c); });
    }
    return std::nullopt;
  }

  std::optional<Error> evaluate_all(const std::vector<LayerSet>& sets) {
    for (const LayerSet& set : sets) {
      if (auto error = evaluate(set)) return error;
    }
    return std::nullopt;
  }

  // Of the smallest sets that carry the word, the one that keeps the picture, then the one that
  // carries more.
  std::optional<LayerSet> choose(const LayerSet& all) const {
    const Evaluated* best = nullptr;
    const auto rank = [&](const Evaluated& e) {
      return std::tuple(-static_cast<int>(e.set.size()), keeps_picture(e.row), e.row.carried,
                        -e.row.outside_mse);
    };
    for (const Evaluated& candidate : evaluated_) {
      if (candidate.set.empty() || candidate.set == all || !carries(candidate.set)) continue;
      if (best == nullptr || rank(candidate) > rank(*best)) best = &candidate;
    }
    return best == nullptr ? std::nullopt : std::optional(best->set);
  }

  // Of the steps from which the set carries the word, the first that keeps the picture; the first
  // step of all if none does.
  Result<LocalizationReport> delay(const LayerSet& set) {
    const int latest = pipeline_.info().num_inference_steps / kDelayShare;
    for (int from_step = 0; from_step <= latest; ++from_step) {
      if (const auto error = evaluate(set, from_step)) return *error;
      const Evaluated& delayed = *find(set, from_step);
      if (delayed.row.carried < options_.carry_share) break;
      if (keeps_picture(delayed.row)) return report(delayed.row, reason(delayed));
    }
    const Evaluated& at_once = *find(set);
    return report(at_once.row, reason(at_once));
  }

  std::string reason(const Evaluated& best) const {
    const LayerSetResult& all = evaluated_[1].row;
    std::string text = fmt::format(
        "{} of {} layers{} read the other word in {:.1f} % of {} pairs, all layers in {:.1f} %; "
        "outside the text they change "
        "the picture by {:.4f}, all layers by {:.4f}{}",
        best.set.size(), count_,
        best.row.from_step > 0 ? fmt::format(" from step {} on", best.row.from_step) : "",
        100 * best.row.target_exact, pairs_.size(), 100 * all.target_exact, best.row.outside_mse,
        all.outside_mse, keeps_picture(best.row) ? "" : ", a greater share than asked for");
    const LayerSetResult* next = nullptr;
    for (const Evaluated& other : evaluated_) {
      if (other.set.size() + 1 != best.set.size() || !std::ranges::includes(best.set, other.set))
        continue;
      if (next == nullptr || other.row.target_exact > next->target_exact) next = &other.row;
    }
    if (next != nullptr)
      text += fmt::format("; with one of them less at most {:.1f} %", 100 * next->target_exact);
    return text;
  }

  LocalizationReport report(const LayerSetResult& best, std::string reason) const {
    LocalizationReport report{.rows = {},
                              .layers = best.layers,
                              .from_step = best.from_step,
                              .reason = std::move(reason)};
    for (const Evaluated& evaluated : evaluated_) report.rows.push_back(evaluated.row);
    return report;
  }

  const Evaluated* find(const LayerSet& set, int from_step = 0) const {
    const auto found = std::ranges::find_if(evaluated_, [&](const Evaluated& e) {
      return e.set == set && e.row.from_step == from_step;
    });
    return found == evaluated_.end() ? nullptr : &*found;
  }

  // What sets are compared by while they grow: whole words, then letters, then the picture that
  // they keep.
  std::tuple<double, double, double> reading(const LayerSet& set) const {
    const LayerSetResult& row = find(set)->row;
    return {row.target_exact, row.target_letters, -row.outside_mse};
  }

  bool carries(const LayerSet& set) const { return find(set)->row.carried >= options_.carry_share; }

  bool keeps_picture(const LayerSetResult& row) const {
    return row.outside_mse <= options_.outside_share * evaluated_[1].row.outside_mse;
  }

  int total() const { return total_sets_ * static_cast<int>(pairs_.size()); }

  struct Plain {
    Image image;
    PairScore score;
  };

  Pipeline& pipeline_;
  const std::vector<std::string> layers_;
  const std::vector<PromptPair>& pairs_;
  const Scorer& scorer_;
  const LocalizeOptions& options_;
  std::stop_token stop_;
  const LocalizeProgress& progress_;
  const int count_;
  int total_sets_ = 0;
  int done_ = 0;
  std::vector<Plain> plain_;          // one a pair
  double all_exact_ = 0;              // target_exact of all layers
  std::vector<Evaluated> evaluated_;  // none, all, then as the search went
};

}  // namespace

GenerationRequest localization_request(const PromptPair& pair,
                                       const std::vector<std::string>& layers, int from_step) {
  GenerationRequest request;
  request.streams = {{"prompt", pair.source}};
  if (!layers.empty()) request.streams.push_back({"target", pair.target});
  for (const std::string& layer : layers)
    request.route.layers.push_back({.layer = layer, .stream = "target", .from_step = from_step});
  request.seeds = {pair.seed};
  return request;
}

GenerationRequest all_layers_request(const PromptPair& pair,
                                     const std::vector<std::string>& layers) {
  GenerationRequest request = localization_request(pair, layers, 0);
  request.route.base = "target";
  request.route.pooled = "target";
  return request;
}

namespace {

std::optional<Error> check(const Pipeline& pipeline, const std::vector<PromptPair>& pairs) {
  if (pairs.empty()) {
    return Error{ErrorCode::InvalidRequest, "expected at least one pair of prompts", "pairs"};
  }
  if (pipeline.info().attention_layers.size() < 2) {
    return Error{ErrorCode::InvalidRequest, "the model has no two layers to choose from", "model"};
  }
  return std::nullopt;
}

}  // namespace

Result<LocalizationReport> localize(Pipeline& pipeline, const std::vector<PromptPair>& pairs,
                                    const Scorer& scorer, const LocalizeOptions& options,
                                    std::stop_token stop, const LocalizeProgress& progress) {
  if (const auto error = check(pipeline, pairs)) return *error;
  return Search(pipeline, pairs, scorer, options, std::move(stop), progress).run();
}

Result<std::vector<LayerSetResult>> measure_layer_sets(
    Pipeline& pipeline, const std::vector<PromptPair>& pairs, const Scorer& scorer,
    const std::vector<std::vector<std::string>>& sets, int from_step, std::stop_token stop,
    const LocalizeProgress& progress) {
  if (const auto error = check(pipeline, pairs)) return *error;
  const LocalizeOptions options;
  return Search(pipeline, pairs, scorer, options, std::move(stop), progress)
      .measure(sets, from_step);
}

}  // namespace glyphward::model
