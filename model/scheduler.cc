#include "model/scheduler.h"

#include <boost/json.hpp>
#include <utility>

#include "base/config_error.h"
#include "model/scheduler_names.h"
#include "model/scheduler_options.h"

namespace glyphward::model {

namespace json = boost::json;

namespace {

using Make = std::unique_ptr<Scheduler> (*)(const SchedulerOptions&);

// In the order of kSchedulerNames.
constexpr Make kMakers[] = {make_ddim, make_pndm, make_euler_discrete, make_dpmsolver_multistep};
static_assert(std::size(kMakers) == std::size(kSchedulerNames));

Make find_class(const std::string& name) {
  for (std::size_t i = 0; i < std::size(kMakers); ++i) {
    if (name == kSchedulerNames[i]) return kMakers[i];
  }
  return nullptr;
}

Make require_class(const std::string& name, const std::filesystem::path& file) {
  if (const Make make = find_class(name)) return make;
  throw ConfigError(file, 0, "_class_name",
                    "expected one of " + scheduler_name_list() + ", found " + name);
}

}  // namespace

// from_config drops what the file had left to its class's defaults, the corrected ones
// among them: another class takes its own defaults for keys that the file has not.
std::unique_ptr<Scheduler> Scheduler::create(const json::object& config,
                                             const std::filesystem::path& file,
                                             const std::string& name,
                                             SchedulerCorrections corrections) {
  const json::value* own = config.if_contains("_class_name");
  if (own == nullptr || !own->is_string()) {
    throw ConfigError(file, 0, "_class_name", "expected a scheduler's class name");
  }
  json::object values = config;
  if (corrections == SchedulerCorrections::StableDiffusion) {
    for (const auto& [key, value] :
         {std::pair<const char*, json::value>{"steps_offset", 1}, {"clip_sample", false}}) {
      if (name.empty() || values.contains(key)) values[key] = value;
    }
  }
  const Make make = require_class(name.empty() ? std::string(own->as_string()) : name, file);
  return make(SchedulerOptions(std::move(values), file));
}

}  // namespace glyphward::model
