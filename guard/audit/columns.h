// The columns of the table `decisions`: the one list from which the schema, the statements, the
// hash (guard/audit/chain.h) and the JSON of a row are made. Columns, their order and their types
// are part of what is hashed: another list has another schema version.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "guard/audit/record.h"

namespace glyphward::guard {

inline constexpr int kSchemaVersion = 1;

// The columns, in the order in which they are stored and hashed. previous_hash, hash and mac follow
// them.
struct Column {
  const char* name;
  std::variant<std::int64_t Record::*, std::string Record::*, bool Record::*> member;
};
inline constexpr Column kColumns[] = {
    {"sequence", &Record::sequence},
    {"time_ms", &Record::time_ms},
    {"request_id", &Record::request_id},
    {"client", &Record::client},
    {"endpoint", &Record::endpoint},
    {"prompt", &Record::prompt},
    {"negative_prompt", &Record::negative_prompt},
    {"rendered_json", &Record::rendered_json},
    {"findings_json", &Record::findings_json},
    {"policy_revision", &Record::policy_revision},
    {"rule", &Record::rule},
    {"action", &Record::action},
    {"sanitized_prompt", &Record::sanitized_prompt},
    {"model", &Record::model},
    {"weights_sha256", &Record::weights_sha256},
    {"parameters_json", &Record::parameters_json},
    {"route", &Record::route},
    {"ocr_reading", &Record::ocr_reading},
    {"escalations_json", &Record::escalations_json},
    {"outcome", &Record::outcome},
    {"reason", &Record::reason},
    {"image_sha256", &Record::image_sha256},
    {"open_for_review", &Record::open_for_review},
    {"timings_json", &Record::timings_json},
};
inline constexpr Column kChainColumns[] = {
    {"previous_hash", &Record::previous_hash},
    {"hash", &Record::hash},
    {"mac", &Record::mac},
};

template <typename Visitor>
void for_each_column(const Visitor& visit) {
  for (const Column& column : kColumns) visit(column);
  for (const Column& column : kChainColumns) visit(column);
}

}  // namespace glyphward::guard
