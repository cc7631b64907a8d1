#include "policy/decision.h"

namespace glyphward::policy {
namespace {

constexpr std::size_t kTenantBytesMax = 64;
constexpr std::string_view kTenantCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::Allow:
      return "allow";
    case Action::Substitute:
      return "substitute";
    case Action::Review:
      return "review";
    case Action::Block:
      return "block";
  }
  return "block";
}

bool is_tenant(std::string_view name) {
  return !name.empty() && name.size() <= kTenantBytesMax &&
         name.find_first_not_of(kTenantCharacters) == std::string_view::npos;
}

}  // namespace glyphward::policy
