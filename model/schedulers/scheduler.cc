#include "model/schedulers/scheduler.h"

#include <array>
#include <boost/json.hpp>
#include <iterator>
#include <stdexcept>
#include <string_view>
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

// The constructor of a name of kSchedulerNames. A name without one ends in the throw, which no
// constant expression may: the table below does not compile then.
consteval SchedulerClass class_of(std::string_view name) {
  if (name == "DDIMScheduler") return {Kind::Diffusion, make_ddim};
  if (name == "PNDMScheduler") return {Kind::Diffusion, make_pndm};
  if (name == "EulerDiscreteScheduler") return {Kind::Diffusion, make_euler_discrete};
  if (name == "DPMSolverMultistepScheduler") return {Kind::Diffusion, make_dpmsolver_multistep};
  if (name == "DDPMScheduler") return {Kind::LearnedVariance, make_ddpm};
  if (name == "FlowMatchEulerDiscreteScheduler")
    return {Kind::Flow, make_flow_match_euler_discrete};
  throw "a scheduler without a constructor";
}

// By place in kSchedulerNames.
constexpr auto kClasses = []<std::size_t... index>(std::index_sequence<index...>) {
  return std::array{class_of(kSchedulerNames[index])...};
}
(std::make_index_sequence<std::size(kSchedulerNames)>());

const SchedulerClass& find_class(std::string_view name, const std::filesystem::path& file) {
  for (std::size_t i = 0; i < kClasses.size(); ++i) {
    if (name == kSchedulerNames[i]) return kClasses[i];
  }
  throw ConfigError(file, 0, "_class_name",
                    "expected one of " + scheduler_name_list() + ", found " + std::string(name));
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
