// DDPMScheduler (arXiv 2006.11239), with the learned range of variances (arXiv 2102.09672) that
// DeepFloyd IF uses.
#include <cassert>
#include <utility>

#include "model/schedulers/options.h"

namespace glyphward::model {
namespace {

class Ddpm final : public Scheduler {
 public:
  explicit Ddpm(const SchedulerOptions& options)
      : options_(options),
        spacing_(
            options.choice("timestep_spacing", "leading", {"leading", "trailing", "linspace"})),
        prediction_type_(
            options.choice("prediction_type", "epsilon", {"epsilon", "sample", "v_prediction"})),
        variance_type_(options.choice("variance_type", "fixed_small",
                                      {"fixed_small", "fixed_large", "learned_range"})),
        thresholding_(read_thresholding(options)) {
    options.refuse_flag("rescale_betas_zero_snr");
    if (options.flag("clip_sample", true)) clip_ = options.number("clip_sample_range", 1.0);
    alphas_cumprod_ = torch::cumprod(1.0 - options.betas(), 0);
  }

  void set_timesteps(int num_inference_steps) override {
    options_.check_steps(num_inference_steps);
    timesteps_ = int64_timesteps(options_.discrete_timesteps(spacing_, num_inference_steps));
  }

  const torch::Tensor& timesteps() const override { return timesteps_; }
  double init_noise_sigma() const override { return 1; }
  torch::Tensor scale_model_input(const torch::Tensor& sample, int /*i*/) override {
    return sample;
  }
  void draw_noise_from(DrawNoise draw) override { draw_noise_ = std::move(draw); }

  torch::Tensor add_noise(const torch::Tensor& sample, const torch::Tensor& noise,
                          int timestep) const override {
    const torch::Tensor alpha = alphas_cumprod_[timestep].to(sample.dtype());
    return alpha.sqrt() * sample + (1 - alpha).sqrt() * noise;
  }

  // noise_pred [B, C, H, W], or with a learned range [B, 2 C, H, W]: the prediction, then where the
  // variance lies in its range, -1 to 1.
  torch::Tensor step(const torch::Tensor& noise_pred, int i, const torch::Tensor& sample) override {
    const auto timestep = timesteps_[i].item<std::int64_t>();
    const bool last = i + 1 == timesteps_.size(0);
    const torch::Tensor alpha = alphas_cumprod_[timestep];
    const torch::Tensor alpha_previous =
        last ? torch::tensor(1.0f) : alphas_cumprod_[timesteps_[i + 1].item<std::int64_t>()];
    const torch::Tensor alpha_here = alpha / alpha_previous;
    const torch::Tensor beta_here = 1 - alpha_here;

    const torch::Tensor prediction = noise_pred.slice(1, 0, sample.size(1));
    const torch::Tensor original = predict_original(prediction, sample, alpha);
    torch::Tensor mean = alpha_previous.sqrt() * beta_here / (1 - alpha) * original +
                         alpha_here.sqrt() * (1 - alpha_previous) / (1 - alpha) * sample;
    if (timestep == 0) return mean;
    assert(draw_noise_);
    const torch::Tensor smallest =
        ((1 - alpha_previous) / (1 - alpha) * beta_here).clamp_min(1e-20);
    return mean + deviation(noise_pred.slice(1, sample.size(1)), smallest, beta_here) *
                      draw_noise_().to(sample.device());
  }

 private:
  torch::Tensor predict_original(const torch::Tensor& prediction, const torch::Tensor& sample,
                                 const torch::Tensor& alpha) const {
    torch::Tensor original = prediction;
    if (prediction_type_ == "epsilon") {
      original = (sample - (1 - alpha).sqrt() * prediction) / alpha.sqrt();
    } else if (prediction_type_ == "v_prediction") {
      original = alpha.sqrt() * sample - (1 - alpha).sqrt() * prediction;
    }
    if (thresholding_) return (*thresholding_)(original);
    return clip_ ? original.clamp(-*clip_, *clip_) : original;
  }

  // Standard deviation of the noise that a step adds, between the smallest variance that the
  // posterior has and beta.
  torch::Tensor deviation(const torch::Tensor& learned, const torch::Tensor& smallest,
                          const torch::Tensor& beta) const {
    if (variance_type_ == "fixed_small") return smallest.sqrt();
    if (variance_type_ == "fixed_large") return beta.sqrt();
    const torch::Tensor fraction = (learned + 1) / 2;
    return at::exp(0.5 * (fraction * beta.log() + (1 - fraction) * smallest.log()));
  }

  SchedulerOptions options_;
  std::string spacing_;
  std::string prediction_type_;
  std::string variance_type_;
  std::optional<Thresholding> thresholding_;
  std::optional<double> clip_;
  DrawNoise draw_noise_;
  torch::Tensor alphas_cumprod_;  // float32 on the CPU
  torch::Tensor timesteps_;
};

}  // namespace

std::unique_ptr<Scheduler> make_ddpm(const SchedulerOptions& options) {
  return std::make_unique<Ddpm>(options);
}

}  // namespace glyphward::model
