#include "guard/audit/record.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

#include "guard/audit/columns.h"

namespace glyphward::guard {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::Answered:
      return "answered";
    case Outcome::Refused:
      return "refused";
    case Outcome::Cancelled:
      return "cancelled";
    case Outcome::Failed:
      return "failed";
  }
  return "";
}

boost::json::object to_json(const Record& record) {
  boost::json::object object;
  for_each_column([&](const Column& column) {
    std::visit(
        [&](auto member) {
          std::string name = column.name;
          if constexpr (std::is_same_v<std::decay_t<decltype(record.*member)>, std::string>) {
            boost::system::error_code error;
            boost::json::value value(record.*member);
            if (name.ends_with("_json")) {
              name.resize(name.size() - std::strlen("_json"));
              boost::json::value parsed = boost::json::parse(record.*member, error);
              if (!error) value = std::move(parsed);
              if ((record.*member).empty()) value = nullptr;
            }
            object[name] = std::move(value);
          } else {
            object[name] = record.*member;
          }
        },
        column.member);
  });
  return object;
}

}  // namespace glyphward::guard
