#include "guard/finding_json.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace glyphward::guard {
namespace json = boost::json;

namespace {

// The findings that a list names, by their place, in order.
std::vector<std::size_t> listed(const std::vector<lexicon::Finding>& findings) {
  std::vector<std::size_t> places(findings.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (places.size() <= kListedMax) return places;
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return findings[a].severity > findings[b].severity;
  });
  places.resize(kListedMax);
  std::sort(places.begin(), places.end());
  return places;
}

// At most kReadingMax bytes, cut between characters.
std::string cut(const std::string& text) {
  static constexpr std::string_view kCut = "…";
  std::string whole = valid_utf8(text);
  if (whole.size() <= kReadingMax) return whole;
  std::size_t end = 0;
  for (std::size_t next = 0; next <= kReadingMax - kCut.size(); next_character(whole, next))
    end = next;
  whole.resize(end);
  whole += kCut;
  return whole;
}

}  // namespace

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
  for (const std::size_t place : listed(analysis.findings))
    findings.push_back(finding_json(analysis.findings[place]));
  return findings;
}

json::object explained_finding_json(const lexicon::Finding& finding) {
  json::object object = finding_json(finding);
  object["steps"] = json::array(finding.steps.begin(), finding.steps.end());
  object["certainty"] = lexicon::name_of(finding.certainty);
  object["evidence"] = finding.shown_evidence();
  object["reading"] = cut(finding.reading);
  object["ordinary"] = cut(finding.ordinary);
  if (!finding.list.empty()) object["list"] = valid_utf8(finding.list);
  if (finding.pieces.empty()) return object;
  json::array pieces;
  for (const auto& [start, end] : finding.pieces) pieces.push_back(json::array{start, end});
  object["pieces"] = std::move(pieces);
  return object;
}

json::array explained_findings_json(const lexicon::Analysis& analysis) {
  json::array findings;
  for (const std::size_t place : listed(analysis.findings))
    findings.push_back(explained_finding_json(analysis.findings[place]));
  return findings;
}

json::array rendered_json(const lexicon::Analysis& analysis) {
  json::array rendered;
  for (const lexicon::RenderedText& text : analysis.rendered) {
    if (rendered.size() == kListedMax) break;
    rendered.push_back(json::object{{"text", valid_utf8(text.text)},
                                    {"start", text.start},
                                    {"end", text.end},
                                    {"quoted", text.quoted},
                                    {"certainty", lexicon::name_of(text.certainty)}});
  }
  return rendered;
}

json::object totals_json(const lexicon::Analysis& analysis) {
  json::object totals;
  if (analysis.findings.size() > kListedMax) totals["findings_total"] = analysis.findings.size();
  if (analysis.rendered.size() > kListedMax) totals["rendered_total"] = analysis.rendered.size();
  return totals;
}

}  // namespace glyphward::guard
