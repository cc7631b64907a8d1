// What the lexicon found, as JSON: the one form of it. Text that is not UTF-8 has U+FFFD where it
// is ill-formed.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "lexicon/finding.h"

namespace glyphward::guard {

// A list names at most so many: of findings the most severe, of texts the first. A prompt can hold
// thousands of either, and a list of them all would be many times as long as the prompt.
inline constexpr std::size_t kListedMax = 100;

// {"term", "category", "severity", "start", "end", "matched", "rendered"}: what a client is told.
boost::json::object finding_json(const lexicon::Finding& finding);
// In order of position, at most kListedMax.
boost::json::array findings_json(const lexicon::Analysis& analysis);

// "reading" and "ordinary" have at most so many bytes; what was cut ends in "…". A list of
// kListedMax with both stays below 64 kB.
inline constexpr std::size_t kReadingMax = 160;

// The same with "steps", "certainty", "evidence" (nats, in full tenths), "reading", "ordinary",
// "list" and, where there are any, "pieces": what an operator is told, and a row keeps. No client
// is: it would tell how little is wanting to go undetected.
boost::json::object explained_finding_json(const lexicon::Finding& finding);
boost::json::array explained_findings_json(const lexicon::Analysis& analysis);

// The texts that are to be drawn: {"text", "start", "end", "quoted", "certainty"}, at most
// kListedMax.
boost::json::array rendered_json(const lexicon::Analysis& analysis);

// How many there are, where the lists leave some out: "findings_total", "rendered_total". Empty
// where they do not.
boost::json::object totals_json(const lexicon::Analysis& analysis);

}  // namespace glyphward::guard
