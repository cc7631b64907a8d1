#include "lexicon/lists/import.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/config_error.h"
#include "base/table.h"
#include "lexicon/categories.h"
#include "lexicon/lists/list.h"
#include "lexicon/text/normalization.h"
#include "lexicon/written/written.h"

namespace glyphward::lexicon {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// Our category for a tag of another list; empty if it says nothing that we know.
std::string_view category_of(std::string_view tag) {
  static const std::vector<std::pair<std::string_view, std::string_view>> kinds = {
      {"racial", "racial"},    {"ethnic", "racial"},       {"race", "racial"},
      {"relig", "religious"},  {"lgbt", "lgbtq"},          {"orientation", "lgbtq"},
      {"homophob", "lgbtq"},   {"gender", "lgbtq"},        {"disab", "ableist"},
      {"ableis", "ableist"},   {"mental", "ableist"},      {"violen", "violence"},
      {"threat", "threat"},    {"self-harm", "self_harm"}, {"self_harm", "self_harm"},
      {"suicid", "self_harm"}, {"hate", "hate"},           {"politic", "hate"},
      {"sex", "sexual"},       {"body", "sexual"},         {"porn", "sexual"},
      {"insult", "insult"},    {"offens", "insult"},       {"general", "profanity"},
      {"profan", "profanity"}, {"shock", "profanity"},     {"bodily", "profanity"}};
  for (const auto& [word, category] : kinds) {
    if (tag.find(word) != tag.npos) return category;
  }
  return {};
}

class Importer {
 public:
  Importer(const std::filesystem::path& file, const ImportDefaults& defaults)
      : file_(file), defaults_(defaults) {
    if (!is_category_name(defaults.category)) {
      fail(0, "category",
           "expected " + std::string(kCategoryForm) + "; found '" + defaults.category + "'");
    }
    if (defaults.severity < 0 || defaults.severity > kSeverityMax)
      fail(0, "severity", "expected 0 to " + std::to_string(kSeverityMax));
    if (defaults.scale < 2 || defaults.scale > 100) fail(0, "scale", "expected 2 to 100");
  }

  void text(std::string_view content) {
    int line = 0;
    for (std::size_t start = 0; start < content.size();) {
      const std::size_t end = std::min(content.find('\n', start), content.size());
      ++line;
      const std::string word = trimmed(content.substr(start, end - start));
      const bool comment = word == "#" || word.starts_with("# ") || word.starts_with("##");
      if (!word.empty() && !comment) add(line, {word}, fresh());
      start = end + 1;
    }
  }

  void csv(std::string_view content) {
    const std::vector<CsvRow> rows = csv_rows(content);
    if (rows.empty()) fail(0, "", "expected a header, found an empty file");
    const std::vector<std::string>& header = rows[0].fields;
    std::map<std::string, std::size_t> columns;
    for (std::size_t i = 0; i < header.size(); ++i) columns.emplace(lower(trimmed(header[i])), i);
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
      const int line = rows[i].line;
      const auto& row = rows[i].fields;
      const auto value = [&](const std::optional<std::size_t>& at) {
        return at && *at < row.size() ? trimmed(row[*at]) : std::string();
      };
      if (row.size() > header.size()) {
        ++result.rows;
        leave_out(line, value(words), "more fields than the header: is a comma not in quotes?");
        continue;
      }
      Entry entry = fresh();
      if (!value(category).empty() && !set_category(entry, lower(value(category))))
        ++result.unknown_categories[value(category)];
      if (!value(severity).empty()) set_severity(line, entry, value(severity));
      if (!value(language).empty()) entry.term.language = value(language);
      std::vector<std::string> spellings;
      for (const auto& at : {canonical, words}) {
        if (!value(at).empty()) spellings.push_back(value(at));
      }
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

  // False if it is none that we know.
  static bool set_category(Entry& entry, const std::string& tag) {
    const std::string_view category = category_of(tag);
    if (!category.empty()) entry.term.category = category;
    return !category.empty();
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
    const double severity =
        1 + (std::max(value, 1.0) - 1) * (kSeverityMax - 1) / (defaults_.scale - 1);
    entry.term.severity = static_cast<int>(std::lround(severity));
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
      result.unknown_categories[category] += set_category(entry, lower(category)) ? 0 : 1;
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

  struct CsvRow {
    int line = 0;  // where it begins
    std::vector<std::string> fields;
  };

  // RFC 4180: fields in quotes may hold commas, line breaks and doubled quotes.
  std::vector<CsvRow> csv_rows(std::string_view content) const {
    std::vector<CsvRow> rows = {{1, {""}}};
    bool quoted = false;
    int line = 1;
    for (std::size_t i = 0; i < content.size(); ++i) {
      const char c = content[i];
      std::string& field = rows.back().fields.back();
      line += c == '\n' ? 1 : 0;
      if (quoted) {
        if (c == '"' && i + 1 < content.size() && content[i + 1] == '"') {
          field.push_back('"');
          ++i;
        } else if (c == '"') {
          quoted = false;
        } else {
          field.push_back(c);
        }
      } else if (c == '"' && field.empty()) {
        quoted = true;
      } else if (c == ',') {
        rows.back().fields.emplace_back();
      } else if (c == '\n') {
        rows.push_back({line, {""}});
      } else {
        field.push_back(c);
      }
    }
    if (quoted) fail(rows.back().line, "", "a quoted field is not closed");
    std::erase_if(rows, [](const CsvRow& row) {
      return row.fields.size() == 1 && trimmed(row.fields[0]).empty();
    });
    return rows;
  }

  void leave_out(int line, const std::string& spelling, const std::string& reason) {
    result.left_out.push_back({line, spelling, reason});
  }

  // Why no list can hold the spelling; empty if one can.
  static std::string fault_of(const std::string& spelling) {
    if (spelling.empty()) return "no word";
    if (spelling.front() == '#') return "it begins with #, which begins a comment in a list";
    const std::size_t letters = std::max(fold_term(spelling).size(), fold_literal(spelling).size());
    if (letters == 0) return "nothing in it can be seen";
    if (letters > kTermLettersMax)
      return "longer than " + std::to_string(kTermLettersMax) + " letters";
    return {};
  }

  // The spellings that are words make one term, with the first as its canonical form; those with
  // signs make another, which is found as it is written. One with a | stands alone: in a list it
  // parts forms.
  void add(int line, const std::vector<std::string>& spellings, Entry entry) {
    ++result.rows;
    Entry literal = entry;
    literal.flags |= kLiteral;
    std::vector<Entry> alone;
    std::vector<LeftOut> faults;
    for (const std::string& spelling : spellings) {
      std::string word = lower(trimmed(spelling));
      std::replace_if(
          word.begin(), word.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; },
          ' ');
      if (const std::string fault = fault_of(word); !fault.empty()) {
        faults.push_back({line, word, fault});
      } else if (word.find('|') != std::string::npos) {
        alone.push_back(literal);
        alone.back().term.term = std::move(word);
      } else {
        const bool signs = has_signs(word) || fold_term(word).empty();
        add_spelling(signs ? literal : entry, std::move(word));
      }
    }
    alone.insert(alone.begin(), {std::move(entry), std::move(literal)});
    std::erase_if(alone, [](const Entry& one) { return one.term.term.empty(); });
    bool fresh = false;
    for (Entry& one : alone) fresh = take_in(std::move(one)) || fresh;
    result.merged += !alone.empty() && !fresh ? 1 : 0;
    if (spellings.empty()) faults.push_back({line, "", "no word"});
    result.left_out.insert(result.left_out.end(), faults.begin(), faults.end());
  }

  static void add_spelling(Entry& entry, std::string word) {
    if (entry.term.term.empty()) {
      entry.term.term = std::move(word);
    } else if (word != entry.term.term) {
      entry.forms.push_back(std::move(word));
    }
  }

  // False if the term was there: then its forms are added to it.
  bool take_in(Entry entry) {
    const std::string key =
        entry.term.term + '\t' + entry.term.language + '\t' + std::to_string(entry.flags);
    const auto [it, fresh] = seen_.emplace(key, result.entries.size());
    if (fresh) {
      result.entries.push_back(std::move(entry));
      return true;
    }
    Entry& known = result.entries[it->second];
    known.term.severity = std::max(known.term.severity, entry.term.severity);
    for (std::string& form : entry.forms) {
      if (std::find(known.forms.begin(), known.forms.end(), form) == known.forms.end())
        known.forms.push_back(std::move(form));
    }
    return false;
  }

  const std::filesystem::path& file_;
  const ImportDefaults& defaults_;
  std::map<std::string, std::size_t> seen_;
};

}  // namespace

Imported import_list(const std::filesystem::path& file, std::string_view content,
                     ImportFormat format, const ImportDefaults& defaults) {
  Importer importer(file, defaults);
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  if (format == ImportFormat::Text) importer.text(content);
  if (format == ImportFormat::Csv) importer.csv(content);
  if (format == ImportFormat::Json) importer.json(content);
  std::erase_if(importer.result.unknown_categories,
                [](const auto& category) { return category.second == 0; });
  return std::move(importer.result);
}

}  // namespace glyphward::lexicon
