#include "policy/policy.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/config_error.h"
#include "policy/digest.h"
#include "policy/rules.h"
#include "policy/substitution.h"

namespace glyphward::policy {
namespace {

// Changes with any change of what is decided.
constexpr std::string_view kVersion = "policy 1";

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool has_step(const lexicon::Finding& finding, std::string_view step) {
  return std::find(finding.steps.begin(), finding.steps.end(), step) != finding.steps.end();
}

class PolicyImpl : public Policy {
 public:
  PolicyImpl(const std::filesystem::path& file, PolicyFile policy)
      : file_(std::move(policy)), lexicon_(lexicon::Lexicon::load(file_.lexicons)) {
    std::string words;
    if (!file_.words.empty()) {
      words = read_text(file_.words);
      words_.emplace(file_.words, words, file_.length_min, file_.length_max);
    }
    revision_ = digest_hex({kVersion, file_.content, words, lexicon_->revision()});
    check_words(file);
  }

  Decision decide(std::string_view prompt, const lexicon::Analysis& analysis) const override {
    Decision decision;
    decision.action = file_.default_action;
    decision.rule = "default";
    decision.sanitized_prompt = std::string(prompt);
    std::vector<const Rule*> deciding;
    for (const lexicon::Finding& finding : analysis.findings) {
      decision.flagged = decision.flagged || (finding.rendered && finding.severity >= 2);
      const Rule* rule = first_match(finding, &decision);
      deciding.push_back(rule);
      if (rule != nullptr && rule->action > decision.action) {
        decision.action = rule->action;
        decision.rule = rule->name;
      } else if (rule != nullptr && rule->action == decision.action && decision.rule == "default") {
        decision.rule = rule->name;
      }
    }
    if (decision.action == Action::Substitute) substitute(prompt, analysis, deciding, decision);
    if (decision.action == Action::Allow) {
      for (const lexicon::RenderedText& text : analysis.rendered)
        decision.allowed_texts.push_back(text.text);
    }
    return decision;
  }

  const lexicon::Lexicon& lexicon() const override { return *lexicon_; }
  const Verification& verification() const override { return file_.verification; }
  const std::string& revision() const override { return revision_; }

 private:
  struct Replacement {
    Range range;
    std::string to;
  };

  // A word that the lexicon finds would never give a clean prompt: better said at the start than
  // for each request.
  void check_words(const std::filesystem::path& file) const {
    const auto check = [&](const std::filesystem::path& where, const std::string& word) {
      const std::vector<lexicon::Finding> findings = lexicon_->find(word);
      if (findings.empty()) return;
      throw ConfigError(where, 0, "",
                        "expected harmless words, found '" + word +
                            "', which the lexicon lists as " + findings.front().category);
    };
    if (words_) {
      for (const std::string& word : words_->all()) check(file_.words, word);
    }
    for (const Rule& rule : file_.rules) {
      if (!rule.substitute.word.empty()) check(file, rule.substitute.word);
      for (const auto& [category, word] : rule.substitute.category) check(file, word);
    }
  }

  static bool matches(const Rule& rule, const lexicon::Finding& finding) {
    return (finding.rendered || rule.anywhere) && finding.severity >= rule.severity_min &&
           finding.severity <= rule.severity_max && contains(rule.categories, finding.category) &&
           contains(rule.terms, finding.term) && contains(rule.languages, finding.language);
  }

  // The first rule that matches and is not only observing; those observing on the way are noted.
  const Rule* first_match(const lexicon::Finding& finding, Decision* decision) const {
    for (const Rule& rule : file_.rules) {
      if (!matches(rule, finding)) continue;
      if (!rule.observe) return &rule;
      const bool noted =
          std::any_of(decision->observations.begin(), decision->observations.end(),
                      [&](const Observation& seen) { return seen.rule == rule.name; });
      if (!noted) decision->observations.push_back({rule.name, rule.action});
    }
    return nullptr;
  }

  std::string word_for(const Rule& rule, const lexicon::Finding& finding, std::string_view prompt,
                       std::string_view from, std::size_t piece) const {
    const Substitute& how = rule.substitute;
    std::string word;
    if (how.strategy == Strategy::Fixed) {
      word = how.word;
    } else if (how.strategy == Strategy::Category) {
      const auto it = how.category.find(finding.category);
      word = it != how.category.end() ? it->second : how.word;
    }
    if (word.empty()) {
      // The word depends on the term, so the same term in a prompt becomes the same word wherever
      // it stands.
      const std::string seed = digest_hex({revision_, prompt, finding.term, std::to_string(piece)});
      word = words_->pick(count_letters(from), seed);
    }
    return like_case(word, from);
  }

  // One replacement for each finding, and one for each quote or line that it was put together from.
  void add_replacements(std::string_view prompt, const lexicon::Finding& finding, const Rule& rule,
                        std::vector<Replacement>& out) const {
    std::vector<Range> ranges;
    if (!finding.pieces.empty()) {
      for (const auto& [start, end] : finding.pieces) ranges.push_back({start, end});
    } else if (has_step(finding, "acrostic")) {
      // One line less and the first letters spell nothing.
      ranges.push_back(whole_word(prompt, {finding.start, finding.start}));
    } else {
      ranges.push_back(whole_word(prompt, {finding.start, finding.end}));
    }
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const std::string_view from = prompt.substr(ranges[i].start, ranges[i].end - ranges[i].start);
      out.push_back({ranges[i], word_for(rule, finding, prompt, from, i)});
    }
  }

  static std::vector<Replacement> without_overlaps(std::vector<Replacement> replacements) {
    std::stable_sort(replacements.begin(), replacements.end(),
                     [](const Replacement& a, const Replacement& b) {
                       return a.range.start != b.range.start ? a.range.start < b.range.start
                                                             : a.range.end > b.range.end;
                     });
    std::vector<Replacement> result;
    for (Replacement& replacement : replacements) {
      if (!result.empty() && replacement.range.start < result.back().range.end) {
        result.back().range.end = std::max(result.back().range.end, replacement.range.end);
        continue;
      }
      result.push_back(std::move(replacement));
    }
    return result;
  }

  static std::string apply(std::string_view prompt, const std::vector<Replacement>& replacements) {
    std::string result;
    std::size_t at = 0;
    for (const Replacement& replacement : replacements) {
      result.append(prompt.substr(at, replacement.range.start - at));
      result.append(replacement.to);
      at = replacement.range.end;
    }
    result.append(prompt.substr(at));
    return result;
  }

  // Clean: no rule would act on it, and no term that was replaced stands in it any more.
  bool clean(const lexicon::Analysis& analysis, const std::set<std::string>& replaced) const {
    Decision ignored;
    return std::all_of(analysis.findings.begin(), analysis.findings.end(),
                       [&](const lexicon::Finding& finding) {
                         const Rule* rule = first_match(finding, &ignored);
                         return !replaced.contains(finding.term) &&
                                (rule == nullptr || rule->action == Action::Allow);
                       });
  }

  void substitute(std::string_view prompt, const lexicon::Analysis& analysis,
                  const std::vector<const Rule*>& deciding, Decision& decision) const {
    std::set<std::string> replaced;
    const Rule* any = nullptr;
    for (std::size_t i = 0; i < deciding.size(); ++i) {
      if (deciding[i] == nullptr || deciding[i]->action != Action::Substitute) continue;
      replaced.insert(analysis.findings[i].term);
      any = any == nullptr ? deciding[i] : any;
    }
    std::vector<Replacement> words;
    std::vector<Replacement> texts;
    for (std::size_t i = 0; i < deciding.size() && any != nullptr; ++i) {
      const lexicon::Finding& finding = analysis.findings[i];
      const bool acts = deciding[i] != nullptr && deciding[i]->action == Action::Substitute;
      // The same term elsewhere goes too: the sanitized prompt must not hold it.
      if (!acts && !replaced.contains(finding.term)) continue;
      const Rule& rule = acts ? *deciding[i] : *any;
      add_replacements(prompt, finding, rule, words);
      add_text_replacement(prompt, analysis, finding, rule, texts);
    }
    for (std::vector<Replacement>* candidate : {&words, &texts}) {
      const std::vector<Replacement> replacements = without_overlaps(*candidate);
      std::string sanitized = apply(prompt, replacements);
      const lexicon::Analysis result = lexicon_->analyze(sanitized);
      if (replacements.empty() || !clean(result, replaced)) continue;
      decision.sanitized_prompt = std::move(sanitized);
      for (const Replacement& replacement : replacements) {
        const Range range = replacement.range;
        decision.substitutions.push_back(
            {range.start, range.end,
             std::string(prompt.substr(range.start, range.end - range.start)), replacement.to});
      }
      for (const lexicon::RenderedText& text : result.rendered)
        decision.allowed_texts.push_back(text.text);
      return;
    }
    decision.action = Action::Block;
  }

  // The whole rendered texts that the finding touches; the finding alone where it is not rendered.
  void add_text_replacement(std::string_view prompt, const lexicon::Analysis& analysis,
                            const lexicon::Finding& finding, const Rule& rule,
                            std::vector<Replacement>& out) const {
    bool found = false;
    for (const lexicon::RenderedText& text : analysis.rendered) {
      if (text.end <= finding.start || text.start >= finding.end) continue;
      found = true;
      out.push_back(
          {{text.start, text.end}, word_for(rule, finding, prompt, text.text, out.size())});
    }
    if (!found) add_replacements(prompt, finding, rule, out);
  }

  PolicyFile file_;
  std::shared_ptr<const lexicon::Lexicon> lexicon_;
  std::optional<WordList> words_;
  std::string revision_;
};

}  // namespace

std::shared_ptr<const Policy> Policy::load(const std::filesystem::path& file) {
  return std::make_shared<PolicyImpl>(file, read_policy_file(file));
}

}  // namespace glyphward::policy
