// DDIMScheduler (arXiv 2010.02502), deterministic (eta 0).
#include "model/schedulers/options.h"

namespace glyphward::model {
namespace {

class Ddim final : public Scheduler {
 public:
  explicit Ddim(const SchedulerOptions& options)
      : options_(options),
        spacing_(
            options.choice("timestep_spacing", "leading", {"leading", "trailing", "linspace"})),
        prediction_type_(
            options.choice("prediction_type", "epsilon", {"epsilon", "sample", "v_prediction"})),
        thresholding_(read_thresholding(options)) {
    if (options.flag("clip_sample", true)) clip_ = options.number("clip_sample_range", 1.0);
    torch::Tensor betas = options.betas();
    const bool zero_snr = options.flag("rescale_betas_zero_snr", false);
    if (zero_snr) betas = rescale_zero_terminal_snr(betas);
    if (zero_snr && prediction_type_ == "epsilon" && spacing_ != "leading") {
      options.fail("prediction_type",
                   "expected v_prediction or sample, found epsilon: with rescale_betas_zero_snr "
                   "the first of these "
                   "timesteps has no signal, and epsilon would divide by zero");
    }
    alphas_cumprod_ = torch::cumprod(1.0 - betas, 0);
    final_alpha_cumprod_ =
        options.flag("set_alpha_to_one", true) ? torch::tensor(1.0f) : alphas_cumprod_[0];
  }

  void set_timesteps(int num_inference_steps) override {
    options_.check_steps(num_inference_steps);
    step_size_ = options_.num_train_timesteps() / num_inference_steps;
    timesteps_ = int64_timesteps(options_.discrete_timesteps(spacing_, num_inference_steps));
  }

  const torch::Tensor& timesteps() const override { return timesteps_; }
  double init_noise_sigma() const override { return 1; }
  torch::Tensor scale_model_input(const torch::Tensor& sample, int /*i*/) override {
    return sample;
  }

  torch::Tensor step(const torch::Tensor& noise_pred, int i, const torch::Tensor& sample) override {
    const auto timestep = timesteps_[i].item<std::int64_t>();
    const std::int64_t previous = timestep - step_size_;
    // Tensors of no dimension: they scale a half-precision sample without widening it.
    const torch::Tensor alpha = alphas_cumprod_[timestep];
    const torch::Tensor alpha_previous =
        previous >= 0 ? alphas_cumprod_[previous] : final_alpha_cumprod_;
    const torch::Tensor root_alpha = alpha.sqrt();
    const torch::Tensor root_beta = (1 - alpha).sqrt();

    torch::Tensor original;  // the paper's predicted x_0
    torch::Tensor epsilon;
    if (prediction_type_ == "epsilon") {
      original = (sample - root_beta * noise_pred) / root_alpha;
      epsilon = noise_pred;
    } else if (prediction_type_ == "sample") {
      original = noise_pred;
      epsilon = (sample - root_alpha * original) / root_beta;
    } else {
      original = root_alpha * sample - root_beta * noise_pred;
      epsilon = root_alpha * noise_pred + root_beta * sample;
    }
    if (thresholding_) {
      original = (*thresholding_)(original);
    } else if (clip_) {
      original = original.clamp(-*clip_, *clip_);
    }
    // Equation 12 with sigma 0.
    return alpha_previous.sqrt() * original + (1 - alpha_previous).sqrt() * epsilon;
  }

 private:
  SchedulerOptions options_;
  std::string spacing_;
  std::string prediction_type_;
  std::optional<Thresholding> thresholding_;
  std::optional<double> clip_;
  torch::Tensor alphas_cumprod_;
  torch::Tensor final_alpha_cumprod_;
  std::int64_t step_size_ = 0;
  torch::Tensor timesteps_;
};

}  // namespace

std::unique_ptr<Scheduler> make_ddim(const SchedulerOptions& options) {
  return std::make_unique<Ddim>(options);
}

}  // namespace glyphward::model
