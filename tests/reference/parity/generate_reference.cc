// For the parity tests: runs many generations in one process and writes their tensors.
//
// usage: glyphward_generate_reference CASES.json
// CASES.json is a list of {"checkpoint", "output", "streams": [{"name", "text"}], "base", "pooled",
// "layers": [{"layer", "stream", "from_step"}], "negative_prompt", "seeds", "num_inference_steps",
// "guidance_scale", "height", "width", "scheduler", "joint_mode", "device", "dtype", "vae_tiling",
// "offload_text_encoders"}; what is not given is left to the pipeline. Each output file holds
// `latents`, `image` and `pixels`
// ([B, H, W, 3], 0 to 255). Prints one JSON object a case: {"output", "error", "attention_layers"}.
#include <boost/json.hpp>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "model/checkpoint/component_config.h"
#include "model/checkpoint/safetensors.h"
#include "model/pipeline.h"

namespace {

namespace json = boost::json;
namespace model = glyphward::model;

std::string text_or(const json::object& object, const char* key, const char* otherwise) {
  const json::value* value = object.if_contains(key);
  return value ? std::string(value->as_string()) : otherwise;
}

model::GenerationRequest read_request(const json::object& object) {
  model::GenerationRequest request;
  for (const json::value& stream : object.at("streams").as_array()) {
    request.streams.push_back(
        {std::string(stream.at("name").as_string()), std::string(stream.at("text").as_string())});
  }
  request.route.base = text_or(object, "base", "prompt");
  request.route.pooled = text_or(object, "pooled", request.route.base.c_str());
  if (const json::value* layers = object.if_contains("layers")) {
    for (const json::value& route : layers->as_array()) {
      request.route.layers.push_back({std::string(route.at("layer").as_string()),
                                      std::string(route.at("stream").as_string()),
                                      route.at("from_step").to_number<int>()});
    }
  }
  const std::string joint_mode = text_or(object, "joint_mode", "paper");
  request.route.joint_mode = joint_mode == "shared" ? model::JointMode::Shared
                             : joint_mode == "side" ? model::JointMode::Side
                                                    : model::JointMode::Paper;
  if (const json::value* negative = object.if_contains("negative_prompt")) {
    request.negative_prompt = std::string(negative->as_string());
  }
  request.settings.scheduler = text_or(object, "scheduler", "");
  request.seeds = json::value_to<std::vector<std::uint64_t>>(object.at("seeds"));
  const auto integer = [&object](const char* key) {
    const json::value* value = object.if_contains(key);
    return value ? std::optional(value->to_number<int>()) : std::nullopt;
  };
  request.settings.num_inference_steps = integer("num_inference_steps");
  request.settings.height = integer("height");
  request.settings.width = integer("width");
  if (const json::value* scale = object.if_contains("guidance_scale")) {
    request.settings.guidance_scale = scale->to_number<double>();
  }
  request.keep_tensors = true;
  return request;
}

model::FloatTensor pixels_of(const std::vector<model::Image>& images) {
  model::FloatTensor pixels;
  pixels.shape = {static_cast<std::int64_t>(images.size()), images[0].height, images[0].width, 3};
  for (const model::Image& image : images) {
    pixels.data.insert(pixels.data.end(), image.rgb.begin(), image.rgb.end());
  }
  return pixels;
}

json::object run_case(const json::object& object) {
  const std::string output(object.at("output").as_string());
  json::object answer{{"output", output}};
  try {
    model::LoadOptions options;
    options.device = text_or(object, "device", "cpu");
    options.dtype = text_or(object, "dtype", "float32");
    const auto flag = [&](const char* key) {
      const json::value* value = object.if_contains(key);
      return value != nullptr && value->as_bool();
    };
    options.vae_tiling = flag("vae_tiling");
    options.offload_text_encoders = flag("offload_text_encoders");
    const auto pipeline =
        model::load_pipeline(std::string(object.at("checkpoint").as_string()), options);
    answer["attention_layers"] = json::value_from(pipeline->info().attention_layers);
    const auto generation = pipeline->generate(read_request(object), {});
    if (!generation) {
      answer["error"] = generation.error().param + ": " + generation.error().message;
    } else {
      std::map<std::string, model::FloatTensor> tensors = {
          {"image", *generation->image}, {"pixels", pixels_of(generation->images)}};
      if (generation->latents) tensors["latents"] = *generation->latents;
      model::save_safetensors(output, tensors);
    }
  } catch (const std::exception& error) {
    answer["error"] = error.what();
  }
  return answer;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: glyphward_generate_reference CASES.json\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const json::value cases = json::parse(text);
  for (const json::value& one : cases.as_array()) {
    std::cout << json::serialize(run_case(one.as_object())) << std::endl;
  }
}
