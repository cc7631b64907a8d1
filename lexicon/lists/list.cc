#include "lexicon/lists/list.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>

#include "base/config_error.h"
#include "lexicon/text/normalization.h"

namespace glyphward::lexicon {
namespace {

const std::map<std::string, std::uint32_t, std::less<>>& flag_names() {
  static const std::map<std::string, std::uint32_t, std::less<>> names = {
      {"stem", kStem},       {"head", kHead},     {"plural", kPlural},
      {"exact", kExact},     {"noleet", kNoLeet}, {"noreverse", kNoReverse},
      {"nosound", kNoSound}, {"accent", kAccent}, {"local", kLocal},
      {"name", kName}};
  return names;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    std::size_t end = std::min(text.find(separator, start), text.size());
    std::string_view part = text.substr(start, end - start);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.emplace_back(part);
    start = end + 1;
  }
  return parts;
}

class ListReader {
 public:
  ListReader(std::filesystem::path file, Lists& lists) : file_(std::move(file)), lists_(lists) {}

  void read(std::string_view content) {
    std::istringstream stream{std::string(content)};
    std::string line;
    std::vector<std::string> header;
    std::size_t rows = 0;
    for (line_ = 1; std::getline(stream, line); ++line_) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.empty() || line.front() == '#') continue;
      std::vector<std::string> fields = split(line, '\t');
      if (header.empty()) {
        header = fields;
        allow_ = is_allow_header(header);
        continue;
      }
      if (fields.size() > header.size()) {
        fail("", "expected at most " + std::to_string(header.size()) + " fields, found " +
                     std::to_string(fields.size()));
      }
      fields.resize(header.size());
      ++rows;
      allow_ ? add_allowed(fields) : add_term(fields);
    }
    line_ = 0;
    if (rows == 0) fail("", "expected at least one row, found an empty list");
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& message) const {
    throw ConfigError(file_, line_, field, message);
  }

  bool is_allow_header(const std::vector<std::string>& header) const {
    if (header == std::vector<std::string>{"phrase", "language", "note"}) return true;
    if (header ==
        std::vector<std::string>{"term", "category", "severity", "language", "flags", "forms"})
      return false;
    fail("header",
         "expected the fields 'term category severity language flags forms' or 'phrase language "
         "note', parted by tabs");
  }

  void add_allowed(const std::vector<std::string>& fields) {
    if (fold_term(fields[0]).empty()) fail("phrase", "expected a word or phrase, found none");
    lists_.allowed.push_back(fields[0]);
  }

  void add_term(const std::vector<std::string>& fields) {
    Entry entry;
    entry.term.term = fields[0];
    const std::size_t letters = fold_term(fields[0]).size();
    if (letters == 0) fail("term", "expected a word or phrase, found none");
    if (letters > kTermLettersMax) {
      fail("term", "expected at most " + std::to_string(kTermLettersMax) + " letters, found " +
                       std::to_string(letters));
    }
    entry.term.category = fields[1];
    if (find_category(fields[1]) == nullptr) {
      fail("category",
           "expected one of profanity, sexual, insult, racial, religious, lgbtq, ableist, hate, "
           "violence; found '" +
               fields[1] + "'");
    }
    if (fields[2].size() != 1 || fields[2][0] < '0' || fields[2][0] > '7') {
      fail("severity", "expected 0 to 7, found '" + fields[2] + "'");
    }
    entry.term.severity = fields[2][0] - '0';
    entry.term.language = fields[3].empty() ? "und" : fields[3];
    for (const std::string& flag : split(fields[4], ' ')) add_flag(entry, flag);
    for (std::string& form : split(fields[5], '|')) {
      if (form.empty()) continue;
      const bool plain = form.find_first_of("+*@$!#%&()[]{}<>^~=\"") == std::string::npos;
      if (fold_term(form).empty() || !plain)
        fail("forms", "expected letters, digits and spaces, found '" + form + "'");
      if (fold_term(form).size() > kTermLettersMax) fail("forms", "too long: '" + form + "'");
      entry.forms.push_back(std::move(form));
    }
    const auto [it, fresh] = seen_.emplace(entry.term.term + '\t' + entry.term.language, line_);
    if (!fresh)
      fail("term",
           "'" + entry.term.term + "' stands in line " + std::to_string(it->second) + " already");
    lists_.entries.push_back(std::move(entry));
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
      fail("flags", "expected " + known + "or not:LANGUAGE; found '" + flag + "'");
    }
    entry.flags |= it->second;
  }

  std::filesystem::path file_;
  Lists& lists_;
  int line_ = 0;
  bool allow_ = false;
  std::unordered_map<std::string, int> seen_;
};

// ----- other formats -----

std::string trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// Our category for a tag of another list; empty if it says nothing that we know.
std::string_view category_of(std::string_view tag) {
  static const std::vector<std::pair<std::string_view, std::string_view>> kinds = {
      {"racial", "racial"},    {"ethnic", "racial"},   {"race", "racial"},
      {"relig", "religious"},  {"lgbt", "lgbtq"},      {"orientation", "lgbtq"},
      {"homophob", "lgbtq"},   {"gender", "lgbtq"},    {"disab", "ableist"},
      {"ableis", "ableist"},   {"mental", "ableist"},  {"violen", "violence"},
      {"threat", "violence"},  {"hate", "hate"},       {"politic", "hate"},
      {"sex", "sexual"},       {"body", "sexual"},     {"porn", "sexual"},
      {"insult", "insult"},    {"offens", "insult"},   {"general", "profanity"},
      {"profan", "profanity"}, {"shock", "profanity"}, {"bodily", "profanity"}};
  for (const auto& [word, category] : kinds) {
    if (tag.find(word) != tag.npos) return category;
  }
  return {};
}

class Importer {
 public:
  Importer(const std::filesystem::path& file, const ImportDefaults& defaults)
      : file_(file), defaults_(defaults) {
    const bool known = find_category(defaults.category) != nullptr;
    if (!known) fail(0, "category", "unknown: '" + defaults.category + "'");
    if (defaults.severity < 0 || defaults.severity > 7) fail(0, "severity", "expected 0 to 7");
    if (defaults.scale < 2 || defaults.scale > 100) fail(0, "scale", "expected 2 to 100");
  }

  void text(std::string_view content) {
    int line = 0;
    for (std::size_t start = 0; start < content.size();) {
      const std::size_t end = std::min(content.find('\n', start), content.size());
      ++line;
      const std::string word = trimmed(content.substr(start, end - start));
      if (!word.empty() && word.front() != '#') add(line, {word}, fresh());
      start = end + 1;
    }
  }

  void csv(std::string_view content) {
    std::vector<std::vector<std::string>> rows = csv_rows(content);
    if (rows.empty()) fail(0, "", "expected a header, found an empty file");
    std::map<std::string, std::size_t> columns;
    for (std::size_t i = 0; i < rows[0].size(); ++i) columns.emplace(lower(trimmed(rows[0][i])), i);
    const auto column =
        [&](std::initializer_list<const char*> names) -> std::optional<std::size_t> {
      for (const char* name : names) {
        if (const auto it = columns.find(name); it != columns.end()) return it->second;
      }
      return std::nullopt;
    };
    const auto words = column({"text", "term", "word"});
    if (!words) fail(1, "header", "expected a column text, term or word");
    const auto canonical = column({"canonical_form_1", "canonical"});
    const auto category = column({"category", "category_1", "tag"});
    const auto severity = column({"severity", "severity_rating"});
    const auto language = column({"language", "lang"});
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const std::vector<std::string>& row = rows[i];
      const auto value = [&](const std::optional<std::size_t>& at) {
        return at && *at < row.size() ? trimmed(row[*at]) : std::string();
      };
      const int line = static_cast<int>(i + 1);
      if (value(words).empty()) continue;
      Entry entry = fresh();
      if (!value(category).empty()) set_category(entry, lower(value(category)));
      if (!value(severity).empty()) set_severity(line, entry, value(severity));
      if (!value(language).empty()) entry.term.language = value(language);
      std::vector<std::string> spellings = {value(words)};
      if (!value(canonical).empty()) spellings.insert(spellings.begin(), value(canonical));
      add(line, spellings, std::move(entry));
    }
  }

  void json(std::string_view content) {
    boost::system::error_code error;
    const boost::json::value root = boost::json::parse(content, error);
    if (error) fail(0, "", "not JSON: " + error.message());
    if (!root.is_array()) fail(0, "", "expected an array of words or objects");
    int number = 0;
    for (const boost::json::value& item : root.get_array()) {
      ++number;
      if (item.is_string()) {
        add(number, {std::string(item.get_string())}, fresh());
      } else if (item.is_object()) {
        object(number, item.get_object());
      } else {
        fail(number, "", "expected a word or an object");
      }
    }
  }

  Imported result;

 private:
  [[noreturn]] void fail(int line, const std::string& field, const std::string& message) const {
    throw ConfigError(file_, line, field, message);
  }

  Entry fresh() const {
    Entry entry;
    entry.term = {"", defaults_.category, defaults_.severity, defaults_.language};
    return entry;
  }

  static void set_category(Entry& entry, const std::string& tag) {
    if (const std::string_view category = category_of(tag); !category.empty())
      entry.term.category = category;
  }

  void set_severity(int line, Entry& entry, const std::string& text) const {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= 0) ||
        value > defaults_.scale) {
      fail(line, "severity",
           "expected 1 to " + std::to_string(defaults_.scale) + ", found '" + text + "'");
    }
    // 1 is mild on both scales, and the highest is the worst.
    const double seven = 1 + (std::max(value, 1.0) - 1) * 6 / (defaults_.scale - 1);
    entry.term.severity = static_cast<int>(std::lround(seven));
  }

  void object(int number, const boost::json::object& object) {
    const auto text = [&](std::initializer_list<const char*> names) -> std::string {
      for (const char* name : names) {
        const boost::json::value* value = object.if_contains(name);
        if (value != nullptr && value->is_string()) return trimmed(value->get_string());
      }
      return {};
    };
    const std::string match = text({"term", "word", "text", "match"});
    if (match.empty()) fail(number, "term", "expected term, word, text or match");
    Entry entry = fresh();
    if (const std::string category = text({"category"}); !category.empty())
      set_category(entry, lower(category));
    if (const auto* tags = object.if_contains("tags"); tags != nullptr && tags->is_array()) {
      // The first that is known; the last of them is the least said.
      for (auto tag = tags->get_array().rbegin(); tag != tags->get_array().rend(); ++tag) {
        if (tag->is_string()) set_category(entry, lower(std::string(tag->get_string())));
      }
    }
    if (const auto* severity = object.if_contains("severity"); severity != nullptr) {
      set_severity(number, entry,
                   severity->is_string() ? std::string(severity->get_string())
                                         : boost::json::serialize(*severity));
    }
    if (const std::string language = text({"language", "lang"}); !language.empty())
      entry.term.language = language;
    add(number, split(match, '|'), std::move(entry));
  }

  // RFC 4180: fields in quotes may hold commas, line breaks and doubled quotes.
  std::vector<std::vector<std::string>> csv_rows(std::string_view content) const {
    std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
    bool quoted = false;
    for (std::size_t i = 0; i < content.size(); ++i) {
      const char c = content[i];
      if (quoted) {
        if (c == '"' && i + 1 < content.size() && content[i + 1] == '"') {
          rows.back().back().push_back('"');
          ++i;
        } else if (c == '"') {
          quoted = false;
        } else {
          rows.back().back().push_back(c);
        }
      } else if (c == '"' && rows.back().back().empty()) {
        quoted = true;
      } else if (c == ',') {
        rows.back().emplace_back();
      } else if (c == '\n') {
        rows.emplace_back(1);
      } else {
        rows.back().back().push_back(c);
      }
    }
    if (quoted) fail(static_cast<int>(rows.size()), "", "a quoted field is not closed");
    std::erase_if(rows, [](const std::vector<std::string>& row) {
      return row.size() == 1 && trimmed(row[0]).empty();
    });
    return rows;
  }

  // The first spelling that is a word is the term, the others are its forms.
  void add(int line, const std::vector<std::string>& spellings, Entry entry) {
    for (const std::string& spelling : spellings) {
      std::string word = lower(trimmed(spelling));
      const std::size_t letters = fold_term(word).size();
      const bool plain = word.find_first_of("+*@$!#%&()[]{}<>^~=\"\t|\n\r") == std::string::npos;
      if (letters == 0 || letters > kTermLettersMax || !plain || word.front() == '#' ||
          word.front() == ' ') {
        result.warnings.push_back("line " + std::to_string(line) + ": '" + word +
                                  "' is left out: no word of letters, digits and spaces");
        continue;
      }
      if (entry.term.term.empty()) {
        entry.term.term = std::move(word);
      } else if (word != entry.term.term) {
        entry.forms.push_back(std::move(word));
      }
    }
    if (entry.term.term.empty()) return;
    const auto [it, fresh] =
        seen_.emplace(entry.term.term + '\t' + entry.term.language, result.entries.size());
    if (fresh) {
      result.entries.push_back(std::move(entry));
      return;
    }
    Entry& known = result.entries[it->second];
    known.term.severity = std::max(known.term.severity, entry.term.severity);
    for (std::string& form : entry.forms) {
      if (std::find(known.forms.begin(), known.forms.end(), form) == known.forms.end())
        known.forms.push_back(std::move(form));
    }
  }

  const std::filesystem::path& file_;
  const ImportDefaults& defaults_;
  std::map<std::string, std::size_t> seen_;
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

std::string key_of(const Entry& entry) { return entry.term.term + '\t' + entry.term.language; }

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

void read_list(const std::filesystem::path& file, std::string_view content, Lists& lists) {
  ListReader(file, lists).read(content);
}

std::string write_list(const std::vector<Entry>& entries) {
  std::string out = "term\tcategory\tseverity\tlanguage\tflags\tforms\n";
  for (const Entry& entry : entries) {
    out += entry.term.term + '\t' + entry.term.category + '\t' +
           std::to_string(entry.term.severity) + '\t' + entry.term.language + '\t' +
           flags_text(entry) + '\t';
    for (std::size_t i = 0; i < entry.forms.size(); ++i) out += (i > 0 ? "|" : "") + entry.forms[i];
    out += '\n';
  }
  return out;
}

Imported import_list(const std::filesystem::path& file, std::string_view content,
                     ImportFormat format, const ImportDefaults& defaults) {
  Importer importer(file, defaults);
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  if (format == ImportFormat::Text) importer.text(content);
  if (format == ImportFormat::Csv) importer.csv(content);
  if (format == ImportFormat::Json) importer.json(content);
  return std::move(importer.result);
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

std::vector<std::string> read_dictionary(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw ConfigError(file, 0, "", "expected a readable dictionary, found none");
  const bool hunspell = file.extension() == ".dic";
  std::vector<std::string> words;
  std::string line;
  if (hunspell) std::getline(stream, line);  // how many words follow
  while (std::getline(stream, line)) {
    std::string word = trimmed(line);
    if (hunspell) word = word.substr(0, std::min(word.find('/'), word.find('\t')));
    if (!word.empty()) words.push_back(std::move(word));
  }
  if (words.empty()) throw ConfigError(file, 0, "", "expected a word a line, found none");
  return words;
}

std::vector<Remark> lint(const std::vector<Entry>& entries, const Lexicon& lexicon) {
  std::vector<Remark> remarks;
  std::map<std::u32string, const Entry*> spellings;
  for (const Entry& entry : entries) {
    std::vector<std::string> own = {entry.term.term};
    own.insert(own.end(), entry.forms.begin(), entry.forms.end());
    for (const std::string& spelling : own) {
      const auto [it, fresh] = spellings.emplace(fold_term(spelling), &entry);
      if (!fresh) {
        remarks.push_back(
            {Remark::Kind::Duplicate, entry.term.term, spelling, it->second->term.term, {}});
        continue;
      }
      const std::vector<Finding> found = lexicon.find(spelling);
      const bool itself = std::any_of(found.begin(), found.end(), [&](const Finding& finding) {
        return finding.term == entry.term.term;
      });
      if (itself || found.empty() || found[0].severity < entry.term.severity) continue;
      remarks.push_back(
          {Remark::Kind::Shadowed, entry.term.term, spelling, found[0].term, found[0].steps});
    }
  }
  return remarks;
}

std::vector<Remark> lint_dictionary(const std::vector<std::string>& words, const Lexicon& lexicon) {
  std::vector<Remark> remarks;
  for (const std::string& word : words) {
    const std::string prompt = "a sign that says \"" + word + "\"";
    for (const Finding& finding : lexicon.analyze(prompt).findings) {
      if (!finding.rendered || finding.severity < 2) continue;
      remarks.push_back({Remark::Kind::Harmless, finding.term, word, finding.term, finding.steps});
      break;
    }
  }
  return remarks;
}

}  // namespace glyphward::lexicon
