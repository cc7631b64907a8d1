// How a picture may come to leave: the routes by their names, and which of them a request tries.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guard/request.h"
#include "model/pipeline.h"

namespace glyphward::guard {

// How a picture was made, as answers and rows (Record::route) name it. From mildest to strongest:
// the row of several images has the strongest of theirs.
enum class RouteName {
  None,        // no picture left
  Plain,       // every layer reads the user's prompt
  Localized,   // the profile's layers read the sanitized prompt
  MoreLayers,  // so do all layers of the blocks that hold one of them
  PromptSwap,  // all layers do
  Redacted,    // text in the picture was covered
};

// All of them, in that order.
inline constexpr std::array kRouteNames = {RouteName::None,       RouteName::Plain,
                                           RouteName::Localized,  RouteName::MoreLayers,
                                           RouteName::PromptSwap, RouteName::Redacted};

// "none", "plain", "localized", "more_layers", "prompt_swap", "redacted".
constexpr std::string_view to_string(RouteName name) {
  switch (name) {
    case RouteName::None:
      return "none";
    case RouteName::Plain:
      return "plain";
    case RouteName::Localized:
      return policy::kLocalizedRoute;
    case RouteName::MoreLayers:
      return policy::kMoreLayersRoute;
    case RouteName::PromptSwap:
      return policy::kPromptSwapRoute;
    case RouteName::Redacted:
      return "redacted";
  }
  return "";  // no route
}

// Nothing if no route is called so.
constexpr std::optional<RouteName> route_named(std::string_view text) {
  for (RouteName name : kRouteNames)
    if (to_string(name) == text) return name;
  return std::nullopt;
}

// The text streams of a request, by the names that its routes use.
inline constexpr const char* kPromptStream = "prompt";
inline constexpr const char* kSanitizedStream = "sanitized";

// One attempt at a picture: which layers read the sanitized prompt.
struct Attempt {
  RouteName name = RouteName::Plain;
  model::Route route;
  // Some layer reads the toxic word: the picture must show that its substitute took its place.
  // Otherwise it is enough that nothing toxic is read.
  bool needs_confirmation = false;
};

// The attempts at each of the request's pictures, in the order in which they are made: "plain" for
// an allowed prompt; for a substituted one those of the policy's escalation that this model has
// layers for. Empty if that leaves none, and where no picture is to be made.
std::vector<Attempt> attempts_for(const Screened& screened, const model::ModelInfo& info);

// The layers of "more_layers": all of the blocks ("down_blocks.0", "mid_block", ...) that hold a
// localized one. Empty if that adds nothing to the localized ones, or leaves out none.
std::vector<std::string> widened_layers(const model::ModelInfo& info);

}  // namespace glyphward::guard
