#include "model/schedulers/scheduler.h"

#include <boost/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/config_error.h"
#include "model/schedulers/names.h"
#include "model/schedulers/options.h"

namespace glyphward::model {

namespace json = boost::json;

namespace {

using Make = std::unique_ptr<Scheduler> (*)(const SchedulerOptions&);

// What the network must have been trained for.
enum class Kind { Diffusion, LearnedVariance, Flow };

struct SchedulerClass {
  Kind kind;
  Make make;
};

// In the order of kSchedulerNames.
constexpr SchedulerClass kClasses[] = {
    {Kind::Diffusion, make_ddim},           {Kind::Diffusion, make_pndm},
    {Kind::Diffusion, make_euler_discrete}, {Kind::Diffusion, make_dpmsolver_multistep},
    {Kind::LearnedVariance, make_ddpm},     {Kind::Flow, make_flow_match_euler_discrete}};
static_assert(std::size(kClasses) == std::size(kSchedulerNames));

const SchedulerClass& find_class(const std::string& name, const std::filesystem::path& file) {
  for (std::size_t i = 0; i < std::size(kClasses); ++i) {
    if (name == kSchedulerNames[i]) return kClasses[i];
  }
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
  const std::string own_name(own->as_string());
  const SchedulerClass& own_class = find_class(own_name, file);
  const SchedulerClass& asked = name.empty() ? own_class : find_class(name, file);
  if (asked.kind != own_class.kind) {
    throw ConfigError(file, 0, "_class_name",
                      "expected a scheduler of " + own_name + "'s kind, found " + name);
  }
  return asked.make(SchedulerOptions(std::move(values), file));
}

torch::Tensor Scheduler::add_noise(const torch::Tensor& /*sample*/, const torch::Tensor& /*noise*/,
                                   int /*timestep*/) const {
  throw std::logic_error("this scheduler adds no noise");
}

}  // namespace glyphward::model
