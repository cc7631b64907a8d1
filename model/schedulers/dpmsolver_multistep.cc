// DPMSolverMultistepScheduler: DPM-Solver++ (arXiv 2211.01095) of the first and second order (2M).
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/schedulers/options.h"

namespace glyphward::model {
namespace {

class DpmSolverMultistep final : public Scheduler {
 public:
  explicit DpmSolverMultistep(const SchedulerOptions& options)
      : options_(options),
        spacing_(
            options.choice("timestep_spacing", "linspace", {"leading", "trailing", "linspace"})),
        prediction_type_(
            options.choice("prediction_type", "epsilon", {"epsilon", "sample", "v_prediction"})),
        solver_order_(static_cast<int>(options.integer("solver_order", 2, 1, 2))),
        heun_(options.choice("solver_type", "midpoint", {"midpoint", "heun"}) == "heun"),
        lower_order_final_(options.flag("lower_order_final", true)),
        euler_at_final_(options.flag("euler_at_final", false)),
        karras_(options.flag("use_karras_sigmas", false)),
        rounds_karras_(options.choice("beta_schedule", "linear",
                                      {"linear", "scaled_linear", "squaredcos_cap_v2"}) !=
                       "squaredcos_cap_v2"),
        ends_at_sigma_min_(options.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) ==
                           "sigma_min"),
        thresholding_(read_thresholding(options)) {
    options.choice("algorithm_type", "dpmsolver++", {"dpmsolver++"});
    for (const char* key : {"use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas",
                            "use_flow_sigmas", "use_dynamic_shifting"}) {
      options.refuse_flag(key);
    }
    options.choice("variance_type", "", {});  // learned variances: the network predicts none
    const bool zero_snr = options.flag("rescale_betas_zero_snr", false);
    torch::Tensor betas = options.betas();
    if (zero_snr) betas = rescale_zero_terminal_snr(betas);
    torch::Tensor alphas_cumprod = torch::cumprod(1.0 - betas, 0);
    // Nearly no signal instead of none, so that the first sigma is finite.
    if (zero_snr) alphas_cumprod[-1] = std::ldexp(1.0, -24);
    train_sigmas_ = to_floats(((1 - alphas_cumprod) / alphas_cumprod).sqrt());
    for (float sigma : train_sigmas_) log_sigmas_.push_back(std::log(sigma));
    last_timestep_ = options.num_train_timesteps() - clipped_steps(alphas_cumprod);
  }

  void set_timesteps(int num_inference_steps) override {
    options_.check_steps(num_inference_steps);
    std::vector<double> timesteps;
    std::vector<double> sigmas;
    if (karras_) {
      sigmas = karras_sigmas(options_.optional_number("sigma_max").value_or(train_sigmas_.back()),
                             options_.optional_number("sigma_min").value_or(train_sigmas_.front()),
                             num_inference_steps);
      for (double sigma : sigmas) {
        const double t = sigma_to_timestep(sigma, log_sigmas_);
        timesteps.push_back(rounds_karras_ ? std::nearbyint(t) : t);
      }
    } else {
      timesteps = training_grid(num_inference_steps);
      const std::vector<double> train(train_sigmas_.begin(), train_sigmas_.end());
      for (double t : timesteps) sigmas.push_back(numpy_interp(t, train));
    }
    sigmas.push_back(ends_at_sigma_min_ ? train_sigmas_.front() : 0.0);
    sigmas_ = torch::tensor(std::vector<float>(sigmas.begin(), sigmas.end()));
    timesteps_ = int64_timesteps(timesteps);
    previous_original_ = torch::Tensor();
  }

  const torch::Tensor& timesteps() const override { return timesteps_; }
  double init_noise_sigma() const override { return 1; }
  torch::Tensor scale_model_input(const torch::Tensor& sample, int /*i*/) override {
    return sample;
  }

  torch::Tensor step(const torch::Tensor& noise_pred, int i, const torch::Tensor& sample) override {
    const torch::Tensor original = predict_original(noise_pred, i, sample);
    const torch::Tensor x = sample.to(torch::kFloat32);
    const bool first_order =
        solver_order_ == 1 || !previous_original_.defined() || ends_first_order(i);
    const torch::Tensor previous =
        first_order ? first_order_update(original, i, x) : second_order_update(original, i, x);
    previous_original_ = original;
    return previous.to(noise_pred.dtype());
  }

 private:
  struct Level {
    torch::Tensor alpha, sigma, lambda;
  };

  // The variance-preserving pair of a sigma, and half its log signal-to-noise ratio.
  Level level(int i) const {
    Level level;
    level.alpha = 1 / (sigmas_[i].pow(2) + 1).sqrt();
    level.sigma = sigmas_[i] * level.alpha;
    level.lambda = level.alpha.log() - level.sigma.log();
    return level;
  }

  // Noisier than lambda_min_clipped: left out, since the cosine schedule's last steps overflow.
  int clipped_steps(const torch::Tensor& alphas_cumprod) const {
    const auto clipped = static_cast<float>(
        options_.number("lambda_min_clipped", -std::numeric_limits<double>::infinity()));
    const torch::Tensor lambda = alphas_cumprod.sqrt().log() - (1 - alphas_cumprod).sqrt().log();
    const int steps = (lambda < clipped).sum().item<int>();
    if (steps >= options_.num_train_timesteps() - 1) {
      options_.fail("lambda_min_clipped", "expected a value that leaves more than one step");
    }
    return steps;
  }

  std::vector<double> training_grid(int num_inference_steps) const {
    std::vector<double> timesteps;
    if (spacing_ == "trailing") {
      const double train = options_.num_train_timesteps();
      timesteps = numpy_arange(last_timestep_, 0, -(train / num_inference_steps));
      for (double& t : timesteps) t = std::nearbyint(t) - 1;
      return timesteps;
    }
    // One more than asked for, less the last.
    const int count = num_inference_steps + 1;
    if (spacing_ == "linspace") {
      timesteps = numpy_linspace(0, last_timestep_ - 1, count);
      for (double& t : timesteps) t = std::nearbyint(t);
    } else {
      const int ratio = last_timestep_ / count;
      for (int k = 0; k < count; ++k) {
        timesteps.push_back(static_cast<double>(std::int64_t{k} * ratio + options_.steps_offset()));
      }
    }
    std::ranges::reverse(timesteps);
    timesteps.pop_back();
    return timesteps;
  }

  torch::Tensor predict_original(const torch::Tensor& noise_pred, int i,
                                 const torch::Tensor& sample) const {
    const Level s = level(i);
    torch::Tensor original = noise_pred;
    if (prediction_type_ == "epsilon") {
      original = (sample - s.sigma * noise_pred) / s.alpha;
    } else if (prediction_type_ == "v_prediction") {
      original = s.alpha * sample - s.sigma * noise_pred;
    }
    return thresholding_ ? (*thresholding_)(original) : original;
  }

  bool ends_first_order(int i) const {
    const auto steps = static_cast<int>(timesteps_.size(0));
    return i == steps - 1 &&
           (euler_at_final_ || (lower_order_final_ && steps < 15) || !ends_at_sigma_min_);
  }

  torch::Tensor first_order_update(const torch::Tensor& original, int i,
                                   const torch::Tensor& x) const {
    const Level t = level(i + 1);
    const Level s = level(i);
    const torch::Tensor h = t.lambda - s.lambda;
    return (t.sigma / s.sigma) * x - (t.alpha * (torch::exp(-h) - 1.0)) * original;
  }

  torch::Tensor second_order_update(const torch::Tensor& original, int i,
                                    const torch::Tensor& x) const {
    const Level t = level(i + 1);
    const Level s0 = level(i);
    const Level s1 = level(i - 1);
    const torch::Tensor h = t.lambda - s0.lambda;
    const torch::Tensor r0 = (s0.lambda - s1.lambda) / h;
    const torch::Tensor d1 = (1.0 / r0) * (original - previous_original_);
    const torch::Tensor decay = t.alpha * (torch::exp(-h) - 1.0);
    const torch::Tensor base = (t.sigma / s0.sigma) * x - decay * original;
    if (heun_) return base + (t.alpha * ((torch::exp(-h) - 1.0) / h + 1.0)) * d1;
    return base - 0.5 * decay * d1;
  }

  SchedulerOptions options_;
  std::string spacing_;
  std::string prediction_type_;
  int solver_order_;
  bool heun_;
  bool lower_order_final_;
  bool euler_at_final_;
  bool karras_;
  bool rounds_karras_;
  bool ends_at_sigma_min_;
  std::optional<Thresholding> thresholding_;
  int last_timestep_ = 0;
  std::vector<float> train_sigmas_;
  std::vector<float> log_sigmas_;
  torch::Tensor sigmas_;  // float32 on the CPU, one more than timesteps
  torch::Tensor timesteps_;
  torch::Tensor previous_original_;  // the last step's predicted x_0; undefined before the first
};

}  // namespace

std::unique_ptr<Scheduler> make_dpmsolver_multistep(const SchedulerOptions& options) {
  return std::make_unique<DpmSolverMultistep>(options);
}

}  // namespace glyphward::model
