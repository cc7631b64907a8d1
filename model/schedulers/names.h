// The scheduler classes that there are, by their names in diffusers. For whoever only checks a
// name.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace glyphward::model {

// In the order in which messages list them. A new one needs its constructor in scheduler.cc, which
// does not compile without.
inline constexpr std::string_view kSchedulerNames[] = {
    "DDIMScheduler",          "PNDMScheduler",
    "EulerDiscreteScheduler", "DPMSolverMultistepScheduler",
    "DDPMScheduler",          "FlowMatchEulerDiscreteScheduler"};

inline bool is_scheduler_name(std::string_view name) {
  return std::find(std::begin(kSchedulerNames), std::end(kSchedulerNames), name) !=
         std::end(kSchedulerNames);
}

// "DDIMScheduler, PNDMScheduler, ...", for messages.
inline std::string scheduler_name_list() {
  std::string list;
  for (const std::string_view name : kSchedulerNames) {
    if (!list.empty()) list += ", ";
    list += name;
  }
  return list;
}

}  // namespace glyphward::model
