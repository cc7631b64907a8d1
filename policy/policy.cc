#include "policy/policy.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/config_error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "lexicon/language.h"
#include "lexicon/lists/list.h"
#include "policy/rules.h"
#include "policy/substitution.h"
#include "policy/toml/toml_reader.h"
#include "policy/word_list.h"

namespace glyphward::policy {
namespace {

// Changes with any change of what is decided.
constexpr std::string_view kVersion = "policy 5";

// Is there more in a list than comments and the line that names the fields?
bool has_rows(const std::string& content) {
  std::istringstream stream(content);
  int lines = 0;
  for (std::string line; lines < 2 && std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines += line.empty() || line.front() == '#' ? 0 : 1;
  }
  return lines == 2;
}

// A list that is declared optional counts where it is there and says something.
std::vector<std::filesystem::path> lists_of(const PolicyFile& policy) {
  std::vector<std::filesystem::path> lists = policy.lexicons;
  for (const std::filesystem::path& file : policy.optional_lexicons) {
    std::error_code error;
    if (std::filesystem::status(file, error).type() == std::filesystem::file_type::not_found)
      continue;
    if (has_rows(read_file(file))) lists.push_back(file);
  }
  return lists;
}

// What a ConfigError says, "FILE:LINE: MESSAGE", in its parts; `files` are those it may speak of.
Problem problem_of(const ConfigError& error, const std::vector<std::filesystem::path>& files) {
  const std::string text = error.what();
  for (const std::filesystem::path& file : files) {
    const std::string start = file.string() + ":";
    if (file.empty() || !text.starts_with(start)) continue;
    Problem problem{file, {}, "", text.substr(start.size())};
    const std::size_t digits = problem.message.find_first_not_of("0123456789");
    if (digits > 0 && digits < 10 && problem.message[digits] == ':') {
      problem.place.line = std::stoi(problem.message.substr(0, digits));
      problem.message.erase(0, digits + 1);
    }
    problem.message.erase(0, problem.message.find_first_not_of(' '));
    return problem;
  }
  return {{}, {}, "", text};
}

// The rendered text in which the finding begins, by its place in the list; their number if it
// begins in none.
std::size_t text_of(const lexicon::Finding& finding, const lexicon::Analysis& analysis) {
  const auto text = std::partition_point(
      analysis.rendered.begin(), analysis.rendered.end(),
      [&](const lexicon::RenderedText& other) { return other.end <= finding.start; });
  if (text == analysis.rendered.end() || text->start > finding.start)
    return analysis.rendered.size();
  return static_cast<std::size_t>(text - analysis.rendered.begin());
}

// The rendered texts that have more than kReplacedFindingsMax findings to be replaced.
std::set<std::size_t> crowded_texts(const lexicon::Analysis& analysis,
                                    const std::vector<const SubstitutionRules*>& rules) {
  std::map<std::size_t, std::size_t> counts;
  std::set<std::size_t> crowded;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i] == nullptr) continue;
    const std::size_t text = text_of(analysis.findings[i], analysis);
    if (text < analysis.rendered.size() && ++counts[text] > kReplacedFindingsMax)
      crowded.insert(text);
  }
  return crowded;
}

// Whether a substitute, with or without its neighbours, is part of anything found in the sanitized
// prompt, however mild, and whatever the rules do with it.
bool any_reads(const std::vector<Substitution>& substitutions, const lexicon::Analysis& sanitized) {
  std::size_t added = 0;
  std::size_t removed = 0;
  for (const Substitution& one : substitutions) {
    const std::size_t start = one.start + added - removed;
    const std::size_t end = start + one.to.size();
    added += one.to.size();
    removed += one.end - one.start;
    const auto next =
        std::partition_point(sanitized.findings.begin(), sanitized.findings.end(),
                             [&](const lexicon::Finding& finding) { return finding.start < end; });
    // Findings are in order of their starts and hardly overlap: the last that begins before the
    // word's end is the one that may reach into it.
    if (next != sanitized.findings.begin() && std::prev(next)->end > start) return true;
  }
  return false;
}

// The languages of the rendered texts, found once for all findings. The words that hold what is
// found are no evidence, endings included: of "bitches" no Spanish "es" is left.
std::vector<std::string> languages_of_texts(std::string_view prompt,
                                            const lexicon::Analysis& analysis) {
  std::string rest(prompt);
  const WordRuns words(prompt);
  const auto blank = [&](std::size_t start, std::size_t end) {
    const Range range = words.widened({start, end});
    std::fill(rest.begin() + static_cast<std::ptrdiff_t>(range.start),
              rest.begin() + static_cast<std::ptrdiff_t>(range.end), ' ');
  };
  for (const lexicon::Finding& finding : analysis.findings) {
    if (finding.pieces.empty()) blank(finding.start, finding.end);
    for (const auto& [start, end] : finding.pieces) blank(start, end);
  }
  std::vector<std::string> languages;
  languages.reserve(analysis.rendered.size());
  for (const lexicon::RenderedText& text : analysis.rendered)
    languages.emplace_back(
        lexicon::language_of(std::string_view(rest).substr(text.start, text.end - text.start)));
  return languages;
}

class PolicyImpl : public Policy {
 public:
  // Problems are added; with any, the policy is good for nothing but more of them.
  PolicyImpl(const std::filesystem::path& file, PolicyFile policy, std::vector<Problem>& problems)
      : file_(std::move(policy)) {
    std::string words;
    try {
      if (!file_.words.empty()) {
        words = read_file(file_.words);
        words_.emplace(file_.words, words, file_.length_min, file_.length_max);
      }
    } catch (const ConfigError& error) {
      add_problem(error, problems);
    }
    std::string pools;
    for (const Pool& pool : file_.pools) {
      if (pool.file.empty() != pool.words.empty()) pools += read_pool(file, pool, problems);
    }
    if (file_.lexicons.empty()) return;  // read_policy() has noted it
    try {
      lexicon_ = lexicon::Lexicon::load(lists_of(file_),
                                        {.own_categories = category_names(),
                                         .evidence_min = static_cast<float>(file_.evidence_min)});
    } catch (const ConfigError& error) {
      const std::vector<ConfigError> faults = faults_of_lists();
      for (const ConfigError& fault : faults) add_problem(fault, problems);
      if (faults.empty()) add_problem(error, problems);
      return;
    }
    revision_ =
        to_hex(sha256_of_chunks({kVersion, file_.content, words, pools, lexicon_->revision()}));
    check_words(file, problems);
    check_terms(file, problems);
  }

  Decision decide(std::string_view prompt, const lexicon::Analysis& analysis,
                  std::string_view tenant) const override {
    Decision decision;
    decision.action = file_.default_action;
    decision.rule = "default";
    decision.sanitized_prompt = std::string(prompt);
    std::vector<const Rule*> deciding;
    for (const lexicon::Finding& finding : analysis.findings) {
      decision.flagged = decision.flagged || finding.flags();
      const Rule* rule = first_match(finding, tenant, &decision);
      deciding.push_back(rule);
      if (rule != nullptr && rule->action > decision.action) {
        decision.action = rule->action;
        decision.rule = rule->name;
      } else if (rule != nullptr && rule->action == decision.action && decision.rule == "default") {
        decision.rule = rule->name;
      }
    }
    switch (decision.action) {
      case Action::Allow:
        for (const lexicon::RenderedText& text : analysis.rendered)
          decision.allowed_texts.push_back(text.text);
        break;
      case Action::Substitute:
        substitute(prompt, analysis, tenant, deciding, decision);
        break;
      case Action::Review:
      case Action::Block:
        break;  // no picture is made
    }
    return decision;
  }

  std::vector<FindingTrace> explain(const lexicon::Analysis& analysis,
                                    std::string_view tenant) const override {
    std::vector<FindingTrace> traces;
    for (const lexicon::Finding& finding : analysis.findings) {
      FindingTrace trace{{}, "default", file_.default_action};
      for (const Rule& rule : file_.rules) {
        trace.rules.push_back(
            {rule.name, rule.action, rule.observe, mismatch(rule, finding, tenant)});
        if (!trace.rules.back().mismatch.empty() || rule.observe) continue;
        trace.decided_by = rule.name;
        trace.action = rule.action;
        break;
      }
      traces.push_back(std::move(trace));
    }
    return traces;
  }

  const lexicon::Lexicon& lexicon() const override { return *lexicon_; }
  lexicon::Syntax syntax() const override { return file_.syntax; }
  const VerificationRules& verification() const override { return file_.verification; }
  const std::vector<OwnCategory>& own_categories() const override { return file_.own_categories; }
  const std::string& revision() const override { return revision_; }

  std::vector<Problem> remarks(const std::filesystem::path& file) const {
    return lexicon_ ? remarks_on(file, file_.rules, lexicon_->terms(), file_.evidence_min)
                    : std::vector<Problem>();
  }

 private:
  // The words of a pool, which are then in pools_; what they were read from, for the revision.
  std::string read_pool(const std::filesystem::path& policy, const Pool& pool,
                        std::vector<Problem>& problems) {
    std::string content;
    for (const std::string& word : pool.words) content += word + '\n';
    try {
      if (!pool.file.empty()) content = read_file(pool.file);
      pools_.emplace_back(
          &pool, WordList(pool.file.empty() ? policy : pool.file, content, file_.length_min,
                          file_.length_max, WordList::Lengths::Any));
    } catch (const ConfigError& error) {
      if (!pool.file.empty()) {
        add_problem(error, problems);
      } else {
        const std::string what = error.what();  // its line is that of the word, not the policy's
        problems.push_back({policy, pool.place, "pool.words", what.substr(what.find(": ") + 2)});
      }
    }
    return content;
  }

  // The pool of words for the finding; null: the list of [substitution]. It is of the language of
  // the text's other words; where they tell none, of the term's.
  const WordList* pool_for(const lexicon::Finding& finding, const std::string& shown) const {
    const std::string& language = shown.empty() ? finding.language : shown;
    const auto names = [](const std::vector<std::string>& list, const std::string& value) {
      return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
    };
    for (const auto& [pool, words] : pools_) {
      if (names(pool->languages, language) && names(pool->categories, finding.category))
        return &words;
    }
    return nullptr;
  }

  // Those of the policy's own.
  std::vector<std::string> category_names() const {
    std::vector<std::string> names;
    for (const OwnCategory& category : file_.own_categories) names.push_back(category.name);
    return names;
  }

  // All that is wrong with the lists, not the first only.
  std::vector<ConfigError> faults_of_lists() const {
    std::vector<ConfigError> faults;
    lexicon::Lists lists;
    lists.own_categories = category_names();
    for (const auto* files : {&file_.lexicons, &file_.optional_lexicons}) {
      for (const std::filesystem::path& file : *files) {
        const bool optional = files == &file_.optional_lexicons;
        std::error_code error;
        if (optional && !std::filesystem::exists(file, error)) continue;
        try {
          const std::string content = read_file(file);
          if (!optional || has_rows(content)) lexicon::read_list(file, content, lists, faults);
        } catch (const ConfigError& fault) {
          faults.push_back(fault);
        }
      }
    }
    return faults;
  }

  void add_problem(const ConfigError& error, std::vector<Problem>& problems) const {
    std::vector<std::filesystem::path> files = file_.lexicons;
    files.insert(files.end(), file_.optional_lexicons.begin(), file_.optional_lexicons.end());
    files.push_back(file_.words);
    for (const Pool& pool : file_.pools) files.push_back(pool.file);
    problems.push_back(problem_of(error, files));
  }

  // A word that the lexicon finds would never give a clean prompt: better said at the start than
  // for each request.
  void check_words(const std::filesystem::path& file, std::vector<Problem>& problems) const {
    const auto check = [&](const std::filesystem::path& where, Place place,
                           const std::string& word) {
      const std::vector<lexicon::Finding> findings = lexicon_->find(word);
      if (findings.empty()) return;
      problems.push_back({where, place, "",
                          "expected harmless words, found '" + word +
                              "', which the lexicon lists as " + findings.front().category});
    };
    if (words_) {
      for (const auto& [word, line] : words_->all()) check(file_.words, {line, 0}, word);
    }
    for (const auto& [pool, list] : pools_) {
      const bool inlined = pool->file.empty();
      for (const auto& [word, line] : list.all())
        check(inlined ? file : pool->file, inlined ? pool->place : Place{line, 0}, word);
    }
    for (const Rule& rule : file_.rules) {
      const SubstitutionRules& rules = rule.substitution;
      if (!rules.word.empty()) check(file, rules.place, rules.word);
      for (const auto& [category, word] : rules.category) check(file, rules.place, word);
    }
  }

  // A rule for a term that no list has would never match, and nobody would know.
  void check_terms(const std::filesystem::path& file, std::vector<Problem>& problems) const {
    if (file_.term_places.empty()) return;
    std::vector<std::string> known;
    for (const lexicon::Term& term : lexicon_->terms()) known.push_back(term.term);
    const std::set<std::string_view> set(known.begin(), known.end());
    std::size_t place = 0;
    for (const Rule& rule : file_.rules) {
      for (const std::string& term : rule.terms) {
        const Place at = file_.term_places[place++];
        if (set.contains(term)) continue;
        problems.push_back({file, at, "rule.terms",
                            "expected a term as the lexicons write it, found '" + term +
                                "', which none has" + suggestion(term, known)});
      }
    }
  }

  // The first rule that matches and is not only observing; those observing on the way are noted.
  const Rule* first_match(const lexicon::Finding& finding, std::string_view tenant,
                          Decision* decision) const {
    for (const Rule& rule : file_.rules) {
      if (!mismatch(rule, finding, tenant).empty()) continue;
      if (!rule.observe) return &rule;
      const bool noted =
          std::any_of(decision->observations.begin(), decision->observations.end(),
                      [&](const Observation& seen) { return seen.rule == rule.name; });
      if (!noted) decision->observations.push_back({rule.name, rule.action});
    }
    return nullptr;
  }

  // Clean: no rule would act on it, and it holds no term that was replaced.
  bool clean(const lexicon::Analysis& analysis, std::string_view tenant,
             const std::set<std::string>& replaced) const {
    Decision ignored;
    return std::all_of(analysis.findings.begin(), analysis.findings.end(),
                       [&](const lexicon::Finding& finding) {
                         const Rule* rule = first_match(finding, tenant, &ignored);
                         return !replaced.contains(finding.term) &&
                                (rule == nullptr || rule->action == Action::Allow);
                       });
  }

  // Of each finding the rules by which it is replaced, or null. The same term elsewhere goes too:
  // the sanitized prompt must not hold it. `replaced` gets the terms.
  std::vector<const SubstitutionRules*> replacements(const lexicon::Analysis& analysis,
                                                     const std::vector<const Rule*>& deciding,
                                                     std::set<std::string>& replaced) const {
    const SubstitutionRules* any = nullptr;
    std::vector<const SubstitutionRules*> rules(deciding.size());
    for (std::size_t i = 0; i < deciding.size(); ++i) {
      if (deciding[i] == nullptr || deciding[i]->action != Action::Substitute) continue;
      replaced.insert(analysis.findings[i].term);
      rules[i] = &deciding[i]->substitution;
      any = any == nullptr ? rules[i] : any;
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i] == nullptr && replaced.contains(analysis.findings[i].term)) rules[i] = any;
    }
    return rules;
  }

  // `deciding` has the rule that decides each finding, or null. Words are tried first, whole texts
  // after them; where neither gives a clean prompt, the action becomes Block.
  void substitute(std::string_view prompt, const lexicon::Analysis& analysis,
                  std::string_view tenant, const std::vector<const Rule*>& deciding,
                  Decision& decision) const {
    std::set<std::string> replaced;
    const auto rules = replacements(analysis, deciding, replaced);
    const std::set<std::size_t> crowded = crowded_texts(analysis, rules);
    std::vector<std::string> languages;
    if (!pools_.empty()) languages = languages_of_texts(prompt, analysis);
    languages.emplace_back();  // outside the texts
    // The substitutions of all findings that go: of their words, or of whole texts.
    const auto gather = [&](bool whole_texts, int attempt) {
      Substituter substituter(prompt, revision_, words_ ? &*words_ : nullptr, attempt);
      for (std::size_t i = 0; i < rules.size(); ++i) {
        const lexicon::Finding& finding = analysis.findings[i];
        if (rules[i] == nullptr) continue;
        const std::size_t text = text_of(finding, analysis);
        const WordList* pool = pools_.empty() ? nullptr : pool_for(finding, languages[text]);
        if (whole_texts || crowded.contains(text)) {
          substituter.add_texts(analysis.rendered, finding, *rules[i], pool);
        } else {
          substituter.add_words(finding, *rules[i], pool);
        }
      }
      return substituter.finish();
    };
    const auto works = [&](std::vector<Substitution> substitutions) {
      std::string sanitized = apply_substitutions(prompt, substitutions);
      const lexicon::Analysis result = lexicon_->analyze(sanitized, file_.syntax);
      if (substitutions.empty() || !clean(result, tenant, replaced) ||
          any_reads(substitutions, result))
        return false;
      decision.sanitized_prompt = std::move(sanitized);
      decision.substitutions = std::move(substitutions);
      for (const lexicon::RenderedText& text : result.rendered)
        decision.allowed_texts.push_back(text.text);
      return true;
    };
    // A word may make another reading with its neighbours: then others are tried.
    constexpr int kAttemptsMax = 4;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      if (!works(gather(false, attempt))) continue;
      if (!crowded.empty()) decision.note = "a text with too many findings was replaced as a whole";
      return;
    }
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      if (!works(gather(true, attempt))) continue;
      decision.note = "replacing words did not help; the whole rendered text was replaced";
      return;
    }
    decision.action = Action::Block;
    decision.note = "no replacement gives a clean prompt";
  }

  PolicyFile file_;
  std::shared_ptr<const lexicon::Lexicon> lexicon_;
  std::optional<WordList> words_;
  std::vector<std::pair<const Pool*, WordList>> pools_;  // of file_.pools, in their order
  std::string revision_;
};

}  // namespace

std::shared_ptr<const Policy> Policy::load(const std::filesystem::path& file) {
  std::vector<Problem> problems;
  PolicyFile rules = read_policy(file, read_file(file), problems);
  if (!problems.empty()) throw_first(problems);
  auto policy = std::make_shared<PolicyImpl>(file, std::move(rules), problems);
  if (!problems.empty()) throw_first(problems);
  return policy;
}

std::vector<Problem> Policy::check(const std::filesystem::path& file) {
  std::vector<Problem> problems;
  try {
    PolicyFile rules = read_policy(file, read_file(file), problems);
    const PolicyImpl policy(file, std::move(rules), problems);
    if (problems.empty()) problems = policy.remarks(file);
  } catch (const ConfigError& error) {
    problems.push_back(problem_of(error, {file}));
  }
  std::stable_sort(problems.begin(), problems.end(), [&](const Problem& a, const Problem& b) {
    if (a.file != b.file) return a.file == file;
    return a.place.line != b.place.line ? a.place.line < b.place.line
                                        : a.place.column < b.place.column;
  });
  return problems;
}

std::vector<std::filesystem::path> Policy::files(const std::filesystem::path& file) {
  std::vector<std::filesystem::path> files = {file};
  try {
    std::vector<Problem> ignored;
    const PolicyFile policy = read_policy(file, read_file(file), ignored);
    for (const auto* lists : {&policy.lexicons, &policy.optional_lexicons})
      files.insert(files.end(), lists->begin(), lists->end());
    if (!policy.words.empty()) files.push_back(policy.words);
    for (const Pool& pool : policy.pools) {
      if (!pool.file.empty()) files.push_back(pool.file);
    }
  } catch (const std::exception&) {
    // It cannot be read now; the file itself is all that is known.
  }
  return files;
}

}  // namespace glyphward::policy
