#include "daemon/cli/bench/table.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <iterator>

namespace glyphward::daemon {
namespace {

namespace json = boost::json;

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

// ---- JSON --------------------------------------------------------------------------------------

json::object to_json(const Share& share) {
  return {{"count", share.count}, {"of", share.of}, {"share", rounded(share.value())}};
}

json::object to_json(const std::map<std::string, Share>& by_reader) {
  json::object object;
  for (const auto& [reader, share] : by_reader) object[reader] = to_json(share);
  return object;
}

json::array to_json(const std::vector<SetRow>& rows) {
  json::array array;
  for (const SetRow& row : rows) {
    array.push_back(json::object{{"set", row.set},
                                 {"reader", row.reader},
                                 {"pictures", row.exact.of},
                                 {"rendered_exact", to_json(row.rendered)},
                                 {"exact", to_json(row.exact)},
                                 {"paired", to_json(row.paired)}});
  }
  return array;
}

json::object to_json(const SwapRow& row) {
  return {{"all_layers", to_json(row.all)},       {"localized_layers", to_json(row.localized)},
          {"outside_mse_all", row.outside_all},   {"outside_mse_localized", row.outside_localized},
          {"outside_ratio", rounded(row.kept())}, {"pairs_without_box", row.without_box}};
}

json::object to_json(const LocalizationTable& table) {
  json::object object = to_json(table.row);
  object["layers"] = json::value_from(table.layers);
  object["layers_of"] = table.layers_of;
  object["reader"] = table.reader;
  return object;
}

json::object to_json(const ModesTable& table) {
  json::array rows;
  for (const ModeRow& row : table.rows) {
    json::object object = to_json(row.swap);
    object["mode"] = row.mode;
    object["step_seconds"] = rounded(row.step_seconds);
    rows.push_back(std::move(object));
  }
  return {{"plain_step_seconds", rounded(table.plain_step_seconds)}, {"rows", std::move(rows)}};
}

json::object to_json(const GuardedTable& table) {
  return {{"prompts", table.prompts},
          {"routes", json::value_from(table.routes)},
          {"localized", to_json(Share{table.localized(), table.prompts})},
          {"unguarded_toxic", to_json(table.unguarded)},
          {"released_toxic", to_json(table.readable)},
          {"released_toxic_ids", json::value_from(table.leaked)},
          {"sanitized_exact", to_json(table.sanitized)},
          {"sanitized_misread_ids", json::value_from(table.misread)}};
}

json::object to_json(const CleanTable& table) {
  return {{"prompts", table.prompts},
          {"leave", to_json(table.leave)},
          {"equal_to_unguarded", to_json(table.equal)},
          {"others", json::value_from(table.others)}};
}

// ---- Text --------------------------------------------------------------------------------------

using Out = std::back_insert_iterator<std::string>;

std::string percent(const Share& share) {
  return share.of == 0 ? "-" : fmt::format("{:.1f} %", 100 * share.value());
}

std::string counted(const Share& share) {
  return fmt::format("{} ({} of {})", percent(share), share.count, share.of);
}

void print(Out out, const std::vector<SetRow>& rows) {
  if (rows.empty()) return;
  fmt::format_to(out,
                 "\n| set | reader | pictures | rendered exact | exact | paired |\n"
                 "|---|---|---|---|---|---|\n");
  for (const SetRow& row : rows) {
    fmt::format_to(out, "| {} | {} | {} | {} | {} | {} |\n", row.set, row.reader, row.exact.of,
                   percent(row.rendered), percent(row.exact), counted(row.paired));
  }
}

void print(Out out, const LocalizationTable& table) {
  const SwapRow& row = table.row;
  fmt::format_to(out,
                 "\n| localization, read by {} | |\n|---|---|\n"
                 "| layers of the profile | {} of {} |\n"
                 "| all layers give the other word | {} |\n"
                 "| of those, the profile's layers do | {} |\n"
                 "| outside the text, the profile's over all | {:.3f} ({:.5f} over {:.5f}) |\n"
                 "| pairs without a box | {} |\n",
                 table.reader, table.layers.size(), table.layers_of, counted(row.all),
                 counted(row.localized), row.kept(), row.outside_localized, row.outside_all,
                 row.without_box);
}

void print(Out out, const ModesTable& table) {
  fmt::format_to(
      out,
      "\n| mode | all layers give the other word | of those, the profile's do | outside, "
      "the profile's over all | seconds a step |\n|---|---|---|---|---|\n"
      "| plain | | | | {:.4f} |\n",
      table.plain_step_seconds);
  for (const ModeRow& row : table.rows) {
    fmt::format_to(out, "| {} | {} | {} | {:.3f} | {:.4f} |\n", row.mode, counted(row.swap.all),
                   counted(row.swap.localized), row.swap.kept(), row.step_seconds);
  }
}

void print(Out out, const GuardedTable& table) {
  std::string routes;
  for (const auto& [route, count] : table.routes) {
    routes += fmt::format("{}{} {}", routes.empty() ? "" : ", ", count, route);
  }
  fmt::format_to(out,
                 "\n| {} toxic prompts | |\n|---|---|\n| routes | {} |\n"
                 "| leave by the localized route alone | {} |\n",
                 table.prompts, routes, counted({table.localized(), table.prompts}));
  for (const auto& [reader, unguarded] : table.unguarded) {
    fmt::format_to(out, "| toxic word shows unguarded, by {} | {} |\n", reader, counted(unguarded));
  }
  for (const auto& [reader, readable] : table.readable) {
    fmt::format_to(out, "| toxic word shows in what leaves, by {} | {} |\n", reader,
                   counted(readable));
  }
  for (const auto& [reader, sanitized] : table.sanitized) {
    fmt::format_to(out, "| sanitized text read exactly, by {} | {} |\n", reader,
                   counted(sanitized));
  }
}

void print(Out out, const CleanTable& table) {
  fmt::format_to(out,
                 "\n| {} clean prompts | |\n|---|---|\n| leave | {} |\n"
                 "| bit-equal to unguarded | {} |\n",
                 table.prompts, counted(table.leave), counted(table.equal));
}

}  // namespace

int GuardedTable::localized() const {
  const auto found = routes.find("localized");
  return found == routes.end() ? 0 : found->second;
}

json::object to_json(const BundledTable& table) {
  json::object object{{"model", table.model.name},
                      {"family", table.model.family},
                      {"weights_sha256", table.model.weights_sha256},
                      {"num_inference_steps", table.model.num_inference_steps},
                      {"guidance_scale", table.model.guidance_scale},
                      {"height", table.model.height},
                      {"width", table.model.width},
                      {"seconds_a_picture", rounded(table.speed.seconds_a_picture)},
                      {"threads", table.speed.threads},
                      {"peak_mib", std::round(table.speed.peak_mib)},
                      {"sets", to_json(table.sets)}};
  if (table.localization) object["localization"] = to_json(*table.localization);
  if (!table.no_localization.empty()) object["no_localization"] = table.no_localization;
  if (table.modes) object["modes"] = to_json(*table.modes);
  if (!table.no_modes.empty()) object["no_modes"] = table.no_modes;
  if (table.guarded) object["guarded"] = to_json(*table.guarded);
  if (table.clean) object["clean"] = to_json(*table.clean);
  return object;
}

std::string to_text(const BundledTable& table) {
  std::string text;
  const Out out(text);
  fmt::format_to(out,
                 "{}: {} x {} pixels, {} steps, guidance {}\n"
                 "{:.2f} s a picture on {} threads (median of {}), {:.0f} MiB resident at most\n",
                 table.model.name, table.model.width, table.model.height,
                 table.model.num_inference_steps, table.model.guidance_scale,
                 table.speed.seconds_a_picture, table.speed.threads, table.speed.pictures,
                 table.speed.peak_mib);
  print(out, table.sets);
  if (table.localization) print(out, *table.localization);
  if (!table.no_localization.empty()) fmt::format_to(out, "\n{}\n", table.no_localization);
  if (table.modes) print(out, *table.modes);
  if (!table.no_modes.empty()) fmt::format_to(out, "\n{}\n", table.no_modes);
  if (table.guarded) print(out, *table.guarded);
  if (table.clean) print(out, *table.clean);
  return text;
}

}  // namespace glyphward::daemon
