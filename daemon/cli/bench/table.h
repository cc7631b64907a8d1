// The table of `glyphward bench bundled`: what was counted, as JSON and as text.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/cli/measure.h"
#include "model/pipeline.h"

namespace glyphward::daemon {

struct SpeedRow {
  double seconds_a_picture = 0;  // median, one at a time
  int pictures = 0;              // that were timed
  int threads = 0;
  double peak_mib = 0;  // resident, before any reader was loaded
};

// A set of pictures, as one reader reads them.
struct SetRow {
  std::string set;
  std::string reader;
  Share rendered;  // the rendered counterpart is read exactly
  Share exact;     // the picture is
  Share paired;    // the picture is, of those whose rendered counterpart is
};

// Other words given to layers of one sort.
struct SwapRow {
  Share all;               // all layers make it the word that is read, of the pairs
  Share localized;         // the profile's layers do, of the pairs in which all layers do
  double outside_all = 0;  // squared difference to the plain picture outside the text
  double outside_localized = 0;
  int without_box = 0;  // of the pairs, with the profile's layers
  double kept() const { return outside_all > 0 ? outside_localized / outside_all : 0; }
};

struct LocalizationTable {
  std::vector<std::string> layers;  // the profile's
  std::size_t layers_of = 0;        // the model's
  std::string reader;
  SwapRow row;
};

struct ModeRow {
  std::string mode;  // "paper", "shared", "side"
  SwapRow swap;
  double step_seconds = 0;  // median, the profile's layers swapped
};

struct ModesTable {
  std::vector<ModeRow> rows;
  double plain_step_seconds = 0;
};

struct GuardedTable {
  int prompts = 0;
  std::map<std::string, int> routes;       // by which the pictures left; "refused"
  std::map<std::string, Share> unguarded;  // by reader: the toxic word shows, of the prompts
  std::map<std::string, Share> readable;   // the same in what left, of what left
  std::map<std::string, Share> sanitized;  // the sanitized text is read exactly, of what left
  std::vector<std::string> leaked;         // ids of what any reader read in what left
  std::vector<std::string> misread;        // ids whose sanitized text some reader does not read
  int localized() const;                   // left by the localized route alone
};

struct CleanTable {
  int prompts = 0;
  Share leave;
  Share equal;                      // bit for bit to the unguarded picture, of the prompts
  std::vector<std::string> others;  // ids
};

struct BundledTable {
  model::ModelInfo model;
  SpeedRow speed;
  std::vector<SetRow> sets;
  std::optional<LocalizationTable> localization;
  // Why there are no such rows, and what to do; empty if not asked for.
  std::string no_localization;
  std::optional<ModesTable> modes;
  std::string no_modes;
  std::optional<GuardedTable> guarded;
  std::optional<CleanTable> clean;
};

boost::json::object to_json(const BundledTable& table);
std::string to_text(const BundledTable& table);

}  // namespace glyphward::daemon
