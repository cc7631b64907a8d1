// glyphward models inspect: what a checkpoint is, from its configurations alone.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "daemon/cli/command.h"
#include "model/dtypes.h"
#include "model/families/inspect.h"

namespace glyphward::daemon {
namespace {

namespace json = boost::json;

struct InspectOptions {
  std::string model;
  bool json = false;
};

using model::kDtypes;

double share(std::int64_t parameters, const model::CheckpointDescription& checkpoint) {
  return static_cast<double>(parameters) / static_cast<double>(checkpoint.denoiser_parameters());
}

bool has_added(const model::CheckpointDescription& checkpoint) {
  return std::ranges::any_of(checkpoint.layers,
                             [](const auto& layer) { return layer.added_parameters > 0; });
}

struct Sum {
  std::int64_t key_value = 0;
  std::int64_t added = 0;
  std::vector<std::size_t> indices;
};

Sum sum_of_proposed(const model::CheckpointDescription& checkpoint) {
  Sum sum;
  for (std::size_t i = 0; i < checkpoint.layers.size(); ++i) {
    const model::AttentionLayerDescription& layer = checkpoint.layers[i];
    if (!layer.proposed) continue;
    sum.key_value += layer.key_value_parameters;
    sum.added += layer.added_parameters;
    sum.indices.push_back(i);
  }
  return sum;
}

json::object parameters_json(std::int64_t parameters,
                             const model::CheckpointDescription& checkpoint) {
  return {{"parameters", parameters}, {"share", share(parameters, checkpoint)}};
}

json::object to_json(const model::CheckpointDescription& checkpoint) {
  json::array parts;
  for (const model::PartDescription& part : checkpoint.parts) {
    parts.push_back(json::object{{"name", part.name},
                                 {"class", part.class_name},
                                 {"parameters", part.parameters},
                                 {"dtype", part.dtype}});
  }
  const bool added = has_added(checkpoint);
  json::array layers;
  for (std::size_t i = 0; i < checkpoint.layers.size(); ++i) {
    const model::AttentionLayerDescription& layer = checkpoint.layers[i];
    json::object object{{"index", i},
                        {"name", layer.name},
                        {"to_k_to_v", parameters_json(layer.key_value_parameters, checkpoint)}};
    if (added) object["add_k_add_v"] = parameters_json(layer.added_parameters, checkpoint);
    object["proposed"] = layer.proposed;
    layers.push_back(std::move(object));
  }
  json::object memory;
  for (const char* dtype : kDtypes) memory[dtype] = checkpoint.bytes(dtype);
  const Sum proposed = sum_of_proposed(checkpoint);
  json::object report{{"family", checkpoint.family},     {"parameters", checkpoint.parameters()},
                      {"parts", std::move(parts)},       {"weights_bytes", std::move(memory)},
                      {"denoiser", checkpoint.denoiser}, {"attention_layers", std::move(layers)}};
  if (!proposed.indices.empty()) {
    json::object sums{{"to_k_to_v", parameters_json(proposed.key_value, checkpoint)}};
    if (added) sums["add_k_add_v"] = parameters_json(proposed.added, checkpoint);
    report["proposed"] = std::move(sums);
  }
  return report;
}

std::string millions(std::int64_t parameters) {
  return fmt::format("{:.1f} M", static_cast<double>(parameters) / 1e6);
}

std::string cell(std::int64_t parameters, const model::CheckpointDescription& checkpoint) {
  return fmt::format("{:>9} {:>7.2f} %", millions(parameters), 100 * share(parameters, checkpoint));
}

void print_layers(const model::CheckpointDescription& checkpoint) {
  const bool added = has_added(checkpoint);
  std::size_t width = 0;
  for (const auto& layer : checkpoint.layers) width = std::max(width, layer.name.size());
  fmt::print("\n{} attention layers in forward order; share of the {}'s parameters\n",
             checkpoint.layers.size(), checkpoint.denoiser);
  fmt::print("{:>5}  {:{}}  {:>19}{}\n", "index", "layer", width, "to_k + to_v",
             added ? "          add_k + add_v" : "");
  for (std::size_t i = 0; i < checkpoint.layers.size(); ++i) {
    const model::AttentionLayerDescription& layer = checkpoint.layers[i];
    fmt::print("{:>5}  {:{}}  {}{}{}\n", i, layer.name, width,
               cell(layer.key_value_parameters, checkpoint),
               added ? "    " + cell(layer.added_parameters, checkpoint) : "",
               layer.proposed ? "  *" : "");
  }
}

void print_proposed(const model::CheckpointDescription& checkpoint) {
  const Sum sum = sum_of_proposed(checkpoint);
  if (sum.indices.empty()) {
    fmt::print("\nThe paper localized no layers in a model of this family and shape.\n");
    return;
  }
  fmt::print(
      "\n* the paper's layers ({}): {}{}. A proposal, which `glyphward localize --check`\n"
      "confirms on these weights.\n",
      fmt::join(sum.indices, ", "),
      fmt::format("to_k + to_v {}, {:.2f} %", millions(sum.key_value),
                  100 * share(sum.key_value, checkpoint)),
      has_added(checkpoint) ? fmt::format("; add_k + add_v {}, {:.2f} %", millions(sum.added),
                                          100 * share(sum.added, checkpoint))
                            : "");
}

void print_text(const model::CheckpointDescription& checkpoint) {
  fmt::print("family      {}\nparameters  {}\n", checkpoint.family,
             millions(checkpoint.parameters()));
  fmt::print("weights     ");
  for (const char* dtype : kDtypes) {
    fmt::print("{}{:.2f} GB in {}", dtype == kDtypes[0] ? "" : ", ",
               static_cast<double>(checkpoint.bytes(dtype)) / 1e9, dtype);
  }
  fmt::print(" (a picture's own tensors come on top)\n\n{:16} {:28} {:>11}  {}\n", "part", "class",
             "parameters", "stored as");
  for (const model::PartDescription& part : checkpoint.parts) {
    fmt::print("{:16} {:28} {:>11}  {}\n", part.name, part.class_name, millions(part.parameters),
               part.dtype.empty() ? "-" : part.dtype);
  }
  print_layers(checkpoint);
  print_proposed(checkpoint);
}

ExitStatus run(const InspectOptions& options) {
  const model::CheckpointDescription checkpoint = model::inspect_checkpoint(options.model);
  if (options.json) {
    fmt::print("{}\n", json::serialize(to_json(checkpoint)));
  } else {
    print_text(checkpoint);
  }
  return ExitStatus::Ok;
}

}  // namespace

void add_models(Command& models) {
  auto options = std::make_shared<InspectOptions>();
  Command inspect = models.part(
      "inspect",
      "Family, parts, parameters, attention layers and memory of a diffusers checkpoint");
  inspect.option("MODEL", options->model, "A diffusers checkpoint folder")
      .required()
      .existing_folder();
  inspect.flag("--json", options->json, "Print JSON");
  inspect.footer("Reads the configurations only: the weights need not be there.");
  inspect.runs([options] { return run(*options); });
}

}  // namespace glyphward::daemon
