// glyphward localize: which layers of a checkpoint carry the letters, written to glyphward.json
// beside it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "daemon/cli/command.h"
#include "daemon/cli/models/contact_sheet.h"
#include "daemon/cli/models/localize_pairs.h"
#include "daemon/cli/progress_line.h"
#include "guard/reading/ocr.h"
#include "model/checkpoint/weights.h"
#include "model/dtypes.h"
#include "model/localize.h"
#include "model/pipeline.h"
#include "model/profile.h"

namespace glyphward::daemon {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::uint64_t kHeldOutSeed =
    1'000'003;  // added to the seed: pairs that had no part in the choice
constexpr int kSheetRows = 8;
// Of ten pairs, two misread ones would fail a set that carries 95 %.
constexpr int kCheckPairs = 40;

struct LocalizeCommandOptions {
  std::string model;
  std::string pairs_file;
  int pairs_count = 0;
  std::uint64_t seed = 0;
  int layers_max = 0;
  std::string contact_sheet;
  std::string languages = "eng";
  std::string device = "cpu";
  std::string dtype = "float32";
  bool check = false;
  bool dry_run = false;
  bool json = false;
};

[[noreturn]] void fail(const Error& error) {
  const bool usage = error.code == ErrorCode::InvalidRequest;
  throw CommandError(usage ? ExitStatus::Usage : ExitStatus::Found, "localize: " + error.message);
}

// ---- Showing -----------------------------------------------------------------------------------

model::LocalizeProgress shown_on(ProgressLine& line) {
  return [&line](int done, int total, const model::LayerSetResult& row) {
    line.show(done, total,
              fmt::format("{} layers: {:.0f} % read", row.layers.size(), 100 * row.target_exact));
  };
}

std::string short_name(const std::string& layer) {
  constexpr std::string_view kTail = ".transformer_blocks.0.attn2";
  return layer.ends_with(kTail) ? layer.substr(0, layer.size() - kTail.size()) : layer;
}

std::string set_name(const model::LayerSetResult& row, std::size_t all) {
  if (row.layers.empty()) return "none";
  if (row.layers.size() == all) return fmt::format("all {}", all);
  std::string name;
  for (const std::string& layer : row.layers)
    name += (name.empty() ? "" : " + ") + short_name(layer);
  if (row.from_step > 0) name += fmt::format(" from step {}", row.from_step);
  return name;
}

std::vector<std::string> form_names(const std::vector<model::LayerSetResult>& rows) {
  std::vector<std::string> names;
  for (const auto& [name, score] : rows.at(0).forms) names.push_back(name);
  return names;
}

void print_table(const std::vector<model::LayerSetResult>& rows) {
  const std::size_t all = rows.at(1).layers.size();
  std::size_t width = 28;
  for (const auto& row : rows) width = std::max(width, set_name(row, all).size());
  const std::vector<std::string> forms = form_names(rows);
  fmt::print("{:<{}}  {:>8} {:>8} {:>8} {:>8}", "layers given the other word", width, "new word",
             "letters", "carried", "old word");
  for (const std::string& form : forms) fmt::print(" {:>15}", "outside, " + form);
  if (forms.empty()) fmt::print(" {:>15}", "outside");
  fmt::print(" {:>7}\n", "PSNR");
  for (const auto& row : rows) {
    fmt::print("{:<{}}  {:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f}", set_name(row, all), width,
               row.target_exact, row.target_letters, row.carried, row.source_exact);
    for (const std::string& form : forms) fmt::print(" {:>15.4f}", row.forms.at(form).outside_mse);
    if (forms.empty()) fmt::print(" {:>15.4f}", row.outside_mse);
    fmt::print(" {:>7.2f}\n", row.psnr);
  }
}

// Figures in the file as people read them; the fifth decimal of a mean over 40 pairs says nothing.
double rounded(double value) { return std::round(value * 1e4) / 1e4; }

json::object to_json(const model::LayerSetResult& row) {
  json::object object{
      {"layers", json::value_from(row.layers)},     {"new_word", rounded(row.target_exact)},
      {"new_letters", rounded(row.target_letters)}, {"carried", rounded(row.carried)},
      {"old_word", rounded(row.source_exact)},      {"old_letters", rounded(row.source_letters)},
      {"outside_mse", rounded(row.outside_mse)},    {"psnr", rounded(row.psnr)},
      {"pairs_without_box", row.pairs_without_box}};
  json::object forms;
  for (const auto& [name, score] : row.forms) {
    forms[name] = {{"pairs", score.pairs},
                   {"new_word", rounded(score.target_exact)},
                   {"outside_mse", rounded(score.outside_mse)}};
  }
  if (row.from_step > 0) object["from_step"] = row.from_step;
  if (!forms.empty()) object["forms"] = std::move(forms);
  return object;
}

json::array to_json(const std::vector<model::LayerSetResult>& rows) {
  json::array array;
  for (const auto& row : rows) array.push_back(to_json(row));
  return array;
}

// ---- Pictures ----------------------------------------------------------------------------------

// A pair a row: plain, all layers given the other word, the localized ones.
void write_contact_sheet(model::Pipeline& pipeline, const std::vector<model::PromptPair>& pairs,
                         const std::vector<std::string>& layers, int from_step,
                         const fs::path& file) {
  constexpr int kColumns = 3;
  std::vector<model::Image> pictures;
  for (int row = 0; row < std::min<int>(kSheetRows, static_cast<int>(pairs.size())); ++row) {
    const model::PromptPair& pair = pairs[row];
    for (const model::GenerationRequest& request :
         {model::localization_request(pair, {}, 0),
          model::all_layers_request(pair, pipeline.info().attention_layers),
          model::localization_request(pair, layers, from_step)}) {
      const auto drawn = pipeline.generate(request, {});
      if (!drawn) fail(drawn.error());
      pictures.push_back(drawn->images.at(0));
    }
  }
  write_png(contact_sheet(pictures, kColumns), file);
}

// ---- The two ways to run -----------------------------------------------------------------------

class LocalizeCommand {
 public:
  explicit LocalizeCommand(const LocalizeCommandOptions& options)
      : options_(options),
        ocr_(guard::Ocr::open(options.languages)),
        pipeline_(model::load_pipeline(options.model,
                                       {.device = options.device, .dtype = options.dtype})) {}

  ExitStatus run() { return options_.check ? check() : localize(); }

 private:
  ExitStatus localize() {
    const std::vector<model::PromptPair> chosen_on = pairs(options_.pairs_count, 60, 0);
    const model::LocalizationReport found = search(chosen_on);
    if (!options_.json) print_table(found.rows);
    json::object report{
        {"model", pipeline_->info().name}, {"layers", json::value_from(found.layers)},
        {"reason", found.reason},          {"pairs", chosen_on.size()},
        {"seed", options_.seed},           {"rows", to_json(found.rows)}};
    if (found.layers.empty()) {
      finish(report, found.reason + ": glyphward.json is left as it was");
      return ExitStatus::Found;
    }
    const bool built_in = options_.pairs_file.empty();
    if (built_in) {
      const auto held_out =
          measure(pairs(options_.pairs_count, 60, kHeldOutSeed), {found.layers}, found.from_step);
      if (!options_.json) {
        fmt::print("\nOn as many pairs that had no part in the choice:\n");
        print_table(held_out);
      }
      report["held_out"] = to_json(held_out);
    }
    write_sheet(chosen_on, found.layers, found.from_step);
    const std::string hash = model::layers_sha256(options_.model, found.layers);
    report["sha256"] = hash;
    const double from_share =
        static_cast<double>(found.from_step) / pipeline_->info().num_inference_steps;
    report["from_share"] = rounded(from_share);
    if (!options_.dry_run) write_profile(report, found.layers, from_share, hash);
    finish(report, fmt::format("\n{}.\nLayers: {}\n{}", found.reason, fmt::join(found.layers, ", "),
                               options_.dry_run
                                   ? "Nothing was written (--dry-run)."
                                   : "Written to " +
                                         (fs::path(options_.model) / "glyphward.json").string()));
    return ExitStatus::Ok;
  }

  // Does the profile belong to these weights, and do its layers still carry the word? Without a
  // profile: do the layers that the paper found in the published model of this shape carry it here?
  // If so they are written down, with these weights' hash.
  ExitStatus check() {
    const model::ModelInfo& info = pipeline_->info();
    const bool proposed = info.profile_state == "none" && !info.proposed_layers.empty();
    const std::vector<std::string>& layers =
        proposed ? info.proposed_layers : info.localized_layers;
    json::object report{{"model", info.name},
                        {"profile", info.profile_state},
                        {"proposed", proposed},
                        {"fits", false}};
    if (layers.empty()) {
      finish(report, info.name + ": no localized layers: " + info.profile_state);
      return ExitStatus::Found;
    }
    const std::vector<model::PromptPair> checked_on =
        pairs(options_.pairs_count, kCheckPairs, kHeldOutSeed);
    const int from_step = model::from_step(info.localized_from_share, info.num_inference_steps);
    const auto rows = measure(checked_on, {layers}, from_step);
    const double carried = rows.at(2).carried;
    const bool fits =
        rows.at(1).target_exact > 0 && carried >= model::LocalizeOptions{}.carry_share;
    write_sheet(checked_on, layers, from_step);
    if (!options_.json) print_table(rows);
    report["layers"] = json::value_from(layers);
    report["pairs"] = checked_on.size();
    report["seed"] = options_.seed;
    report["rows"] = to_json(rows);
    report["fits"] = fits;
    if (proposed && fits && !options_.dry_run) {
      report["reason"] = "the layers that the paper found in the published model, confirmed here";
      write_profile(report, layers, 0, model::layers_sha256(options_.model, layers));
    }
    finish(
        report,
        fmt::format("\n{}: {} read the other word in {:.0f} % of {} pairs, all layers in "
                    "{:.0f} % ({})",
                    info.name,
                    proposed ? "the paper's layers for a model of this shape"
                             : "the profile's hash fits these weights; its layers",
                    100 * rows.at(2).target_exact, checked_on.size(), 100 * rows.at(1).target_exact,
                    !fits                           ? "too few: localize again"
                    : proposed && !options_.dry_run ? "good: written to glyphward.json"
                                                    : "good"));
    return fits ? ExitStatus::Ok : ExitStatus::Found;
  }

  std::vector<model::PromptPair> pairs(int count, int otherwise, std::uint64_t seed_offset) const {
    const std::uint64_t seed = options_.seed + seed_offset;
    if (!options_.pairs_file.empty()) return read_pairs(options_.pairs_file, count, seed);
    return built_in_pairs(count > 0 ? count : otherwise, seed);
  }

  model::Scorer scorer() {
    return [this](const model::Image& image, const model::PromptPair& pair) {
      return score(ocr_->read(image), pair);
    };
  }

  model::LocalizationReport search(const std::vector<model::PromptPair>& pairs) {
    ProgressLine line;
    auto found = model::localize(*pipeline_, pairs, scorer(), {.layers_max = options_.layers_max},
                                 {}, shown_on(line));
    if (!found) fail(found.error());
    return *std::move(found);
  }

  std::vector<model::LayerSetResult> measure(const std::vector<model::PromptPair>& pairs,
                                             const std::vector<std::vector<std::string>>& sets,
                                             int from_step) {
    ProgressLine line;
    auto rows =
        model::measure_layer_sets(*pipeline_, pairs, scorer(), sets, from_step, {}, shown_on(line));
    if (!rows) fail(rows.error());
    return *std::move(rows);
  }

  void write_sheet(const std::vector<model::PromptPair>& pairs,
                   const std::vector<std::string>& layers, int from_step) {
    if (!options_.contact_sheet.empty()) {
      write_contact_sheet(*pipeline_, pairs, layers, from_step, options_.contact_sheet);
    }
  }

  // The rest of the file, the model's defaults, stays.
  void write_profile(const json::object& report, const std::vector<std::string>& layers,
                     double from_share, const std::string& hash) const {
    model::Profile profile = model::load_profile(options_.model);
    json::object evidence{{"by", "glyphward localize " GLYPHWARD_VERSION}, {"reader", "tesseract"}};
    for (const char* key : {"reason", "pairs", "seed", "rows", "held_out"}) {
      if (const json::value* value = report.if_contains(key)) evidence[key] = *value;
    }
    profile.localization = model::Localization{.layers = layers,
                                               .sha256 = hash,
                                               .evidence = std::move(evidence),
                                               .from_share = rounded(from_share)};
    model::save_profile(options_.model, profile);
  }

  void finish(const json::object& report, const std::string& summary) const {
    if (options_.json) {
      fmt::print("{}\n", json::serialize(report));
    } else {
      fmt::print("{}\n", summary);
    }
  }

  const LocalizeCommandOptions& options_;
  std::unique_ptr<guard::Ocr> ocr_;
  std::unique_ptr<model::Pipeline> pipeline_;
};

}  // namespace

void add_localize(Command& command) {
  auto options = std::make_shared<LocalizeCommandOptions>();
  command.option("MODEL", options->model, "A diffusers checkpoint folder")
      .required()
      .existing_folder();
  command.flag(
      "--check", options->check,
      "Only check that glyphward.json fits these weights and its layers still carry the word; "
      "without one, try the paper's layers for a model of this shape, and write them if they do");
  command
      .option("--pairs", options->pairs_file,
              "JSON Lines of source, target, source_word, target_word and, if wanted, form "
              "(default: pairs of English words in two forms)")
      .existing_file();
  command
      .option("--pairs-count", options->pairs_count,
              "How many pairs (default: 60, or the file's; 40 with --check)")
      .within(1, 10000);
  command.option("--seed", options->seed, "Of the pairs and their pictures (default: 0)");
  command.option("--layers-max", options->layers_max, "Largest set to try (default: no limit)")
      .within(1, 1000);
  command.option("--contact-sheet", options->contact_sheet,
                 "PNG of eight pairs: plain, all layers swapped, the localized ones swapped");
  command.option("--languages", options->languages,
                 "Tesseract's languages, joined by + (default: eng)");
  command.option("--device", options->device, "cpu or cuda (default: cpu)");
  command
      .option("--dtype", options->dtype, alternatives(model::dtype_names()) + " (default: float32)")
      .one_of(model::dtype_names());
  command.flag("--dry-run", options->dry_run, "Write no glyphward.json");
  command.flag("--json", options->json, "Print JSON");
  command.footer(
      "Each layer is given the other word alone, then sets grow by what the whole set reads.\n"
      "Exit status: 0 localized (or the profile fits), 1 no set carries the word (or it does not "
      "fit).");
  command.runs([options] { return LocalizeCommand(*options).run(); });
}

}  // namespace glyphward::daemon
