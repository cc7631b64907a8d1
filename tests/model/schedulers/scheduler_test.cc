// The numbers are compared with diffusers in tests/reference/scheduler_test.py; here is what needs
// no reference.
#include "model/schedulers/scheduler.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

namespace json = boost::json;

const std::filesystem::path kFile = "scheduler/scheduler_config.json";

json::object stable_diffusion(const char* class_name) {
  return {{"_class_name", class_name}, {"beta_start", 0.00085},
          {"beta_end", 0.012},         {"beta_schedule", "scaled_linear"},
          {"steps_offset", 1},         {"timestep_spacing", "leading"}};
}

std::string complaint(const json::object& config, const std::string& name = "", int steps = 10) {
  try {
    Scheduler::create(config, kFile, name)->set_timesteps(steps);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Scheduler, CountsPndmsFirstStepTwice) {
  json::object config = stable_diffusion("PNDMScheduler");
  config["skip_prk_steps"] = true;
  const auto scheduler = Scheduler::create(config, kFile);
  scheduler->set_timesteps(50);
  ASSERT_EQ(scheduler->timesteps().size(0), 51);
  const std::int64_t* t = scheduler->timesteps().data_ptr<std::int64_t>();
  EXPECT_EQ(std::vector<std::int64_t>(t, t + 4), (std::vector<std::int64_t>{981, 961, 961, 941}));
}

TEST(Scheduler, ScalesEulersNoiseAndInput) {
  const auto scheduler = Scheduler::create(stable_diffusion("EulerDiscreteScheduler"), kFile);
  scheduler->set_timesteps(50);
  EXPECT_NEAR(scheduler->init_noise_sigma(), 13.1585, 1e-4);
  const torch::Tensor ones = torch::ones({1, 4, 2, 2});
  EXPECT_NEAR(scheduler->scale_model_input(ones, 0).max().item<double>(), 1 / 13.1585, 1e-6);
}

// With the true noise as prediction every deterministic scheduler must return to the picture it
// began with.
TEST(Scheduler, FindsThePictureAgainWhenTheNoiseIsKnown) {
  for (const char* name : {"DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler",
                           "DPMSolverMultistepScheduler"}) {
    json::object config = stable_diffusion(name);
    config["skip_prk_steps"] = true;
    config["set_alpha_to_one"] = true;
    const auto scheduler = Scheduler::create(config, kFile);
    scheduler->set_timesteps(20);
    const torch::Tensor picture = torch::linspace(-1, 1, 64).reshape({1, 4, 4, 4});
    const torch::Tensor noise = torch::sin(torch::arange(64) * 1.7).reshape({1, 4, 4, 4});
    const torch::Tensor betas = torch::linspace(std::sqrt(0.00085), std::sqrt(0.012), 1000).pow(2);
    const torch::Tensor alphas = torch::cumprod(1 - betas, 0);
    const torch::Tensor alpha =
        alphas[static_cast<std::int64_t>(scheduler->timesteps()[0].item<double>())];
    torch::Tensor latents = std::string(name) == "EulerDiscreteScheduler"
                                ? picture + ((1 - alpha) / alpha).sqrt() * noise
                                : alpha.sqrt() * picture + (1 - alpha).sqrt() * noise;
    for (int i = 0; i < scheduler->timesteps().size(0); ++i) {
      latents = scheduler->step(noise, i, latents);
    }
    EXPECT_LT((latents - picture).abs().max().item<double>(), 1e-3) << name;
  }
}

TEST(Scheduler, BeginsAnewWithEachSetTimesteps) {
  for (const char* name : {"PNDMScheduler", "DPMSolverMultistepScheduler"}) {
    const auto scheduler = Scheduler::create(stable_diffusion(name), kFile);
    const auto run = [&] {
      scheduler->set_timesteps(6);
      torch::Tensor latents = torch::ones({1, 4, 2, 2});
      for (int i = 0; i < scheduler->timesteps().size(0); ++i) {
        latents = scheduler->step(0.1 * (i + 1) * latents, i, latents);
      }
      return latents;
    };
    const torch::Tensor first = run();
    EXPECT_TRUE(torch::equal(first, run())) << name;
  }
}

TEST(Scheduler, KeepsTheDtypeOfTheNetwork) {
  for (const char* name : {"DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler",
                           "DPMSolverMultistepScheduler"}) {
    const auto scheduler = Scheduler::create(stable_diffusion(name), kFile);
    scheduler->set_timesteps(8);
    const torch::Tensor latents = torch::ones({1, 4, 2, 2}, torch::kBFloat16);
    EXPECT_EQ(scheduler->step(latents, 0, scheduler->scale_model_input(latents, 0)).dtype(),
              torch::kBFloat16)
        << name;
  }
}

TEST(Scheduler, NamesWhatIsWrong) {
  EXPECT_NE(complaint({}).find("_class_name"), std::string::npos);
  EXPECT_NE(complaint(stable_diffusion("LMSDiscreteScheduler")).find("LMSDiscreteScheduler"),
            std::string::npos);
  const json::object ddim = stable_diffusion("DDIMScheduler");
  EXPECT_EQ(complaint(ddim), "");
  EXPECT_EQ(complaint(ddim, "EulerDiscreteScheduler"), "");
  EXPECT_NE(complaint(ddim, "Euler").find("found Euler"), std::string::npos);
  const std::pair<const char*, json::value> wrong[] = {{"beta_schedule", "sigmoid"},
                                                       {"beta_start", "0.1"},
                                                       {"beta_end", 2},
                                                       {"num_train_timesteps", 1},
                                                       {"num_train_timesteps", 1.5},
                                                       {"timestep_spacing", 3},
                                                       {"prediction_type", "x"},
                                                       {"thresholding", "no"},
                                                       {"rescale_betas_zero_snr", 1},
                                                       {"trained_betas", json::array{0.1, 0.2}}};
  for (const auto& [key, value] : wrong) {
    json::object config = ddim;
    config[key] = value;
    const std::string message = complaint(config);
    EXPECT_NE(message.find(kFile.string() + ": " + key + ": expected"), std::string::npos)
        << message;
  }
}

TEST(Scheduler, RefusesStepsThatItCannotMake) {
  const json::object ddim = stable_diffusion("DDIMScheduler");
  EXPECT_EQ(complaint(ddim, "", 999), "");
  for (int steps : {0, -1, 1000, 1001}) {  // 1000 leading steps with offset 1 would begin at 1000
    EXPECT_NE(complaint(ddim, "", steps).find("num_inference_steps"), std::string::npos) << steps;
  }
  EXPECT_NE(complaint(stable_diffusion("PNDMScheduler"), "", 3).find("skip_prk_steps"),
            std::string::npos);
}

}  // namespace
}  // namespace glyphward::model
