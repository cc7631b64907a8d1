// Schedulers of diffusers, number for number: DDIMScheduler, PNDMScheduler, EulerDiscreteScheduler,
// DPMSolverMultistepScheduler (2M), FlowMatchEulerDiscreteScheduler, DDPMScheduler. Files of the
// reference: diffusers/schedulers/scheduling_*.py.
#pragma once

#include <torch/types.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace glyphward::model {

// What a pipeline sets in its scheduler's config as it loads, whatever the file says:
// StableDiffusionPipeline steps_offset 1 and clip_sample false.
enum class SchedulerCorrections { None, StableDiffusion };

// State of one generation; one thread.
class Scheduler {
 public:
  // `config` is scheduler_config.json's object (file is for the errors). `name` overrides its
  // _class_name, keeping the options the two share, as `Other.from_config(pipe.scheduler.config)`
  // does in diffusers: among the first four alone, since a network of flow matching or of learned
  // variance means nothing to another kind. Throws ConfigError on an unknown class or one of
  // another kind, or on an option whose value is not implemented.
  static std::unique_ptr<Scheduler> create(
      const boost::json::object& config, const std::filesystem::path& file,
      const std::string& name = "",
      SchedulerCorrections corrections = SchedulerCorrections::StableDiffusion);
  virtual ~Scheduler() = default;

  // Begins a generation. Throws ConfigError on a number of steps that this scheduler cannot make.
  virtual void set_timesteps(int num_inference_steps) = 0;
  // One entry a call of the network (PNDM has num_inference_steps + 1): float32 or int64 on the
  // CPU.
  virtual const torch::Tensor& timesteps() const = 0;
  // The first noise is multiplied by this (docs/METHOD.md, section 6: Euler sqrt(sigma_max^2 + 1)
  // or sigma_max).
  virtual double init_noise_sigma() const = 0;
  // DDPM adds fresh noise after every step but the last: [B, C, H, W] of the sample's shape, from
  // the images' own generators. Given before the first step; the others never ask.
  using DrawNoise = std::function<torch::Tensor()>;
  // NOLINTNEXTLINE(performance-unnecessary-value-param): the one that asks keeps it
  virtual void draw_noise_from(DrawNoise /*draw*/) {}
  // `sample` with `noise` as at that step of training. Only DDPM has it (DeepFloyd IF's second
  // stage); the others throw std::logic_error.
  virtual torch::Tensor add_noise(const torch::Tensor& sample, const torch::Tensor& noise,
                                  int timestep) const;
  // i counts calls from 0.
  virtual torch::Tensor scale_model_input(const torch::Tensor& sample, int i) = 0;
  virtual torch::Tensor step(const torch::Tensor& noise_pred, int i,
                             const torch::Tensor& sample) = 0;
};

}  // namespace glyphward::model
