#include "model/localize.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "model/layer_set_row.h"

namespace glyphward::model {
namespace {

// A set is given the target from this part of the steps at the latest.
constexpr int kDelayShare = 4;

using LayerSet = std::vector<int>;  // indices into the model's layers, ascending: the forward order

// ---- The search --------------------------------------------------------------------------------
//
// Wanted: the fewest layers that, given the target prompt, make the model write the target's word
// and leave the rest of the picture as it was. A model of n layers has 2^n sets, and each costs a
// picture for every pair.
//
// The paper (section 3; docs/METHOD.md, section 3) gives each layer alone the target, takes those
// that respond most, and then shows that a larger set buys little text at much picture. That
// presumes that a layer which matters shows something when it is alone. In small models it need
// not: two layers may write the word together of which neither writes it. So this search asks every
// question of a *set*, in five stages:
//
//   1. Bounds. No layer: the plain picture, which all others are compared with. All layers: the
//      target prompt itself, the most that any set can read. A model that does not write the word
//      even then has nothing to localize. Every set's `carried` is its share of that ceiling.
//   2. Grow. From the empty set, each round tries all layers that are not in it yet beside those
//      that are, and keeps the one with which the set reads best, until the set carries the word
//      (or all layers but one are in). The first round is the paper's scan of single layers.
//   3. Shrink. A layer that was the best choice early may be idle beside those that came after it:
//      members are left out, one a round, as long as the set carries the word.
//   4. Choose, among all sets that were drawn and not only those on the way.
//   5. Delay. If the set changes too much of the picture, it is given the target some steps later:
//      the first steps lay out the scene, and letters form after it (t_s in the paper's section on
//      editing).
//
// Everything that was drawn is kept in `evaluated_`, by set and first step, so that no picture is
// drawn twice and the report has all rows in the order in which they came.
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
    // For the progress bar: none and all, three rounds of growing, one of shrinking.
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

  // Draws and scores a set over all pairs, unless that was done. The first one ever is the empty
  // set and the second that of all layers: later rows are measured by both.
  std::optional<Error> evaluate(const LayerSet& set, int from_step = 0) {
    if (find(set, from_step) != nullptr) return std::nullopt;
    std::vector<std::string> names;
    names.reserve(set.size());
    for (int layer : set) names.push_back(layers_[layer]);
    LayerSetRow row(names, from_step);
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
      row.add(plain.image, plain.score, image, score, pairs_[i].form);
      ++done_;
      if (progress_) progress_(done_, std::max(done_, total()), row.mean());
    }
    LayerSetResult result = row.mean();
    if (static_cast<int>(set.size()) == count_) all_exact_ = result.target_exact;
    if (all_exact_ > 0) result.carried = result.target_exact / all_exact_;
    evaluated_.push_back({set, std::move(result)});
    return std::nullopt;
  }

  // Adds the layer with which the set reads best, until it carries the word. It never gets to all
  // layers: that set is the ceiling, and tells nothing of where the word is.
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

  // Leaves out members that the set does without: the best of the sets with one member less, as
  // long as the one before still carries. The last step may go one too far; choose() sees both.
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
  // they keep. The letters give a slope to climb while no set reads a whole word yet.
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
