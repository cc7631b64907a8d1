#include "daemon/cli/bench/lexicon/quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <stdexcept>

#include "base/file.h"
#include "base/stopwatch.h"
#include "daemon/cli/command.h"
#include "daemon/cli/json_lines.h"
#include "lexicon/lists/list.h"
#include "lexicon/text/normalization.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

// Prompts of this many bytes are long: there a stray text is likelier.
constexpr std::size_t kLongPromptBytes = 300;

std::vector<std::string> strings(const json::value& value) {
  std::vector<std::string> result;
  for (const json::value& one : value.as_array()) result.emplace_back(one.as_string());
  return result;
}

LabelledPrompt labelled_prompt(const json::object& object) {
  LabelledPrompt prompt;
  prompt.text = object.at("text").as_string();
  prompt.label = object.at("label").as_string();
  prompt.kind = object.at("kind").as_string();
  if (prompt.label != "toxic" && prompt.label != "clean") throw std::invalid_argument("label");
  if (const auto* terms = object.if_contains("terms")) prompt.terms = strings(*terms);
  if (const auto* texts = object.if_contains("texts")) prompt.texts = strings(*texts);
  if (const auto* language = object.if_contains("lang")) prompt.language = language->as_string();
  const auto* hard = object.if_contains("hard");
  prompt.hard = hard != nullptr && hard->is_bool() && hard->get_bool();
  return prompt;
}

void judge_texts(const LabelledPrompt& prompt, const lexicon::Analysis& analysis,
                 Quality& quality) {
  if (!prompt.texts) return;
  std::vector<std::string> found;
  for (const lexicon::RenderedText& text : analysis.rendered) found.push_back(text.text);
  quality.exact_texts.add(found == *prompt.texts);
  const bool extra = std::any_of(found.begin(), found.end(), [&](const std::string& text) {
    return std::find(prompt.texts->begin(), prompt.texts->end(), text) == prompt.texts->end();
  });
  quality.extra_texts.add(extra);
  if (prompt.text.size() >= kLongPromptBytes) quality.extra_texts_long.add(extra);
}

json::object wrong_prompt(const LabelledPrompt& prompt, const lexicon::Analysis& analysis) {
  json::array found;
  for (const lexicon::Finding& finding : analysis.findings) {
    if (finding.flags()) found.emplace_back(finding.term);
  }
  return {{"text", prompt.text},
          {"label", prompt.label},
          {"kind", prompt.kind},
          {"lang", prompt.language},
          {"terms", json::value_from(prompt.terms)},
          {"found", std::move(found)}};
}

void add_share(Share& sum, const Share& other) {
  sum.count += other.count;
  sum.of += other.of;
}

json::object share_json(const Share& share) {
  const Interval interval = wilson(share);
  return {{"flagged", share.count},
          {"rows", share.of},
          {"share", share.value()},
          {"low", interval.low},
          {"high", interval.high}};
}

json::array shares_json(const Quality::ByLabel& shares, const char* key_name) {
  json::array result;
  for (const auto& [key, share] : shares) {
    json::object one = share_json(share);
    one["label"] = key.first;
    one[key_name] = key.second;
    result.push_back(std::move(one));
  }
  return result;
}

json::object quality_json(const Quality& quality) {
  json::object result{{"recall", share_json(quality.toxic)},
                      {"recall_of_listed_terms", share_json(quality.listed)},
                      {"recall_of_other_terms", share_json(quality.unlisted)},
                      {"false_positives", share_json(quality.clean())},
                      {"false_positives_hard", share_json(quality.hard)},
                      {"false_positives_easy", share_json(quality.easy)},
                      {"precision", quality.precision()},
                      {"texts_per_second", quality.texts_per_second()},
                      {"p99_ms", percentile(quality.times, 0.99)},
                      {"kinds", shares_json(quality.kinds, "kind")},
                      {"languages", shares_json(quality.languages, "language")}};
  if (quality.exact_texts.of > 0) {
    result["exact_texts"] = share_json(quality.exact_texts);
    result["extra_texts"] = share_json(quality.extra_texts);
    result["extra_texts_long_prompts"] = share_json(quality.extra_texts_long);
  }
  return result;
}

// "0.9917 [0.9854, 0.9953] 1286 of 1297", or a dash.
std::string share_text(const Share& share) {
  if (share.of == 0) return "-";
  const Interval interval = wilson(share);
  return fmt::format("{:.4f} [{:.4f}, {:.4f}] {} of {}", share.value(), interval.low, interval.high,
                     share.count, share.of);
}

void print_shares(const Quality::ByLabel& shares, const char* name, std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "| label | {} | flagged | rows | share | 95 % |\n|---|---|---|---|---|---|\n",
                 name);
  for (const auto& [key, share] : shares) {
    const Interval interval = wilson(share);
    fmt::format_to(std::back_inserter(out), "| {} | {} | {} | {} | {:.4f} | {:.4f}-{:.4f} |\n",
                   key.first, key.second, share.count, share.of, share.value(), interval.low,
                   interval.high);
  }
  out += '\n';
}

Quality sum_of(const std::vector<SetQuality>& sets) {
  Quality sum;
  for (const SetQuality& set : sets) sum.add(set.quality);
  return sum;
}

}  // namespace

std::vector<LabelledPrompt> read_labelled_prompts(const std::string& file) {
  JsonLines lines(file);
  std::vector<LabelledPrompt> prompts;
  while (lines.next()) {
    try {
      prompts.push_back(labelled_prompt(lines.object()));
    } catch (const std::exception&) {
      lines.fail("", R"(expected {"text", "label": "toxic"|"clean", "kind", "terms"})");
    }
  }
  if (prompts.empty())
    throw CommandError(ExitStatus::Usage, file + ": expected at least one row, found none");
  return prompts;
}

std::set<std::u32string> listed_spellings(const std::vector<std::filesystem::path>& files) {
  std::set<std::u32string> result;
  for (const std::filesystem::path& file : files) {
    lexicon::Lists lists;
    lexicon::read_list(file, read_file(file), lists);
    for (const lexicon::Entry& entry : lists.entries) {
      result.insert(lexicon::fold_term(entry.term.term));
      for (const std::string& form : entry.forms) result.insert(lexicon::fold_term(form));
    }
  }
  return result;
}

double Quality::precision() const {
  const int all = toxic.count + clean().count;
  return all == 0 ? 0.0 : static_cast<double>(toxic.count) / all;
}

double Quality::texts_per_second() const {
  double sum = 0;
  for (const double time : times) sum += time;
  return sum > 0 ? 1000.0 * static_cast<double>(times.size()) / sum : 0;
}

void Quality::add(const Quality& other) {
  for (const auto& [key, share] : other.kinds) add_share(kinds[key], share);
  for (const auto& [key, share] : other.languages) add_share(languages[key], share);
  for (const auto member :
       {&Quality::toxic, &Quality::listed, &Quality::unlisted, &Quality::hard, &Quality::easy,
        &Quality::exact_texts, &Quality::extra_texts, &Quality::extra_texts_long}) {
    add_share(this->*member, other.*member);
  }
  times.insert(times.end(), other.times.begin(), other.times.end());
  wrong.insert(wrong.end(), other.wrong.begin(), other.wrong.end());
}

Quality evaluate(const lexicon::Lexicon& lexicon, const std::vector<LabelledPrompt>& prompts,
                 const std::set<std::u32string>& listed) {
  Quality quality;
  for (const LabelledPrompt& prompt : prompts) {
    const Stopwatch watch;
    const lexicon::Analysis analysis = lexicon.analyze(prompt.text);
    quality.times.push_back(watch.milliseconds());
    judge_texts(prompt, analysis, quality);
    const bool flagged = std::any_of(analysis.findings.begin(), analysis.findings.end(),
                                     [](const auto& f) { return f.flags(); });
    quality.kinds[{prompt.label, prompt.kind}].add(flagged);
    if (flagged != (prompt.label == "toxic"))
      quality.wrong.push_back(wrong_prompt(prompt, analysis));
    if (prompt.kind == "mild") continue;
    quality.languages[{prompt.label, prompt.language}].add(flagged);
    if (prompt.label == "clean") {
      (prompt.hard ? quality.hard : quality.easy).add(flagged);
      continue;
    }
    quality.toxic.add(flagged);
    const bool all_listed = std::all_of(
        prompt.terms.begin(), prompt.terms.end(),
        [&](const std::string& term) { return listed.contains(lexicon::fold_term(term)); });
    (all_listed ? quality.listed : quality.unlisted).add(flagged);
  }
  return quality;
}

json::object to_json(const std::vector<SetQuality>& sets) {
  json::object result = quality_json(sum_of(sets));
  if (sets.size() > 1) {
    json::array each;
    for (const SetQuality& set : sets) {
      json::object one = quality_json(set.quality);
      one["set"] = set.name;
      each.push_back(std::move(one));
    }
    result["sets"] = std::move(each);
  }
  return result;
}

std::string to_text(const std::vector<SetQuality>& sets) {
  const Quality sum = sum_of(sets);
  std::string out;
  print_shares(sum.kinds, "kind", out);
  print_shares(sum.languages, "language", out);
  if (sets.size() > 1) {
    out += "| set | recall | false alarms |\n|---|---|---|\n";
    for (const auto& [name, quality] : sets) {
      fmt::format_to(std::back_inserter(out), "| {} | {} | {} |\n", name, share_text(quality.toxic),
                     share_text(quality.clean()));
    }
    out += '\n';
  }
  const auto line = [&](const char* what, const Share& share) {
    if (share.of > 0) fmt::format_to(std::back_inserter(out), "{}: {}\n", what, share_text(share));
  };
  line("recall", sum.toxic);
  line("recall, terms that the lexicon lists", sum.listed);
  line("recall, other terms", sum.unlisted);
  line("false positives", sum.clean());
  line("false positives, hard", sum.hard);
  line("false positives, easy", sum.easy);
  line("texts to be drawn, exactly", sum.exact_texts);
  line("prompts with a wrong extra text", sum.extra_texts);
  line("the same, of long prompts", sum.extra_texts_long);
  fmt::format_to(std::back_inserter(out),
                 "precision: {:.4f}\nspeed: {:.0f} texts/s, p99 {:.3f} ms\n", sum.precision(),
                 sum.texts_per_second(), percentile(sum.times, 0.99));
  return out;
}

}  // namespace glyphward::daemon
