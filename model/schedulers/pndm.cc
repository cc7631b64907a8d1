// PNDMScheduler (arXiv 2202.09778): a linear multistep method over the last four predictions, begun
// either by Runge-Kutta steps or, with skip_prk_steps, by taking the first step twice.
#include <fmt/format.h>

#include "model/schedulers/options.h"

namespace glyphward::model {
namespace {

constexpr int kOrder = 4;

class Pndm final : public Scheduler {
 public:
  explicit Pndm(const SchedulerOptions& options)
      : options_(options),
        spacing_(
            options.choice("timestep_spacing", "leading", {"leading", "trailing", "linspace"})),
        predicts_v_(options.choice("prediction_type", "epsilon", {"epsilon", "v_prediction"}) ==
                    "v_prediction"),
        skip_prk_steps_(options.flag("skip_prk_steps", false)),
        alphas_cumprod_(torch::cumprod(1.0 - options.betas(), 0)),
        final_alpha_cumprod_(options.flag("set_alpha_to_one", false) ? torch::tensor(1.0f)
                                                                     : alphas_cumprod_[0]) {}

  void set_timesteps(int num_inference_steps) override {
    options_.check_steps(num_inference_steps);
    if (!skip_prk_steps_ && num_inference_steps < kOrder) {
      options_.fail("num_inference_steps",
                    fmt::format("expected at least {} without skip_prk_steps, found {}", kOrder,
                                num_inference_steps));
    }
    step_size_ = options_.num_train_timesteps() / num_inference_steps;
    const std::vector<double> grid = options_.discrete_timesteps(spacing_, num_inference_steps);
    runge_kutta_.clear();
    std::vector<double> calls = skip_prk_steps_ ? first_step_twice(grid) : runge_kutta_first(grid);
    timesteps_ = int64_timesteps(calls);
    predictions_.clear();
    mean_prediction_ = torch::Tensor();
    held_sample_ = torch::Tensor();
  }

  const torch::Tensor& timesteps() const override { return timesteps_; }
  double init_noise_sigma() const override { return 1; }
  torch::Tensor scale_model_input(const torch::Tensor& sample, int /*i*/) override {
    return sample;
  }

  torch::Tensor step(const torch::Tensor& noise_pred, int i, const torch::Tensor& sample) override {
    const auto timestep = timesteps_[i].item<std::int64_t>();
    if (i < static_cast<int>(runge_kutta_.size()))
      return runge_kutta_step(noise_pred, i, timestep, sample);
    return multistep(noise_pred, i, timestep, sample);
  }

 private:
  // t0 t1 t1 t2 .. of a descending grid.
  static std::vector<double> first_step_twice(const std::vector<double>& grid) {
    std::vector<double> calls = grid;
    if (grid.size() > 1) calls.insert(calls.begin() + 1, grid[1]);
    return calls;
  }

  // Three steps of four calls each (t, twice t - half a step, the next t), then the grid's rest.
  std::vector<double> runge_kutta_first(const std::vector<double>& grid) {
    const auto half = static_cast<double>(step_size_ / 2);
    for (int k = 0; k + 1 < kOrder; ++k) {
      const double middle = grid[k + 1] + half;
      for (double call : {grid[k], middle, middle, grid[k + 1]}) runge_kutta_.push_back(call);
    }
    std::vector<double> calls = runge_kutta_;
    calls.insert(calls.end(), grid.begin() + kOrder - 1, grid.end());
    return calls;
  }

  torch::Tensor runge_kutta_step(const torch::Tensor& noise_pred, int i, std::int64_t timestep,
                                 const torch::Tensor& sample) {
    const std::int64_t previous = timestep - (i % 2 == 0 ? step_size_ / 2 : 0);
    torch::Tensor prediction = noise_pred;
    switch (i % 4) {
      case 0:
        mean_prediction_ = 1.0 / 6 * noise_pred;
        predictions_.push_back(noise_pred);
        held_sample_ = sample;
        break;
      case 3:
        prediction = mean_prediction_ + 1.0 / 6 * noise_pred;
        break;
      default:
        mean_prediction_ = mean_prediction_ + 1.0 / 3 * noise_pred;
    }
    const auto begin = static_cast<std::int64_t>(runge_kutta_[i / 4 * 4]);
    return transfer(held_sample_, begin, previous, prediction);
  }

  torch::Tensor multistep(const torch::Tensor& noise_pred, int i, std::int64_t timestep,
                          torch::Tensor sample) {
    std::int64_t previous = timestep - step_size_;
    if (i == 1) {  // the first step again, with the mean of both its ends
      previous = timestep;
      timestep += step_size_;
    } else {
      if (predictions_.size() > 3) predictions_.erase(predictions_.begin(), predictions_.end() - 3);
      predictions_.push_back(noise_pred);
    }
    const auto e = [&](int back) { return predictions_[predictions_.size() - back]; };
    torch::Tensor prediction;
    if (predictions_.size() == 1 && i == 0) {
      prediction = noise_pred;
      held_sample_ = sample;
    } else if (predictions_.size() == 1) {
      prediction = (noise_pred + e(1)) / 2;
      sample = held_sample_;
    } else if (predictions_.size() == 2) {
      prediction = (3 * e(1) - e(2)) / 2;
    } else if (predictions_.size() == 3) {
      prediction = (23 * e(1) - 16 * e(2) + 5 * e(3)) / 12;
    } else {
      prediction = (1.0 / 24) * (55 * e(1) - 59 * e(2) + 37 * e(3) - 9 * e(4));
    }
    return transfer(sample, timestep, previous, prediction);
  }

  // The paper's equation 9: from x at `timestep` to x at `previous` along one prediction.
  torch::Tensor transfer(const torch::Tensor& sample, std::int64_t timestep, std::int64_t previous,
                         torch::Tensor prediction) const {
    const torch::Tensor alpha = alphas_cumprod_[timestep];
    const torch::Tensor alpha_previous =
        previous >= 0 ? alphas_cumprod_[previous] : final_alpha_cumprod_;
    const torch::Tensor beta = 1 - alpha;
    const torch::Tensor beta_previous = 1 - alpha_previous;
    if (predicts_v_) prediction = alpha.sqrt() * prediction + beta.sqrt() * sample;
    const torch::Tensor denominator =
        alpha * beta_previous.sqrt() + (alpha * beta * alpha_previous).sqrt();
    return (alpha_previous / alpha).sqrt() * sample -
           (alpha_previous - alpha) * prediction / denominator;
  }

  SchedulerOptions options_;
  std::string spacing_;
  bool predicts_v_;
  bool skip_prk_steps_;
  torch::Tensor alphas_cumprod_;
  torch::Tensor final_alpha_cumprod_;
  std::int64_t step_size_ = 0;
  torch::Tensor timesteps_;
  std::vector<double> runge_kutta_;  // the timesteps of the Runge-Kutta calls
  std::vector<torch::Tensor> predictions_;
  torch::Tensor mean_prediction_;
  torch::Tensor held_sample_;
};

}  // namespace

std::unique_ptr<Scheduler> make_pndm(const SchedulerOptions& options) {
  return std::make_unique<Pndm>(options);
}

}  // namespace glyphward::model
