#include "lexicon/lists/list.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/table.h"
#include "lexicon/categories.h"
#include "lexicon/text/normalization.h"
#include "lexicon/written/written.h"

namespace glyphward::lexicon {
namespace {

const std::map<std::string, std::uint32_t, std::less<>>& flag_names() {
  static const std::map<std::string, std::uint32_t, std::less<>> names = {
      {"stem", kStem},     {"head", kHead},           {"plural", kPlural},   {"exact", kExact},
      {"noleet", kNoLeet}, {"noreverse", kNoReverse}, {"nosound", kNoSound}, {"accent", kAccent},
      {"local", kLocal},   {"name", kName},           {"literal", kLiteral}, {"regex", kRegex},
      {"form", kForm}};
  return names;
}

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result.append(result.empty() ? "" : ", ").append(word);
  return result;
}

const std::vector<std::string> kTermFields = {"term",     "category", "severity",
                                              "language", "flags",    "forms"};

// A day of the calendar, as far as months of 31 days go.
bool is_day(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  std::string digits = text.substr(0, 4) + text.substr(5, 2) + text.substr(8, 2);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return false;
  const int month = std::stoi(digits.substr(4, 2)), day = std::stoi(digits.substr(6, 2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

// What makes a line the same term as another's.
std::string key_of(const Entry& entry) {
  return entry.term.term + '\t' + entry.term.language + '\t' +
         std::to_string(entry.flags & kWritten);
}

class ListReader {
 public:
  ListReader(std::filesystem::path file, std::string_view content, Lists& lists)
      : list_(file.filename().string()), table_(std::move(file), content), lists_(lists) {
    seen_.reserve(static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')));
  }

  // With `faults`, rows that are wrong are left out.
  void read(std::vector<ConfigError>* faults) {
    const bool allow = !table_.header().empty() && is_allow_header();
    std::size_t rows = 0;
    for (bool more = true; more;) {
      try {
        more = table_.next();
        if (!more) break;
        ++rows;
        allow ? add_allowed(table_.fields()) : add_term(table_.fields());
      } catch (const ConfigError& fault) {
        if (faults == nullptr) throw;
        rows += rows == 0 ? 1 : 0;
        faults->push_back(fault);
        if (faults->size() >= kListFaultsMax) return;
      }
    }
    if (rows == 0) table_.fail("", "expected at least one row, found an empty list");
  }

 private:
  bool is_allow_header() const {
    const std::vector<std::string>& header = table_.header();
    if (header == std::vector<std::string>{"phrase", "language", "note"}) return true;
    std::vector<std::string> fields = kTermFields;
    if (header == fields) return false;
    fields.push_back("until");
    if (header == fields) return false;
    table_.fail("header",
                "expected the fields 'term category severity language flags forms', to which "
                "'until' may be "
                "added, or 'phrase language note', parted by tabs");
  }

  void add_allowed(const std::vector<std::string>& fields) {
    if (fold_term(fields[0]).empty())
      table_.fail("phrase", "expected a word or phrase, found none");
    lists_.allowed.push_back(fields[0]);
  }

  void add_term(const std::vector<std::string>& fields) {
    Entry entry;
    entry.term.term = fields[0];
    for (const std::string& flag : split(fields[4], ' ')) add_flag(entry, flag);
    check_letters("term", fields[0], entry.flags);
    if ((entry.flags & kForm) && !contains(form_names(), fields[0]))
      table_.fail("term",
                  "expected one of " + joined(form_names()) + "; found '" + fields[0] + "'");
    entry.term.category = fields[1];
    check_category(fields[1]);
    if (fields[2].size() != 1 || fields[2][0] < '0' || fields[2][0] > '0' + kSeverityMax) {
      table_.fail("severity",
                  "expected 0 to " + std::to_string(kSeverityMax) + ", found '" + fields[2] + "'");
    }
    entry.term.severity = fields[2][0] - '0';
    entry.term.language = fields[3].empty() ? "und" : fields[3];
    add_forms(entry, fields[5]);
    if (fields.size() > 6 && !fields[6].empty()) {
      if (!is_day(fields[6]))
        table_.fail("until", "expected a day as 2027-01-31, found '" + fields[6] + "'");
      entry.until = fields[6];
    }
    entry.term.list = list_;
    const auto [it, fresh] = seen_.emplace(key_of(entry), table_.line());
    if (!fresh)
      table_.fail("term", "'" + entry.term.term + "' stands in line " + std::to_string(it->second) +
                              " already");
    lists_.entries.push_back(std::move(entry));
  }

  void check_category(const std::string& category) const {
    if (find_category(category) != nullptr || contains(lists_.own_categories, category)) return;
    if (lists_.any_category && is_category_name(category)) return;
    std::vector<std::string> known = lists_.own_categories;
    for (const Category& one : kCategories) known.emplace_back(one.name);
    table_.fail("category", "expected one of " + joined(known) + "; found '" + category +
                                "'; others are declared in the policy's [categories]");
  }

  // Of a term or a spelling. A literal's signs count too.
  void check_letters(const std::string& field, const std::string& text, std::uint32_t flags) const {
    const std::size_t letters =
        flags & kLiteral ? fold_literal(text).size() : fold_term(text).size();
    if (letters == 0) table_.fail(field, "expected a word or phrase, found none");
    if (letters > kTermLettersMax) {
      table_.fail(field, "expected at most " + std::to_string(kTermLettersMax) +
                             " letters, found " + std::to_string(letters));
    }
  }

  // Spellings parted by |; of a regex, the one expression.
  void add_forms(Entry& entry, const std::string& field) const {
    if (entry.flags & kRegex) {
      const std::string fault = expression_fault(field);
      if (!fault.empty()) table_.fail("forms", "expected a regular expression: " + fault);
      entry.forms.push_back(field);
      return;
    }
    for (std::string& form : split(field, '|')) {
      if (form.empty()) continue;
      if (entry.flags & kForm) table_.fail("forms", "expected none: the term says what is found");
      if (!(entry.flags & kLiteral) && (has_signs(form) || fold_term(form).empty())) {
        table_.fail("forms", "expected letters, digits and spaces, found '" + form +
                                 "'; with signs it is found if the row has the flag literal");
      }
      check_letters("forms", form, entry.flags);
      entry.forms.push_back(std::move(form));
    }
  }

  void add_flag(Entry& entry, const std::string& flag) const {
    if (flag.empty()) return;
    if (flag.starts_with("not:")) {
      for (std::string& language : split(std::string_view(flag).substr(4), ',')) {
        entry.harmless_in.push_back(std::move(language));
      }
      return;
    }
    const auto it = flag_names().find(flag);
    if (it == flag_names().end()) {
      std::string known;
      for (const auto& [name, bit] : flag_names()) known += name + ", ";
      table_.fail("flags", "expected " + known + "or not:LANGUAGE; found '" + flag + "'");
    }
    entry.flags |= it->second;
  }

  std::string list_;
  TableReader table_;
  Lists& lists_;
  std::unordered_map<std::string, int> seen_;  // the line of each term in its language
};

std::string flags_text(const Entry& entry) {
  std::string text;
  for (const auto& [name, bit] : flag_names()) {
    if (entry.flags & bit) text += (text.empty() ? "" : " ") + name;
  }
  if (!entry.harmless_in.empty()) {
    text += text.empty() ? "not:" : " not:";
    for (std::size_t i = 0; i < entry.harmless_in.size(); ++i)
      text += (i > 0 ? "," : "") + entry.harmless_in[i];
  }
  return text;
}

std::map<std::string, const Entry*> by_key(const std::vector<Entry>& entries) {
  std::map<std::string, const Entry*> result;
  for (const Entry& entry : entries) result.emplace(key_of(entry), &entry);
  return result;
}

// What differs between two lines of the same term; empty if nothing does.
std::string changes(const Entry& before, const Entry& after) {
  std::string what;
  const auto say = [&](const std::string& text) { what += (what.empty() ? "" : ", ") + text; };
  if (before.term.category != after.term.category)
    say("category " + before.term.category + " -> " + after.term.category);
  if (before.term.severity != after.term.severity) {
    say("severity " + std::to_string(before.term.severity) + " -> " +
        std::to_string(after.term.severity));
  }
  if (flags_text(before) != flags_text(after))
    say("flags '" + flags_text(before) + "' -> '" + flags_text(after) + "'");
  if (before.until != after.until) say("until '" + before.until + "' -> '" + after.until + "'");
  const std::set<std::string> old_forms(before.forms.begin(), before.forms.end());
  const std::set<std::string> new_forms(after.forms.begin(), after.forms.end());
  for (const std::string& form : new_forms) {
    if (!old_forms.contains(form)) say("form '" + form + "' added");
  }
  for (const std::string& form : old_forms) {
    if (!new_forms.contains(form)) say("form '" + form + "' removed");
  }
  return what;
}

}  // namespace

bool has_signs(std::string_view spelling) {
  return spelling.find_first_of("+*@$!#%&()[]{}<>^~=\"") != std::string_view::npos;
}

void read_list(const std::filesystem::path& file, std::string_view content, Lists& lists) {
  ListReader(file, content, lists).read(nullptr);
}

void read_list(const std::filesystem::path& file, std::string_view content, Lists& lists,
               std::vector<ConfigError>& faults) {
  std::vector<ConfigError> own;
  try {
    ListReader(file, content, lists).read(&own);
  } catch (const ConfigError& fault) {
    own.push_back(fault);  // the header, or there are no rows
  }
  faults.insert(faults.end(), own.begin(), own.end());
}

std::string write_list(const std::vector<Entry>& entries) {
  const bool ends = std::any_of(entries.begin(), entries.end(),
                                [](const Entry& entry) { return !entry.until.empty(); });
  std::string out = "term\tcategory\tseverity\tlanguage\tflags\tforms";
  out += ends ? "\tuntil\n" : "\n";
  for (const Entry& entry : entries) {
    out += entry.term.term + '\t' + entry.term.category + '\t' +
           std::to_string(entry.term.severity) + '\t' + entry.term.language + '\t' +
           flags_text(entry) + '\t';
    for (std::size_t i = 0; i < entry.forms.size(); ++i) out += (i > 0 ? "|" : "") + entry.forms[i];
    if (ends) out += '\t' + entry.until;
    out += '\n';
  }
  return out;
}

std::vector<Entry> merge(const std::vector<Entry>& base, const std::vector<Entry>& other) {
  std::vector<Entry> result = base;
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < result.size(); ++i) index.emplace(key_of(result[i]), i);
  for (const Entry& entry : other) {
    const auto [it, fresh] = index.emplace(key_of(entry), result.size());
    if (fresh) {
      result.push_back(entry);
      continue;
    }
    Entry& known = result[it->second];
    known.term.severity = std::max(known.term.severity, entry.term.severity);
    for (const std::string& form : entry.forms) {
      if (std::find(known.forms.begin(), known.forms.end(), form) == known.forms.end())
        known.forms.push_back(form);
    }
  }
  return result;
}

std::vector<Difference> diff(const std::vector<Entry>& before, const std::vector<Entry>& after) {
  std::vector<Difference> result;
  const auto old_terms = by_key(before);
  const auto new_terms = by_key(after);
  for (const auto& [key, entry] : old_terms) {
    const auto it = new_terms.find(key);
    if (it == new_terms.end()) {
      result.push_back({Difference::Kind::Removed, entry->term.term, entry->term.language, ""});
    } else if (const std::string what = changes(*entry, *it->second); !what.empty()) {
      result.push_back({Difference::Kind::Changed, entry->term.term, entry->term.language, what});
    }
  }
  for (const auto& [key, entry] : new_terms) {
    if (!old_terms.contains(key))
      result.push_back({Difference::Kind::Added, entry->term.term, entry->term.language, ""});
  }
  return result;
}

}  // namespace glyphward::lexicon
