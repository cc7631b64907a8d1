// What the modes of joint attention's routing cost: one guided step of SD3's transformer with block
// 10 of 24 given another text, in turn with the same step alone, in one process, so that each ratio
// compares neighbours in time. The network is random, 24 blocks of 768 channels: 500 million
// parameters. `paper` is a second generation: twice the time by definition.
//
// usage: glyphward_bench_joint_modes [--size PIXELS] [--runs N] [--device D] [--dtype T] [--json]
#include <fmt/format.h>
#include <torch/types.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "model/networks/device.h"
#include "model/networks/module_weights.h"
#include "model/networks/sd3_transformer_2d.h"

namespace {

namespace fs = std::filesystem;
namespace model = glyphward::model;

constexpr const char* kConfig =
    R"({"_class_name": "SD3Transformer2DModel", "attention_head_dim": 64,
  "caption_projection_dim": 768, "in_channels": 16, "joint_attention_dim": 4096,
  "num_attention_heads": 12, "num_layers": 24, "out_channels": 16, "patch_size": 2,
  "pooled_projection_dim": 2048, "pos_embed_max_size": 192, "sample_size": 128})";
constexpr std::size_t kBlock = 10;  // the paper's
constexpr int kTextTokens = 333;

// A folder with a random checkpoint, removed in the end.
class RandomCheckpoint {
 public:
  RandomCheckpoint()
      : folder_(fs::temp_directory_path() / ("glyphward-bench-sd3." + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "config.json") << kConfig;
    model::ComponentConfig config(folder_ / "config.json");
    model::ModuleWeights shapes = model::ModuleWeights::of_config_alone(folder_ / "config.json");
    const model::SD3Transformer2DModel skeleton(config, shapes);
    write(shapes.taken());
  }
  ~RandomCheckpoint() { fs::remove_all(folder_); }
  RandomCheckpoint(const RandomCheckpoint&) = delete;
  RandomCheckpoint& operator=(const RandomCheckpoint&) = delete;

  std::unique_ptr<model::SD3Transformer2DModel> load(torch::TensorOptions where) const {
    model::ComponentConfig config(folder_ / "config.json");
    model::ModuleWeights weights(model::Weights::open(folder_, "diffusion_pytorch_model"),
                                 where.device(), torch::typeMetaToScalarType(where.dtype()));
    auto transformer = std::make_unique<model::SD3Transformer2DModel>(config, weights);
    weights.finish();
    return transformer;
  }
  std::int64_t parameters() const { return parameters_; }

 private:
  // A safetensors file: header length, header, numbers. Each matrix passes about unit variance on.
  void write(const std::map<std::string, std::vector<std::int64_t>>& shapes) {
    boost::json::object header;
    std::int64_t offset = 0;
    for (const auto& [name, shape] : shapes) {
      const std::int64_t count = elements(shape);
      header[name] = {{"dtype", "F32"},
                      {"shape", boost::json::value_from(shape)},
                      {"data_offsets", {4 * offset, 4 * (offset + count)}}};
      offset += count;
    }
    parameters_ = offset;
    const std::string text = boost::json::serialize(header);
    const std::uint64_t length = text.size();
    std::ofstream file(folder_ / "diffusion_pytorch_model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text;
    std::minstd_rand random(1);
    for (const auto& [name, shape] : shapes) {
      const double scale =
          shape.size() > 1 ? std::sqrt(3.0 * static_cast<double>(shape[0]) / elements(shape)) : 0.1;
      std::vector<float> numbers(elements(shape));
      for (float& number : numbers) {
        number = static_cast<float>(scale * (2.0 * random() / std::minstd_rand::max() - 1));
      }
      file.write(reinterpret_cast<const char*>(numbers.data()),
                 static_cast<std::streamsize>(numbers.size() * sizeof(float)));
    }
    if (!file) throw std::runtime_error("cannot write " + folder_.string());
  }

  static std::int64_t elements(const std::vector<std::int64_t>& shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return count;
  }

  fs::path folder_;
  std::int64_t parameters_ = 0;
};

struct Way {
  std::string name;
  std::function<torch::Tensor()> step;
  std::vector<double> seconds = {};
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// Ratios to the first way, run by run.
boost::json::array report(const std::vector<Way>& ways, bool json) {
  boost::json::array rows;
  for (const Way& way : ways) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < way.seconds.size(); ++i) {
      ratios.push_back(way.seconds[i] / ways[0].seconds[i]);
    }
    const auto [low, high] = std::ranges::minmax(ratios);
    rows.push_back(boost::json::object{{"way", way.name},
                                       {"seconds_median", median(way.seconds)},
                                       {"ratio_median", median(ratios)},
                                       {"ratio_min", low},
                                       {"ratio_max", high}});
    if (!json) {
      fmt::print("{:8} {:8.3f} s a guided step  x{:.3f}  ({:.3f} to {:.3f})\n", way.name,
                 median(way.seconds), median(ratios), low, high);
    }
  }
  return rows;
}

struct Options {
  int size = 512;
  int runs = 7;
  std::string device = "cpu";
  std::string dtype = "float32";
  bool json = false;
};

void run(const Options& options) {
  const c10::InferenceMode inference_mode;
  const torch::TensorOptions where =
      torch::dtype(model::parse_dtype(options.dtype)).device(model::open_device(options.device));
  const RandomCheckpoint checkpoint;
  const auto transformer = checkpoint.load(where);
  const int side = options.size / 8;
  const torch::Tensor latents = torch::randn({1, 16, side, side}, where);
  const torch::Tensor timestep = torch::tensor(500.0f).to(where.device());
  const auto text = [&where](std::int64_t rows) {
    return model::JointText{torch::randn({rows, kTextTokens, 4096}, where),
                            torch::randn({rows, 2048}, where)};
  };
  const model::JointText guided = text(2);
  const model::JointText other = text(1);
  const torch::Tensor batch = at::cat({latents, latents});
  std::vector<Way> ways = {
      {"plain", [&] { return (*transformer)(batch, timestep, guided); }},
      {"side",
       [&] {
         return (*transformer)(batch, timestep, guided, {{}, {model::SideText{other, {kBlock}}}});
       }},
      {"shared", [&] {
         return (*transformer)(
             batch, timestep, guided,
             {transformer->text_key_values(latents, timestep, other, {kBlock}), {}});
       }}};
  for (int i = -1; i < options.runs; ++i) {  // the first is a warm-up
    for (Way& way : ways) {
      const auto start = std::chrono::steady_clock::now();
      // A GPU works on behind the call: a number of it is waited for.
      way.step().flatten()[0].item();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      if (i >= 0) way.seconds.push_back(taken.count());
    }
  }
  const boost::json::array rows = report(ways, options.json);
  if (options.json) {
    std::cout << boost::json::serialize(boost::json::object{{"parameters", checkpoint.parameters()},
                                                            {"size", options.size},
                                                            {"runs", options.runs},
                                                            {"ways", rows}})
              << "\n";
  } else {
    fmt::print(
        "{} runs each, in turn, {} {}; {:.0f} M parameters, {} x {} pixels, {} text tokens.\n",
        options.runs, options.device, options.dtype,
        static_cast<double>(checkpoint.parameters()) / 1e6, options.size, options.size,
        kTextTokens);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times the modes of joint attention's routing.");
  app.add_option("--size", options.size, "pixels a side, a multiple of 16")
      ->check(CLI::Range(64, 1536))
      ->capture_default_str();
  app.add_option("--runs", options.runs, "runs of each way")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--device", options.device, "cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--dtype", options.dtype, "float32, float16 or bfloat16")->capture_default_str();
  app.add_flag("--json", options.json, "print JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    options.size = options.size / 16 * 16;
    run(options);
  } catch (const std::exception& error) {
    std::cerr << "glyphward_bench_joint_modes: " << error.what() << "\n";
    return 1;
  }
}
