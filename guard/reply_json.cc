#include "guard/reply_json.h"

#include <boost/json/array.hpp>

#include "guard/guard.h"

namespace glyphward::guard {
namespace json = boost::json;

json::object reply_json(const Reply& reply, std::uint64_t seed) {
  json::array images;
  for (const ReleasedImage& image : reply.images) {
    images.push_back(
        json::object{{"seed", seed++}, {"route", image.route}, {"reading", image.reading}});
  }
  const Record& record = reply.record;
  return {{"request_id", record.request_id},
          {"sequence", record.sequence},
          {"action", record.action},
          {"rule", record.rule},
          {"route", record.route},
          {"reading", record.ocr_reading},
          {"policy_revision", record.policy_revision},
          {"images", std::move(images)}};
}

}  // namespace glyphward::guard
