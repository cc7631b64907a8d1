#include "guard/finding_json.h"

#include "base/utf8.h"

namespace glyphward::guard {
namespace json = boost::json;

json::object finding_json(const lexicon::Finding& finding) {
  return {{"term", valid_utf8(finding.term)},
          {"category", finding.category},
          {"severity", finding.severity},
          {"start", finding.start},
          {"end", finding.end},
          {"matched", valid_utf8(finding.matched)},
          {"rendered", finding.rendered}};
}

json::array findings_json(const lexicon::Analysis& analysis) {
  json::array findings;
  for (const lexicon::Finding& finding : analysis.findings)
    findings.push_back(finding_json(finding));
  return findings;
}

json::object explained_finding_json(const lexicon::Finding& finding) {
  json::object object = finding_json(finding);
  object["steps"] = json::array(finding.steps.begin(), finding.steps.end());
  object["certainty"] = lexicon::name_of(finding.certainty);
  if (finding.pieces.empty()) return object;
  json::array pieces;
  for (const auto& [start, end] : finding.pieces) pieces.push_back(json::array{start, end});
  object["pieces"] = std::move(pieces);
  return object;
}

json::array explained_findings_json(const lexicon::Analysis& analysis) {
  json::array findings;
  for (const lexicon::Finding& finding : analysis.findings)
    findings.push_back(explained_finding_json(finding));
  return findings;
}

json::array rendered_json(const lexicon::Analysis& analysis) {
  json::array rendered;
  for (const lexicon::RenderedText& text : analysis.rendered)
    rendered.push_back(json::object{{"text", valid_utf8(text.text)},
                                    {"start", text.start},
                                    {"end", text.end},
                                    {"quoted", text.quoted},
                                    {"certainty", lexicon::name_of(text.certainty)}});
  return rendered;
}

}  // namespace glyphward::guard
