#include "guard/attempts.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "model/profile.h"

namespace glyphward::guard {
namespace {

// The order of RouteName is that of kRouteNames, and no route lies beyond its end.
constexpr bool lists_every_route() {
  for (std::size_t i = 0; i < kRouteNames.size(); ++i)
    if (kRouteNames[i] != static_cast<RouteName>(i)) return false;
  return to_string(static_cast<RouteName>(kRouteNames.size())).empty();
}
static_assert(lists_every_route(), "kRouteNames has each RouteName, in order");

constexpr bool names_every_escalation() {
  return std::all_of(policy::kEscalationRoutes.begin(), policy::kEscalationRoutes.end(),
                     [](std::string_view name) { return route_named(name).has_value(); });
}
static_assert(names_every_escalation(), "a policy names only routes that the guard knows");

Attempt routed_attempt(RouteName name, const std::vector<std::string>& layers, int from_step) {
  Attempt attempt{name, {}, true};
  for (const std::string& layer : layers)
    attempt.route.layers.push_back({layer, kSanitizedStream, from_step});
  return attempt;
}

// Nothing if the model has no layers for it.
std::optional<Attempt> substituted_attempt(RouteName name, const Screened& screened,
                                           const model::ModelInfo& info) {
  switch (name) {
    case RouteName::Localized: {
      if (info.localized_layers.empty()) return std::nullopt;
      const int steps =
          screened.request.settings.num_inference_steps.value_or(info.num_inference_steps);
      return routed_attempt(name, info.localized_layers,
                            model::from_step(info.localized_from_share, steps));
    }
    case RouteName::MoreLayers: {
      const std::vector<std::string> layers = widened_layers(info);
      if (layers.empty()) return std::nullopt;
      return routed_attempt(name, layers, 0);
    }
    case RouteName::PromptSwap: {
      Attempt swap{name, {}, false};
      swap.route.base = kSanitizedStream;
      swap.route.pooled = kSanitizedStream;
      return swap;
    }
    case RouteName::None:
    case RouteName::Plain:
    case RouteName::Redacted:
      break;  // not for a policy's escalation to name
  }
  throw std::logic_error("guard: the escalation names the route " + std::string(to_string(name)));
}

// "down_blocks.0.attentions.1.transformer_blocks.0.attn2" is in "down_blocks.0", and
// "mid_block.attentions.0..." in "mid_block".
std::string block_of(const std::string& layer) {
  const std::size_t dot = layer.find('.');
  if (dot == std::string::npos || !layer.substr(0, dot).ends_with("blocks"))
    return layer.substr(0, dot);
  return layer.substr(0, layer.find('.', dot + 1));
}

}  // namespace

std::vector<Attempt> attempts_for(const Screened& screened, const model::ModelInfo& info) {
  switch (screened.decision.action) {
    case policy::Action::Allow:
      return {Attempt{}};
    case policy::Action::Substitute:
      break;
    case policy::Action::Review:
    case policy::Action::Block:
      return {};
  }
  std::vector<Attempt> attempts;
  for (const std::string& text : screened.policy->verification().escalation) {
    const std::optional<RouteName> name = route_named(text);
    if (!name) throw std::logic_error("guard: the escalation names no route: " + text);
    if (std::optional<Attempt> attempt = substituted_attempt(*name, screened, info))
      attempts.push_back(std::move(*attempt));
  }
  return attempts;
}

std::vector<std::string> widened_layers(const model::ModelInfo& info) {
  std::set<std::string> blocks;
  for (const std::string& layer : info.localized_layers) blocks.insert(block_of(layer));
  std::vector<std::string> layers;
  for (const std::string& layer : info.attention_layers)
    if (blocks.contains(block_of(layer))) layers.push_back(layer);
  if (layers.size() <= info.localized_layers.size() ||
      layers.size() == info.attention_layers.size())
    return {};
  return layers;
}

}  // namespace glyphward::guard
