// The C++ side of scheduler_test.py: reads a JSON array of jobs {"file", "name", "steps"} from
// standard input, runs each scheduler against a fixed pseudo-network and writes a line
// {"timesteps", "init_noise_sigma", "latents"}, or {"error"}.
#include <torch/types.h>

#include <boost/json.hpp>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>

#include "base/config_error.h"
#include "model/checkpoint/json.h"
#include "model/schedulers/scheduler.h"

namespace {

namespace json = boost::json;

// Any smooth function of both will do; scheduler_test.py has the same.
torch::Tensor pseudo_network(const torch::Tensor& sample, const torch::Tensor& timestep) {
  return 0.8 * torch::sin(1.3 * sample + timestep.to(torch::kFloat32) / 250.0) + 0.2 * sample;
}

json::array numbers(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kFloat64).contiguous();
  json::array array;
  for (std::int64_t i = 0; i < flat.numel(); ++i) array.push_back(flat.data_ptr<double>()[i]);
  return array;
}

json::object run(const json::object& job) {
  const std::string file(job.at("file").as_string());
  const auto scheduler = glyphward::model::Scheduler::create(
      glyphward::model::load_json_object(file), file, std::string(job.at("name").as_string()));
  scheduler->set_timesteps(job.at("steps").to_number<int>());
  const torch::Tensor& timesteps = scheduler->timesteps();
  at::manual_seed(7);
  torch::Tensor latents = torch::randn({2, 4, 4, 4}) * scheduler->init_noise_sigma();
  for (int i = 0; i < timesteps.size(0); ++i) {
    const torch::Tensor input = scheduler->scale_model_input(latents, i);
    latents = scheduler->step(pseudo_network(input, timesteps[i]), i, latents);
  }
  return {{"timesteps", numbers(timesteps)},
          {"integral", !timesteps.is_floating_point()},
          {"init_noise_sigma", scheduler->init_noise_sigma()},
          {"latents", numbers(latents)}};
}

}  // namespace

int main() {
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  const json::value jobs = json::parse(input);
  for (const json::value& job : jobs.as_array()) {
    json::object line;
    try {
      line = run(job.as_object());
    } catch (const glyphward::ConfigError& error) {
      line["error"] = error.what();
    }
    std::cout << json::serialize(line) << '\n';
  }
  return 0;
}
