// FlowMatchEulerDiscreteScheduler: Euler's method on a rectified flow (arXiv 2403.03206), whose
// network predicts the velocity from picture to noise.
#include "model/schedulers/options.h"

namespace glyphward::model {
namespace {

class FlowMatchEulerDiscrete final : public Scheduler {
 public:
  explicit FlowMatchEulerDiscrete(const SchedulerOptions& options)
      : options_(options), shift_(options.number("shift", 1.0)) {
    if (!(shift_ > 0 && shift_ <= 1000)) {
      options.fail("shift",
                   "expected a number over 0, at most 1000, found " + std::to_string(shift_));
    }
    for (const char* key : {"use_dynamic_shifting", "use_karras_sigmas", "use_exponential_sigmas",
                            "use_beta_sigmas", "invert_sigmas", "stochastic_sampling"}) {
      options.refuse_flag(key);
    }
    if (options.optional_number("shift_terminal").value_or(0) != 0) {
      options.fail("shift_terminal", "expected null (not implemented), found a number");
    }
  }

  void set_timesteps(int num_inference_steps) override {
    options_.check_steps(num_inference_steps);
    const int train = options_.num_train_timesteps();
    // The grid ends at the smallest sigma of training, in float32 and already shifted, and is
    // shifted once more (docs/METHOD.md, section 6).
    const double last = shifted_float(1.0f / static_cast<float>(train));
    const double first = shifted_float(1.0f);
    std::vector<float> sigmas;
    for (const double t : numpy_linspace(first * train, last * train, num_inference_steps)) {
      const double sigma = t / train;
      sigmas.push_back(static_cast<float>(shift_ * sigma / (1 + (shift_ - 1) * sigma)));
    }
    timesteps_ = torch::tensor(sigmas) * train;
    sigmas.push_back(0);
    sigmas_ = torch::tensor(sigmas);
  }

  const torch::Tensor& timesteps() const override { return timesteps_; }
  double init_noise_sigma() const override { return 1; }
  torch::Tensor scale_model_input(const torch::Tensor& sample, int /*i*/) override {
    return sample;
  }

  torch::Tensor step(const torch::Tensor& noise_pred, int i, const torch::Tensor& sample) override {
    // In float32, then back: the differences of sigmas are small.
    return (sample.to(torch::kFloat32) + (sigmas_[i + 1] - sigmas_[i]) * noise_pred)
        .to(noise_pred.dtype());
  }

 private:
  float shifted_float(float sigma) const {
    const torch::Tensor value = torch::tensor({sigma});
    return (shift_ * value / (1 + (shift_ - 1) * value)).item<float>();
  }

  SchedulerOptions options_;
  double shift_;
  torch::Tensor sigmas_;     // float32 on the CPU, one more than timesteps
  torch::Tensor timesteps_;  // 1000 times the sigmas, not rounded
};

}  // namespace

std::unique_ptr<Scheduler> make_flow_match_euler_discrete(const SchedulerOptions& options) {
  return std::make_unique<FlowMatchEulerDiscrete>(options);
}

}  // namespace glyphward::model
