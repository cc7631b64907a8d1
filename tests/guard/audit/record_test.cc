#include "guard/audit/record.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <set>

#include "tests/guard/audit/test_log.h"

namespace glyphward::guard {
namespace {

TEST(Record, JsonHoldsEveryMemberUnderItsName) {
  TemporaryDir dir;
  const Record record = fill(dir.path(), 1)[0];
  const boost::json::object json = to_json(record);
  EXPECT_EQ(json.size(), 27u);
  EXPECT_EQ(json.at("sequence").as_int64(), 1);
  EXPECT_FALSE(json.at("open_for_review").as_bool());
  EXPECT_EQ(json.at("rendered").as_array()[0].at("text").as_string(), "word");
  EXPECT_EQ(json.at("timings").at("total_ms").as_double(), 12.5);
  EXPECT_TRUE(json.at("escalations").is_null());
  EXPECT_EQ(json.at("hash").as_string(), record.hash);
}

TEST(Record, OutcomesHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (Outcome outcome : {Outcome::Answered, Outcome::Refused, Outcome::Cancelled, Outcome::Failed})
    names.insert(to_string(outcome));
  EXPECT_EQ(names, (std::set<std::string_view>{"answered", "cancelled", "failed", "refused"}));
}

}  // namespace
}  // namespace glyphward::guard
