// A reply as JSON, as the HTTP API and `glyphward generate --json` give it. Pure; any number of
// threads.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>

namespace glyphward::guard {

struct Reply;

// {"request_id", "sequence", "action", "rule", "route", "reading", "policy_revision", "images"};
// images: one {"seed", "route", "reading"} per picture. `seed` is the first picture's, as the
// request had it.
boost::json::object reply_json(const Reply& reply, std::uint64_t seed);

}  // namespace glyphward::guard
