#include "model/schedulers/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <numbers>

#include "base/config_error.h"

namespace glyphward::model {

namespace json = boost::json;

// ---- Options -----------------------------------------------------------------------------------

SchedulerOptions::SchedulerOptions(json::object values, std::filesystem::path file)
    : values_(std::move(values)), file_(std::move(file)) {}

void SchedulerOptions::fail(const char* key, const std::string& message) const {
  throw ConfigError(file_, 0, key, message);
}

const json::value* SchedulerOptions::find(const char* key) const {
  const json::value* value = values_.if_contains(key);
  return value != nullptr && value->is_null() ? nullptr : value;
}

std::int64_t SchedulerOptions::integer(const char* key, std::int64_t otherwise, std::int64_t min,
                                       std::int64_t max) const {
  const json::value* value = find(key);
  if (value == nullptr) return otherwise;
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error || number < min || number > max) {
    fail(key, fmt::format("expected an integer from {} to {}, found {}", min, max,
                          json::serialize(*value)));
  }
  return number;
}

std::optional<double> SchedulerOptions::optional_number(const char* key) const {
  const json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) fail(key, "expected a number, found " + json::serialize(*value));
  return value->to_number<double>();
}

double SchedulerOptions::number(const char* key, double otherwise) const {
  return optional_number(key).value_or(otherwise);
}

bool SchedulerOptions::flag(const char* key, bool otherwise) const {
  const json::value* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) fail(key, "expected true or false, found " + json::serialize(*value));
  return value->as_bool();
}

std::string SchedulerOptions::choice(const char* key, const char* otherwise,
                                     std::initializer_list<std::string_view> allowed) const {
  const json::value* value = find(key);
  if (value == nullptr) return otherwise;
  if (value->is_string() &&
      std::ranges::find(allowed, std::string_view(value->as_string())) != allowed.end()) {
    return json::value_to<std::string>(*value);
  }
  fail(key, fmt::format("expected one of {}, found {}", fmt::join(allowed, ", "),
                        json::serialize(*value)));
}

void SchedulerOptions::refuse_flag(const char* key) const {
  if (flag(key, false)) fail(key, "expected false (not implemented), found true");
}

// ---- Noise schedules ---------------------------------------------------------------------------

int SchedulerOptions::num_train_timesteps() const {
  return static_cast<int>(integer("num_train_timesteps", 1000, 2, 100000));
}

namespace {

// Nichol & Dhariwal's cosine schedule, in double precision, at most 0.999.
torch::Tensor squared_cosine_betas(int steps) {
  const auto alpha_bar = [](double t) {
    const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  torch::Tensor betas = torch::empty({steps}, torch::kFloat32);
  auto out = betas.accessor<float, 1>();
  for (int i = 0; i < steps; ++i) {
    const double t1 = static_cast<double>(i) / steps;
    const double t2 = static_cast<double>(i + 1) / steps;
    out[i] = static_cast<float>(std::min(1 - alpha_bar(t2) / alpha_bar(t1), 0.999));
  }
  return betas;
}

torch::Tensor trained_betas(const SchedulerOptions& options, const json::value& value, int steps) {
  const json::array* array = value.if_array();
  if (array == nullptr || static_cast<int>(array->size()) != steps) {
    options.fail("trained_betas",
                 fmt::format("expected a list of {} numbers (num_train_timesteps)", steps));
  }
  torch::Tensor betas = torch::empty({steps}, torch::kFloat32);
  auto out = betas.accessor<float, 1>();
  for (int i = 0; i < steps; ++i) {
    if (!(*array)[i].is_number()) {
      options.fail("trained_betas", "expected numbers, found " + json::serialize((*array)[i]));
    }
    out[i] = static_cast<float>((*array)[i].to_number<double>());
  }
  return betas;
}

}  // namespace

torch::Tensor SchedulerOptions::betas() const {
  const int steps = num_train_timesteps();
  if (const json::value* trained = find("trained_betas"))
    return trained_betas(*this, *trained, steps);
  const double start = number("beta_start", 0.0001);
  const double end = number("beta_end", 0.02);
  if (!(start >= 0 && start <= 1))
    fail("beta_start", fmt::format("expected 0 to 1, found {}", start));
  if (!(end >= 0 && end <= 1)) fail("beta_end", fmt::format("expected 0 to 1, found {}", end));
  const std::string schedule =
      choice("beta_schedule", "linear", {"linear", "scaled_linear", "squaredcos_cap_v2"});
  if (schedule == "squaredcos_cap_v2") return squared_cosine_betas(steps);
  if (schedule == "linear") return torch::linspace(start, end, steps, torch::kFloat32);
  return torch::linspace(std::sqrt(start), std::sqrt(end), steps, torch::kFloat32).pow(2);
}

torch::Tensor rescale_zero_terminal_snr(const torch::Tensor& betas) {
  torch::Tensor root = torch::cumprod(1.0 - betas, 0).sqrt();
  const torch::Tensor first = root[0].clone();
  const torch::Tensor last = root[-1].clone();
  root -= last;
  root *= first / (first - last);
  const torch::Tensor alphas_cumprod = root.pow(2);
  const torch::Tensor alphas = alphas_cumprod.slice(0, 1) / alphas_cumprod.slice(0, 0, -1);
  return 1 - torch::cat({alphas_cumprod.slice(0, 0, 1), alphas});
}

torch::Tensor Thresholding::operator()(const torch::Tensor& sample) const {
  // Quantiles and clamps exist in float32 only.
  const torch::Tensor flat = sample.to(torch::kFloat32).reshape({sample.size(0), -1});
  // [B, 1].
  const torch::Tensor limit =
      torch::quantile(flat.abs(), ratio, 1).clamp(1, sample_max_value).unsqueeze(1);
  return (torch::clamp(flat, -limit, limit) / limit).reshape(sample.sizes()).to(sample.dtype());
}

std::optional<Thresholding> read_thresholding(const SchedulerOptions& options) {
  if (!options.flag("thresholding", false)) return std::nullopt;
  Thresholding thresholding{options.number("dynamic_thresholding_ratio", 0.995),
                            options.number("sample_max_value", 1.0)};
  if (!(thresholding.ratio >= 0 && thresholding.ratio <= 1)) {
    options.fail("dynamic_thresholding_ratio",
                 fmt::format("expected 0 to 1, found {}", thresholding.ratio));
  }
  return thresholding;
}

// ---- numpy's arithmetic ------------------------------------------------------------------------

std::vector<double> numpy_linspace(double start, double stop, int count) {
  std::vector<double> values(count, start);
  if (count < 2) return values;
  const double step = (stop - start) / (count - 1);
  for (int i = 0; i < count; ++i) values[i] = i * step + start;
  values.back() = stop;
  return values;
}

// Fills by the difference of the first two values, so rounding can make it one longer than
// expected: with some numbers of steps diffusers' trailing grid ends with a step of -1.
std::vector<double> numpy_arange(double start, double stop, double step) {
  const auto count = std::max(0.0, std::ceil((stop - start) / step));
  const double delta = (start + step) - start;
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = start + static_cast<double>(i) * delta;
  return values;
}

double numpy_interp(double x, const std::vector<double>& values) {
  const auto last = static_cast<double>(values.size() - 1);
  if (x >= last) return values.back();
  if (x <= 0) return values.front();
  const double below = std::floor(x);
  const auto i = static_cast<std::size_t>(below);
  if (x == below) return values[i];
  return (values[i + 1] - values[i]) * (x - below) + values[i];
}

std::vector<double> karras_sigmas(double sigma_max, double sigma_min, int count) {
  constexpr double kRho = 7;
  const double max_root = std::pow(sigma_max, 1 / kRho);
  const double min_root = std::pow(sigma_min, 1 / kRho);
  std::vector<double> sigmas = numpy_linspace(0, 1, count);
  for (double& sigma : sigmas) sigma = std::pow(max_root + sigma * (min_root - max_root), kRho);
  return sigmas;
}

double sigma_to_timestep(double sigma, const std::vector<float>& log_sigmas) {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  std::size_t low = 0;
  for (std::size_t i = 0; i < log_sigmas.size(); ++i) {
    if (log_sigma - log_sigmas[i] >= 0) low = i;
  }
  low = std::min(low, log_sigmas.size() - 2);
  const double gap = log_sigmas[low] - log_sigmas[low + 1];
  const double weight = std::clamp((log_sigmas[low] - log_sigma) / gap, 0.0, 1.0);
  return (1 - weight) * static_cast<double>(low) + weight * static_cast<double>(low + 1);
}

std::vector<float> to_floats(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kFloat32).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

torch::Tensor int64_timesteps(const std::vector<double>& timesteps) {
  std::vector<std::int64_t> integers(timesteps.begin(), timesteps.end());
  return torch::tensor(integers, torch::kInt64);
}

// ---- Timesteps ---------------------------------------------------------------------------------

void SchedulerOptions::check_steps(int num_inference_steps) const {
  if (num_inference_steps >= 1 && num_inference_steps <= num_train_timesteps()) return;
  fail("num_inference_steps", fmt::format("expected 1 to {} (num_train_timesteps), found {}",
                                          num_train_timesteps(), num_inference_steps));
}

std::vector<double> SchedulerOptions::discrete_timesteps(const std::string& spacing,
                                                         int num_inference_steps) const {
  const int train = num_train_timesteps();
  std::vector<double> timesteps;
  if (spacing == "trailing") {
    timesteps = numpy_arange(train, 0, -(static_cast<double>(train) / num_inference_steps));
    for (double& t : timesteps) t = std::nearbyint(t) - 1;
  } else if (spacing == "linspace") {
    timesteps = numpy_linspace(0, train - 1, num_inference_steps);
    for (double& t : timesteps) t = std::nearbyint(t);
    std::ranges::reverse(timesteps);
  } else {
    const std::int64_t ratio = train / num_inference_steps;
    for (std::int64_t i = num_inference_steps; i-- > 0;) {
      timesteps.push_back(static_cast<double>(i * ratio + steps_offset()));
    }
  }
  if (timesteps.front() >= train) {
    fail("num_inference_steps",
         fmt::format("with timestep_spacing leading and steps_offset {}, {} steps begin at "
                     "timestep {} of {}",
                     steps_offset(), num_inference_steps, timesteps.front(), train));
  }
  return timesteps;
}

}  // namespace glyphward::model
