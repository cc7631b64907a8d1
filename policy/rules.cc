#include "policy/rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <set>

#include "lexicon/categories.h"
#include "policy/toml/toml_reader.h"

namespace glyphward::policy {
namespace {

const std::vector<std::string> kRoutes{kEscalationRoutes.begin(), kEscalationRoutes.end()};

// Does the action act on a finding's words? Then it is none for where there is no finding.
bool acts_on_words(Action action) {
  switch (action) {
    case Action::Substitute:
      return true;
    case Action::Allow:
    case Action::Review:
    case Action::Block:
      return false;
  }
  return false;
}

std::vector<Action> actions_without_finding() {
  std::vector<Action> actions;
  std::remove_copy_if(kActions.begin(), kActions.end(), std::back_inserter(actions), acts_on_words);
  return actions;
}

bool contains(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

// Those of categories.h and the policy's own.
std::vector<std::string> category_names(const PolicyFile& policy) {
  std::vector<std::string> names;
  names.reserve(lexicon::kCategories.size() + policy.own_categories.size());
  for (const lexicon::Category& category : lexicon::kCategories) names.emplace_back(category.name);
  for (const OwnCategory& category : policy.own_categories) names.push_back(category.name);
  return names;
}

// As short as it goes: "4", "5.2".
std::string decimal(double number) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), error == std::errc() ? end : text.data()};
}

// Whether the rule may match a finding of the term, wherever it is found and whose request it is.
bool agrees(const Rule& rule, const lexicon::Term& term) {
  return term.severity >= rule.severity_min && term.severity <= rule.severity_max &&
         contains(rule.categories, term.category) && contains(rule.terms, term.term) &&
         contains(rule.languages, term.language) && contains(rule.lists, term.list);
}

// The least that a finding of the rule has: what is drawn is at least likely to be.
lexicon::Certainty least_certainty(const Rule& rule) {
  return rule.anywhere ? rule.certainty_min
                       : std::max(rule.certainty_min, lexicon::Certainty::Likely);
}

// Whether the earlier rule decides wherever a finding of such a term is found, for every tenant of
// the later one. `margin`: the evidence that every finding has.
bool stands_before(const Rule& earlier, const Rule& later, double margin) {
  if (earlier.observe || (later.anywhere && !earlier.anywhere)) return false;
  if (earlier.evidence_min > std::max(later.evidence_min, margin)) return false;
  if (earlier.certainty_min > least_certainty(later)) return false;
  if (later.tenants.empty()) return earlier.tenants.empty();
  return std::all_of(later.tenants.begin(), later.tenants.end(),
                     [&](const std::string& tenant) { return contains(earlier.tenants, tenant); });
}

// Why the rule never matches; empty if it may.
std::string why_never(const std::vector<Rule>& rules, const Rule& rule,
                      const std::vector<lexicon::Term>& terms, double margin) {
  std::vector<const Rule*> before;
  for (const Rule* earlier = rules.data(); earlier != &rule; ++earlier) {
    if (stands_before(*earlier, rule, margin)) before.push_back(earlier);
  }
  std::set<const Rule*> deciding;
  bool any = false;
  for (const lexicon::Term& term : terms) {
    if (!agrees(rule, term)) continue;
    any = true;
    const auto first = std::find_if(before.begin(), before.end(),
                                    [&](const Rule* earlier) { return agrees(*earlier, term); });
    if (first == before.end()) return {};
    deciding.insert(*first);
  }
  if (!any) return "no term of the lists agrees with all that it names";
  std::vector<std::string> names;  // in the rules' order
  names.reserve(deciding.size());
  for (const Rule* earlier : deciding) names.push_back(earlier->name);
  return "what it would match is decided before it, by " + joined(names);
}

class RuleReader {
 public:
  RuleReader(TomlReader& toml, PolicyFile& policy) : toml_(toml), policy_(policy) {}

  void read() {
    const toml::table& root = toml_.root();
    toml_.check_keys(root,
                     {"lexicons", "optional_lexicons", "categories", "default_action", "syntax",
                      "evidence_min", "substitution", "pool", "rule", "verification"},
                     "");
    read_lexicons(root);
    if (const toml::table* table = toml_.table(root, "categories")) read_categories(*table);
    policy_.default_action =
        toml_.action(root, "default_action", actions_without_finding()).value_or(Action::Allow);
    read_syntax(root);
    policy_.evidence_min =
        toml_.real(root, "evidence_min", kMarginMin, kMarginMax).value_or(policy_.evidence_min);
    read_substitution(root);
    for (const toml::table* table : toml_.tables(root, "pool")) read_pool(*table);
    for (const toml::table* table : toml_.tables(root, "rule")) read_rule(*table);
    if (const toml::table* table = toml_.table(root, "verification")) read_verification(*table);
    const bool needs_words =
        std::any_of(policy_.rules.begin(), policy_.rules.end(),
                    [](const Rule& rule) { return acts_on_words(rule.action); });
    if (needs_words && policy_.words.empty()) {
      toml_.note_missing(root.source(), "substitution.words",
                         "expected a word list, which rules that substitute need; found none");
    }
  }

 private:
  std::filesystem::path beside(const std::string& name) const {
    return (toml_.file().parent_path() / name).lexically_normal();
  }

  void read_lexicons(const toml::table& root) {
    for (const auto& [name, place] : toml_.strings(root, "lexicons", {}))
      policy_.lexicons.push_back(beside(name));
    for (const auto& [name, place] : toml_.strings(root, "optional_lexicons", {}))
      policy_.optional_lexicons.push_back(beside(name));
    if (!root.contains("lexicons")) {
      toml_.note_missing(root.source(), "lexicons",
                         "expected at least one lexicon file, found none");
    }
  }

  void read_syntax(const toml::table& root) {
    const toml::node* node = root.get("syntax");
    if (node == nullptr) return;
    const auto name = toml_.choice(*node, "syntax", lexicon::syntax_names());
    for (const lexicon::NamedSyntax& named : lexicon::kSyntaxes) {
      if (name && named.name == *name) policy_.syntax = named.syntax;
    }
  }

  // A table's keys come in the order of their names.
  void read_categories(const toml::table& table) {
    std::vector<std::string> openai{lexicon::kOpenAiCategories.begin(),
                                    lexicon::kOpenAiCategories.end()};
    openai.emplace_back("none");
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (!lexicon::is_category_name(name)) {
        toml_.note(key.source(), "categories." + name,
                   "expected a name of " + std::string(lexicon::kCategoryForm));
      } else if (lexicon::find_category(name) != nullptr) {
        toml_.note(key.source(), "categories." + name, "is there already, for all policies");
      } else if (const auto under = toml_.choice(node, "categories." + name, openai)) {
        policy_.own_categories.push_back({name, *under});
      }
    }
  }

  void read_substitution(const toml::table& root) {
    const toml::table* table = toml_.table(root, "substitution");
    if (table == nullptr) return;
    toml_.check_keys(*table, {"strategy", "word", "category", "words", "length_min", "length_max"},
                     "substitution");
    substitution_ = read_substitution_rules(*table, substitution_);
    if (const auto words = toml_.text(*table, "words")) policy_.words = beside(*words);
    policy_.length_min =
        static_cast<std::size_t>(toml_.number(*table, "length_min", 3, 32).value_or(3));
    policy_.length_max =
        static_cast<std::size_t>(toml_.number(*table, "length_max", 3, 32).value_or(8));
    if (policy_.length_min > policy_.length_max) {
      toml_.note(table->source(), "substitution.length_min",
                 "expected at most length_max (" + std::to_string(policy_.length_max) +
                     "), found " + std::to_string(policy_.length_min));
    }
  }

  void read_pool(const toml::table& table) {
    toml_.check_keys(table, {"languages", "categories", "file", "words"}, "pool");
    Pool pool;
    pool.place = TomlReader::place_of(table.source());
    pool.languages = list(table, "languages", {});
    pool.categories = list(table, "categories", category_names(policy_));
    pool.words = list(table, "words", {});
    if (const auto file = toml_.text(table, "file")) pool.file = beside(*file);
    if (pool.file.empty() == pool.words.empty())
      toml_.note_missing(table.source(), "pool", "expected either a file or words");
    policy_.pools.push_back(std::move(pool));
  }

  SubstitutionRules read_substitution_rules(const toml::table& table, SubstitutionRules result) {
    if (const toml::node* node = table.get("strategy")) {
      const auto name = toml_.choice(*node, "strategy", {"harmless", "fixed", "category"});
      if (name) {
        result.strategy = *name == "harmless" ? Strategy::Harmless
                          : *name == "fixed"  ? Strategy::Fixed
                                              : Strategy::Category;
      }
    }
    if (const auto word = toml_.text(table, "word")) {
      result.word = *word;
      result.place = TomlReader::place_of(table.get("word")->source());
    }
    if (const toml::table* categories = toml_.table(table, "category")) {
      toml_.check_keys(*categories, category_names(policy_), "category");
      for (const auto& [key, node] : *categories) {
        if (const auto word = toml_.choice(node, key.str(), {}))
          result.category[std::string(key.str())] = *word;
      }
      result.place = TomlReader::place_of(categories->source());
    }
    if (result.strategy == Strategy::Fixed && result.word.empty()) {
      toml_.note_missing(table.source(), "word",
                         "expected the word that strategy \"fixed\" writes, found none");
    }
    if (result.strategy == Strategy::Category && result.category.empty()) {
      toml_.note_missing(table.source(), "category",
                         "expected a table of words by category for strategy \"category\", found "
                         "none");
    }
    return result;
  }

  std::vector<std::string> list(const toml::table& table, std::string_view key,
                                const std::vector<std::string>& known) {
    std::vector<std::string> values;
    for (auto& [value, place] : toml_.strings(table, key, known))
      values.push_back(std::move(value));
    return values;
  }

  void read_rule(const toml::table& table) {
    toml_.check_keys(table,
                     {"name", "categories", "terms", "languages", "tenants", "lists",
                      "severity_min", "severity_max", "evidence_min", "certainty_min", "where",
                      "action", "observe", "strategy", "word", "category"},
                     "rule");
    Rule rule;
    rule.place = TomlReader::place_of(table.source());
    read_name(table, rule);
    rule.categories = list(table, "categories", category_names(policy_));
    for (auto& [term, place] : toml_.strings(table, "terms", {})) {
      rule.terms.push_back(std::move(term));
      policy_.term_places.push_back(place);
    }
    rule.languages = list(table, "languages", {});
    read_tenants(table, rule);
    rule.lists = list(table, "lists", list_names());
    rule.severity_min = toml_.number(table, "severity_min", 0, lexicon::kSeverityMax).value_or(0);
    rule.severity_max = toml_.number(table, "severity_max", 0, lexicon::kSeverityMax)
                            .value_or(lexicon::kSeverityMax);
    if (rule.severity_min > rule.severity_max) {
      toml_.note(table.source(), "rule.severity_min",
                 "expected at most severity_max (" + std::to_string(rule.severity_max) +
                     "), found " + std::to_string(rule.severity_min));
    }
    rule.evidence_min = toml_.real(table, "evidence_min", 0, kMarginMax).value_or(0);
    read_certainty(table, rule);
    if (const toml::node* where = table.get("where")) {
      rule.anywhere = toml_.choice(*where, "where", {"rendered", "anywhere"}) == "anywhere";
    }
    rule.action = toml_.required_action(table, "action", kActions).value_or(Action::Block);
    rule.observe = toml_.boolean(table, "observe").value_or(false);
    rule.substitution = read_substitution_rules(table, substitution_);
    policy_.rules.push_back(std::move(rule));
  }

  std::vector<std::string> list_names() const {
    std::vector<std::string> names;
    for (const auto* files : {&policy_.lexicons, &policy_.optional_lexicons}) {
      for (const std::filesystem::path& file : *files) names.push_back(file.filename().string());
    }
    return names;
  }

  void read_certainty(const toml::table& table, Rule& rule) {
    const toml::node* node = table.get("certainty_min");
    if (node == nullptr) return;
    const std::vector<std::string> names{lexicon::kCertainties.begin(),
                                         lexicon::kCertainties.end()};
    const auto name = toml_.choice(*node, "certainty_min", names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (name == names[i]) rule.certainty_min = static_cast<lexicon::Certainty>(i);
    }
  }

  void read_name(const toml::table& table, Rule& rule) {
    rule.name = toml_.text(table, "name").value_or("");
    if (rule.name.empty()) {
      if (!table.contains("name") || table.get("name")->is_string())
        toml_.note_missing(table.source(), "rule.name", "expected a name, found none");
    } else if (rule.name == "default") {
      toml_.note(table.get("name")->source(), "rule.name",
                 "'default' is what a decision says where no rule matched");
    } else if (!names_.insert(rule.name).second) {
      toml_.note(table.get("name")->source(), "rule.name",
                 "'" + rule.name + "' is taken by another rule");
    }
  }

  void read_tenants(const toml::table& table, Rule& rule) {
    for (auto& [tenant, place] : toml_.strings(table, "tenants", {})) {
      if (!is_tenant(tenant)) {
        toml_.problems().push_back(
            {toml_.file(), place, "rule.tenants",
             "expected " + std::string(kTenantForm) + ", found '" + tenant + "'"});
      }
      rule.tenants.push_back(std::move(tenant));
    }
  }

  void read_verification(const toml::table& table) {
    toml_.check_keys(table,
                     {"severity_min", "uninspectable", "redact", "escalation",
                      "replacement_similarity_min", "short_term_confidence_min"},
                     "verification");
    VerificationRules& verification = policy_.verification;
    verification.severity_min = toml_.number(table, "severity_min", 0, lexicon::kSeverityMax)
                                    .value_or(verification.severity_min);
    verification.redact = toml_.boolean(table, "redact").value_or(verification.redact);
    verification.uninspectable = toml_.action(table, "uninspectable", actions_without_finding())
                                     .value_or(verification.uninspectable);
    verification.replacement_similarity_min =
        toml_.real(table, "replacement_similarity_min", 0.5, 1)
            .value_or(verification.replacement_similarity_min);
    verification.short_term_confidence_min = toml_.real(table, "short_term_confidence_min", 0, 100)
                                                 .value_or(verification.short_term_confidence_min);
    if (table.contains("escalation")) read_escalation(table, verification);
  }

  // From mildest to strongest, each at most once.
  void read_escalation(const toml::table& table, VerificationRules& verification) {
    verification.escalation = list(table, "escalation", kRoutes);
    const auto place = [](const std::string& route) {
      return std::find(kRoutes.begin(), kRoutes.end(), route);
    };
    const auto& routes = verification.escalation;
    for (std::size_t i = 1; i < routes.size(); ++i) {
      if (place(routes[i - 1]) < place(routes[i])) continue;
      toml_.note(table.get("escalation")->source(), "verification.escalation",
                 "expected the order " + joined(kRoutes) + ", each at most once; found '" +
                     routes[i] + "' after '" + routes[i - 1] + "'");
      return;
    }
  }

  TomlReader& toml_;
  PolicyFile& policy_;
  SubstitutionRules substitution_;  // what [substitution] says; a rule may say otherwise
  std::set<std::string> names_;
};

}  // namespace

std::string mismatch(const Rule& rule, const lexicon::Finding& finding, std::string_view tenant) {
  if (!rule.anywhere && !finding.rendered) return "where: not in the text to be rendered";
  if (finding.severity < rule.severity_min || finding.severity > rule.severity_max)
    return "severity: " + std::to_string(finding.severity);
  if (finding.evidence < rule.evidence_min) return "evidence: " + decimal(finding.shown_evidence());
  if (finding.certainty < rule.certainty_min)
    return "certainty: " + std::string(lexicon::name_of(finding.certainty));
  if (!contains(rule.categories, finding.category)) return "categories: " + finding.category;
  if (!contains(rule.terms, finding.term)) return "terms: another";
  if (!contains(rule.languages, finding.language)) return "languages: " + finding.language;
  if (!contains(rule.lists, finding.list)) return "lists: " + finding.list;
  if (!contains(rule.tenants, tenant))
    return tenant.empty() ? "tenants: none is given" : "tenants: " + std::string(tenant);
  return {};
}

std::vector<Problem> remarks_on(const std::filesystem::path& file, const std::vector<Rule>& rules,
                                const std::vector<lexicon::Term>& terms, double evidence_min) {
  std::vector<Problem> remarks;
  if (rules.empty())
    remarks.push_back({file, {}, "rule", "there is none: only the default action decides", true});
  for (const Rule& rule : rules) {
    if (const std::string why = why_never(rules, rule, terms, evidence_min); !why.empty()) {
      remarks.push_back(
          {file, rule.place, "rule", "'" + rule.name + "' never matches: " + why, true});
    }
    if (rule.evidence_min > 0 && rule.evidence_min < evidence_min) {
      remarks.push_back({file, rule.place, "rule.evidence_min",
                         "'" + rule.name + "' asks for " + decimal(rule.evidence_min) +
                             ", but nothing below the policy's evidence_min, " +
                             decimal(evidence_min) + ", is found",
                         true});
    }
  }
  return remarks;
}

PolicyFile read_policy(const std::filesystem::path& file, std::string content,
                       std::vector<Problem>& problems) {
  PolicyFile policy;
  policy.content = content;
  TomlReader toml(file, std::move(content));
  RuleReader(toml, policy).read();
  problems.insert(problems.end(), std::make_move_iterator(toml.problems().begin()),
                  std::make_move_iterator(toml.problems().end()));
  return policy;
}

}  // namespace glyphward::policy
