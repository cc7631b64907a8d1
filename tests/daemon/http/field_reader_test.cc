#include "daemon/http/field_reader.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace glyphward::daemon {
namespace {

namespace json = boost::json;

TEST(KindOf, NamesEveryKindOfValue) {
  const std::pair<const char*, const char*> table[] = {
      {"null", "null"},         {"true", "a boolean"},
      {"-1", "a whole number"}, {"18446744073709551615", "a whole number"},
      {"1.5", "a number"},      {R"("a")", "a string"},
      {"[]", "an array"},       {"{}", "an object"}};
  for (const auto& [text, kind] : table) EXPECT_EQ(kind_of(json::parse(text)), kind) << text;
}

TEST(ParseObject, RefusesWhatIsNotOneObject) {
  for (const std::string& body :
       {std::string(""), std::string("hello"), std::string("{"), std::string("{} {}"),
        std::string("[1]"), std::string("null"), std::string(R"({"a": "\ud800"})"),
        "{\"a\": " + std::string(16, '[') + std::string(16, ']') + "}"}) {
    const auto object = parse_object(body);
    ASSERT_FALSE(object) << body;
    EXPECT_EQ(object.error().status, 400) << body;
    EXPECT_EQ(object.error().code, "invalid_json") << body;
    EXPECT_EQ(object.error().param, "") << body;
  }
  EXPECT_EQ(parse_object("[1]").error().message,
            "the body: expected a JSON object, found an array");
}

TEST(ParseObject, KeepsInvalidUtf8AndModerateDepth) {
  EXPECT_EQ(parse_object("{\"a\": \"\xFF\"}")->at("a"), json::value("\xFF"));
  EXPECT_TRUE(parse_object("{\"a\": " + std::string(15, '[') + std::string(15, ']') + "}"));
}

class FieldReaderTest : public ::testing::Test {
 protected:
  const json::object object_ =
      json::parse(R"({"text": "a", "none": null, "one": 1, "half": 0.5, "list": [],
                      "large": 2147483648})")
          .as_object();
  FieldReader reader_{object_};

  // What the reader says in the end, of the fields that the tests do not read too.
  ApiError fault() {
    for (const auto& [name, value] : object_) reader_.field(name);
    return reader_.finish().value_or(ApiError{});
  }
};

TEST_F(FieldReaderTest, ReadsFieldsOfTheirTypes) {
  std::string text;
  reader_.text("text", text);
  EXPECT_EQ(text, "a");
  EXPECT_EQ(reader_.whole("one"), 1);
  EXPECT_EQ(reader_.number("half"), 0.5);
  EXPECT_EQ(reader_.number("one"), 1.0);
  EXPECT_EQ(fault().message, "");
}

TEST_F(FieldReaderTest, TakesAbsentAndNullAlike) {
  for (const char* name : {"none", "absent"}) {
    std::string text = "before";
    reader_.text(name, text);
    EXPECT_EQ(text, "before");
    EXPECT_EQ(reader_.whole(name), std::nullopt);
    EXPECT_EQ(reader_.number(name), std::nullopt);
    EXPECT_EQ(reader_.field(name), nullptr);
  }
  EXPECT_EQ(fault().message, "");
}

TEST_F(FieldReaderTest, SaysWhichFieldIsRequired) {
  EXPECT_NE(reader_.required("text"), nullptr);
  EXPECT_EQ(reader_.required("none"), nullptr);
  EXPECT_EQ(fault().code, "missing_required_parameter");
  EXPECT_EQ(fault().param, "none");
  EXPECT_EQ(fault().message, "Missing required parameter: 'none'.");
}

TEST_F(FieldReaderTest, SaysWhatItExpectedAndFound) {
  EXPECT_EQ(reader_.whole("half"), std::nullopt);
  EXPECT_EQ(fault().code, "invalid_type");
  EXPECT_EQ(fault().param, "half");
  EXPECT_EQ(fault().message, "half: expected a whole number, found a number");
}

TEST_F(FieldReaderTest, BoundsWholeNumbers) {
  EXPECT_EQ(reader_.whole("large"), std::nullopt);
  EXPECT_EQ(fault().code, "invalid_value");
  EXPECT_EQ(fault().message, "large: expected a whole number from -2147483648 to 2147483647");
}

TEST_F(FieldReaderTest, KeepsTheFirstFault) {
  std::string text;
  reader_.text("list", text);
  reader_.number("text");
  reader_.fault(invalid("half", "is too small"));
  EXPECT_EQ(fault().message, "list: expected a string, found an array");
}

TEST_F(FieldReaderTest, NamesTheFirstFieldThatNobodyAskedForAndCutsItsName) {
  reader_.field("text");
  EXPECT_EQ(reader_.finish()->param, "none");
  const json::object long_name{{std::string(100, 'x'), 1}};
  FieldReader reader(long_name);
  const auto unknown = reader.finish();
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code, "unknown_parameter");
  EXPECT_EQ(unknown->param, std::string(64, 'x'));
}

}  // namespace
}  // namespace glyphward::daemon
