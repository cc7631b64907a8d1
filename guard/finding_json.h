// What the lexicon found, as JSON: the one form of it. Text that is not UTF-8 has U+FFFD where it
// is ill-formed.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "lexicon/finding.h"

namespace glyphward::guard {

// {"term", "category", "severity", "start", "end", "matched", "rendered"}: what a client is told.
boost::json::object finding_json(const lexicon::Finding& finding);
boost::json::array findings_json(const lexicon::Analysis& analysis);

// The same with "steps", "certainty" and, where there are any, "pieces": what an operator is told,
// and a row keeps.
boost::json::object explained_finding_json(const lexicon::Finding& finding);
boost::json::array explained_findings_json(const lexicon::Analysis& analysis);

// The texts that are to be drawn: {"text", "start", "end", "quoted", "certainty"}.
boost::json::array rendered_json(const lexicon::Analysis& analysis);

}  // namespace glyphward::guard
