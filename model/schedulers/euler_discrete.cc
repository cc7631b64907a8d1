// EulerDiscreteScheduler: Euler's method on the sigmas of Karras et al. (arXiv 2206.00364,
// algorithm 2 without churn).
#include <algorithm>
#include <cmath>

#include "model/schedulers/options.h"

namespace glyphward::model {
namespace {

class EulerDiscrete final : public Scheduler {
 public:
  explicit EulerDiscrete(const SchedulerOptions& options)
      : options_(options),
        spacing_(
            options.choice("timestep_spacing", "linspace", {"leading", "trailing", "linspace"})),
        prediction_type_(options.choice("prediction_type", "epsilon",
                                        {"epsilon", "sample", "original_sample", "v_prediction"})),
        log_linear_(options.choice("interpolation_type", "linear", {"linear", "log_linear"}) ==
                    "log_linear"),
        karras_(options.flag("use_karras_sigmas", false)),
        ends_at_sigma_min_(options.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) ==
                           "sigma_min") {
    options.refuse_flag("use_exponential_sigmas");
    options.refuse_flag("use_beta_sigmas");
    options.choice("timestep_type", "discrete", {"discrete"});
    const bool zero_snr = options.flag("rescale_betas_zero_snr", false);
    torch::Tensor betas = options.betas();
    if (zero_snr) betas = rescale_zero_terminal_snr(betas);
    torch::Tensor alphas_cumprod = torch::cumprod(1.0 - betas, 0);
    // Nearly no signal instead of none, so that the first sigma is finite.
    if (zero_snr) alphas_cumprod[-1] = std::ldexp(1.0, -24);
    train_sigmas_ = to_floats(((1 - alphas_cumprod) / alphas_cumprod).sqrt());
    for (float sigma : train_sigmas_) log_sigmas_.push_back(std::log(sigma));
  }

  void set_timesteps(int num_inference_steps) override {
    options_.check_steps(num_inference_steps);
    std::vector<double> timesteps = training_grid(num_inference_steps);
    std::vector<double> sigmas =
        log_linear_ ? log_linear(num_inference_steps) : interpolate(timesteps);
    if (karras_) {
      sigmas = karras_sigmas(options_.optional_number("sigma_max").value_or(sigmas.front()),
                             options_.optional_number("sigma_min").value_or(sigmas.back()),
                             num_inference_steps);
      timesteps.clear();
      for (double sigma : sigmas) timesteps.push_back(sigma_to_timestep(sigma, log_sigmas_));
    }
    sigmas.push_back(ends_at_sigma_min_ ? train_sigmas_.front() : 0.0);
    sigmas_ = torch::tensor(std::vector<float>(sigmas.begin(), sigmas.end()));
    timesteps_ = torch::tensor(std::vector<float>(timesteps.begin(), timesteps.end()));
  }

  const torch::Tensor& timesteps() const override { return timesteps_; }

  double init_noise_sigma() const override {
    const torch::Tensor sigma_max = sigmas_.max();
    return (spacing_ == "leading" ? (sigma_max.pow(2) + 1).sqrt() : sigma_max).item<double>();
  }

  torch::Tensor scale_model_input(const torch::Tensor& sample, int i) override {
    return sample / (sigmas_[i].pow(2) + 1).sqrt();
  }

  torch::Tensor step(const torch::Tensor& noise_pred, int i, const torch::Tensor& sample) override {
    const torch::Tensor x = sample.to(torch::kFloat32);
    const torch::Tensor sigma = sigmas_[i];
    torch::Tensor original;
    if (prediction_type_ == "epsilon") {
      original = x - sigma * noise_pred;
    } else if (prediction_type_ == "v_prediction") {
      const torch::Tensor scale = sigma.pow(2) + 1;
      original = noise_pred * (-sigma / scale.sqrt()) + x / scale;
    } else {
      original = noise_pred;
    }
    const torch::Tensor derivative = (x - original) / sigma;
    return (x + derivative * (sigmas_[i + 1] - sigma)).to(noise_pred.dtype());
  }

 private:
  // In training steps, descending: not rounded where diffusers does not.
  std::vector<double> training_grid(int num_inference_steps) const {
    const int train = options_.num_train_timesteps();
    std::vector<double> timesteps;
    if (spacing_ == "linspace") {
      // numpy makes these in float32.
      for (double t : numpy_linspace(0, train - 1, num_inference_steps)) {
        timesteps.push_back(static_cast<float>(t));
      }
      std::ranges::reverse(timesteps);
    } else if (spacing_ == "leading") {
      const std::int64_t ratio = train / num_inference_steps;
      for (std::int64_t k = num_inference_steps; k-- > 0;) {
        timesteps.push_back(static_cast<double>(k * ratio + options_.steps_offset()));
      }
    } else {
      timesteps = numpy_arange(train, 0, -(static_cast<double>(train) / num_inference_steps));
      for (double& t : timesteps) t = std::nearbyint(t) - 1;
    }
    return timesteps;
  }

  std::vector<double> interpolate(const std::vector<double>& timesteps) const {
    const std::vector<double> train(train_sigmas_.begin(), train_sigmas_.end());
    std::vector<double> sigmas;
    sigmas.reserve(timesteps.size());
    for (double t : timesteps) sigmas.push_back(numpy_interp(t, train));
    return sigmas;
  }

  // One more than there are steps, as in diffusers.
  std::vector<double> log_linear(int num_inference_steps) const {
    const std::vector<float> sigmas =
        to_floats(torch::linspace(log_sigmas_.back(), log_sigmas_.front(), num_inference_steps + 1,
                                  torch::kFloat32)
                      .exp());
    return {sigmas.begin(), sigmas.end()};
  }

  SchedulerOptions options_;
  std::string spacing_;
  std::string prediction_type_;
  bool log_linear_;
  bool karras_;
  bool ends_at_sigma_min_;
  std::vector<float> train_sigmas_;
  std::vector<float> log_sigmas_;
  torch::Tensor sigmas_;  // float32 on the CPU, one more than timesteps
  torch::Tensor timesteps_;
};

}  // namespace

std::unique_ptr<Scheduler> make_euler_discrete(const SchedulerOptions& options) {
  return std::make_unique<EulerDiscrete>(options);
}

}  // namespace glyphward::model
