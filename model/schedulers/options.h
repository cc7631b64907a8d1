// What the schedulers share: reading their options, and the noise schedules they are built on.
// Internal to model/.
#pragma once

#include <torch/types.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/schedulers/scheduler.h"

namespace glyphward::model {

// scheduler_config.json's options. Each reader gives the default of the class at hand for an absent
// key, and throws ConfigError naming file, key, expected and found for a value that is not
// implemented.
class SchedulerOptions {
 public:
  SchedulerOptions(boost::json::object values, std::filesystem::path file);

  std::int64_t integer(const char* key, std::int64_t otherwise, std::int64_t min,
                       std::int64_t max) const;
  double number(const char* key, double otherwise) const;
  std::optional<double> optional_number(const char* key) const;  // absent or null: none
  bool flag(const char* key, bool otherwise) const;              // null reads as absent
  std::string choice(const char* key, const char* otherwise,
                     std::initializer_list<std::string_view> allowed) const;
  // An option of diffusers that is not implemented: it must be off.
  void refuse_flag(const char* key) const;
  [[noreturn]] void fail(const char* key, const std::string& message) const;

  int num_train_timesteps() const;
  // float32 [num_train_timesteps], before any rescaling: from trained_betas, else beta_schedule.
  torch::Tensor betas() const;

  // Throws ConfigError unless 1 <= num_inference_steps <= num_train_timesteps.
  void check_steps(int num_inference_steps) const;
  // DDIM's and PNDM's grid, descending, as numpy's doubles. Throws ConfigError if it leaves the
  // training steps.
  std::vector<double> discrete_timesteps(const std::string& spacing, int num_inference_steps) const;
  std::int64_t steps_offset() const { return integer("steps_offset", 0, 0, 1000); }

 private:
  const boost::json::value* find(const char* key) const;  // null where absent or null

  boost::json::object values_;
  std::filesystem::path file_;
};

// Shifts and scales the betas so that the last step has no signal left (arXiv 2305.08891, algorithm
// 1).
torch::Tensor rescale_zero_terminal_snr(const torch::Tensor& betas);

// Dynamic thresholding (Imagen, arXiv 2205.11487): each image is clamped to a quantile of its own
// magnitudes.
struct Thresholding {
  double ratio = 0.995;
  double sample_max_value = 1;
  torch::Tensor operator()(const torch::Tensor& sample) const;
};
std::optional<Thresholding> read_thresholding(const SchedulerOptions& options);

// numpy's arithmetic, which diffusers' timesteps come from, to the last bit.
std::vector<double> numpy_linspace(double start, double stop, int count);
std::vector<double> numpy_arange(double start, double stop, double step);
double numpy_interp(double x, const std::vector<double>& values);  // values at 0, 1, 2, ...

// Spacing of Karras et al. (arXiv 2206.00364), rho 7, descending.
std::vector<double> karras_sigmas(double sigma_max, double sigma_min, int count);
// The (fractional) training step whose sigma this is.
double sigma_to_timestep(double sigma, const std::vector<float>& log_sigmas);

std::vector<float> to_floats(const torch::Tensor& tensor);
torch::Tensor int64_timesteps(const std::vector<double>& timesteps);

std::unique_ptr<Scheduler> make_ddim(const SchedulerOptions& options);
std::unique_ptr<Scheduler> make_pndm(const SchedulerOptions& options);
std::unique_ptr<Scheduler> make_euler_discrete(const SchedulerOptions& options);
std::unique_ptr<Scheduler> make_dpmsolver_multistep(const SchedulerOptions& options);
std::unique_ptr<Scheduler> make_ddpm(const SchedulerOptions& options);
std::unique_ptr<Scheduler> make_flow_match_euler_discrete(const SchedulerOptions& options);

}  // namespace glyphward::model
