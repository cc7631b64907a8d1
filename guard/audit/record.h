// A row of the audit log, and what is asked of the log: plain values.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace glyphward::guard {

// How a request ended. Refused by policy or by verification; cancelled by whoever asked for it, or
// for the daemon's sake; failed where a part could not do its work.
enum class Outcome { Answered, Refused, Cancelled, Failed };

// All of them, in that order.
inline constexpr std::array kOutcomes = {Outcome::Answered, Outcome::Refused, Outcome::Cancelled,
                                         Outcome::Failed};

std::string_view to_string(Outcome outcome);  // "answered", "refused", "cancelled", "failed"

// One decision. Times in Unix milliseconds, durations in milliseconds. JSON members hold JSON text.
struct Record {
  std::int64_t sequence = 0;  // 1, 2, ...; given by append()
  std::int64_t time_ms = 0;
  std::string request_id;
  std::string client;    // peer credentials: "uid=1000 gid=1000 pid=4242"
  std::string endpoint;  // "/v1/images/generations", "/v1/moderations", "local"
  std::string prompt;
  std::string negative_prompt;
  std::string rendered_json;  // the extracted texts
  std::string findings_json;
  std::string policy_revision;
  std::string rule;
  std::string action;  // "allow", "substitute", "review", "block"
  std::string sanitized_prompt;
  std::string model;
  std::string weights_sha256;
  // num_inference_steps, guidance_scale, height, width, seeds, scheduler
  std::string parameters_json;
  std::string route;  // the strongest that a picture took (RouteName, guard/attempts.h); "none"
  std::string ocr_reading;
  std::string escalations_json;  // each step: route, reading, why it was not enough
  std::string outcome;           // an Outcome's name
  std::string reason;            // why, where outcome is not "answered"
  std::string image_sha256;      // of the PNG bytes that left, joined by ','
  bool open_for_review = false;
  std::string timings_json;
  // Given by append():
  std::string previous_hash;
  std::string hash;
  std::string mac;
};

// What walking the chain came to.
struct ChainCheck {
  bool intact = false;
  std::int64_t rows = 0;
  std::int64_t first_bad_sequence = 0;  // 0 if intact
  std::string message;                  // what is wrong, where; or what was checked
};

struct RecordFilter {
  std::string action;  // empty: any
  std::string outcome;
  bool open_for_review_only = false;
  std::int64_t before_sequence = 0;  // 0: from the newest
  int limit = 50;
  std::string endpoint;         // empty: any
  std::string route;            // empty: any
  std::string prompt_contains;  // in prompt or sanitized prompt, byte for byte; empty: any
  std::int64_t since_ms = 0;    // time_ms >= since_ms
  std::int64_t until_ms = 0;    // time_ms < until_ms; 0: no end
};

// For the command line, the admin socket and exports: every member under its own name, those that
// hold JSON text as JSON, without "_json" in their name.
boost::json::object to_json(const Record& record);

}  // namespace glyphward::guard
