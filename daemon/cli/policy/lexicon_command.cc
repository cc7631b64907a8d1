// glyphward lexicon: what a text is found to say, and work on lists of terms. Needs no daemon.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/utf8.h"
#include "daemon/cli/command.h"
#include "daemon/cli/output.h"
#include "daemon/cli/policy/explanation.h"
#include "daemon/service/data_files.h"
#include "guard/finding_json.h"
#include "lexicon/categories.h"
#include "lexicon/lexicon.h"
#include "lexicon/lists/import.h"
#include "lexicon/lists/lint.h"
#include "lexicon/lists/list.h"
#include "lexicon/text/unicode.h"

namespace glyphward::daemon {
namespace json = boost::json;
using lexicon::Entry;

namespace {

struct LexiconOptions {
  std::vector<std::string> lists;
  std::string text;
  std::vector<std::string> files;
  std::vector<std::string> dictionaries;
  std::string format;
  std::string output;
  lexicon::ImportDefaults defaults;
  std::string syntax = "plain";
  bool explain = false;
  bool prompt = false;
  bool json = false;
};

std::string read_text(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  return read_file(file);
}

std::vector<Entry> read_terms(const std::string& file) {
  lexicon::Lists lists;
  lists.any_category = true;  // which are a policy's own, no list knows
  lexicon::read_list(file, read_text(file), lists);
  return std::move(lists.entries);
}

std::vector<Entry> read_terms(const std::vector<std::filesystem::path>& files) {
  std::vector<Entry> entries;
  for (const std::filesystem::path& file : files) {
    std::vector<Entry> more = read_terms(file.string());
    entries.insert(entries.end(), more.begin(), more.end());
  }
  return entries;
}

void write_out(const std::string& file, const std::string& content) {
  if (!file.empty()) return write_file(file, content);
  std::fwrite(content.data(), 1, content.size(), stdout);
}

// ----- lookup -----

// A reading with less evidence than this is no miss that is worth telling.
constexpr float kNearestMin = -4;

// The bytes of a match as a reader of code points wants them: "s U+0068 1 t".
std::string code_points(std::string_view text) {
  std::string out;
  for (std::size_t offset = 0; offset < text.size();) {
    const std::size_t start = offset;
    const char32_t c = lexicon::decode(text, offset);
    if (!out.empty()) out.push_back(' ');
    if (c > 0x20 && c < 0x7F) {
      out.push_back(static_cast<char>(c));
    } else if (c == 0xFFFD) {
      out += fmt::format("<{:02X}>", static_cast<unsigned char>(text[start]));
    } else {
      out += fmt::format("U+{:04X}", static_cast<std::uint32_t>(c));
    }
  }
  return out;
}

std::string rule_of(const lexicon::Finding& finding, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (entry.term.term != finding.term || entry.term.language != finding.language) continue;
    std::string line = lexicon::write_list({entry});
    line = line.substr(line.find('\n') + 1);
    line.pop_back();
    return line;
  }
  return {};
}

json::object finding_json(const lexicon::Finding& finding, const std::string& rule) {
  json::object object = guard::explained_finding_json(finding);
  object["language"] = finding.language;
  if (!rule.empty()) object["rule"] = valid_utf8(rule);
  return object;
}

std::string describe(const lexicon::Finding& finding) {
  return fmt::format("\"{}\" (bytes {} to {}) is {}: {}, severity {}, {}{}",
                     printable(finding.matched), finding.start, finding.end,
                     printable(finding.term), finding.category, finding.severity, finding.language,
                     finding.rendered ? "" : ", not to be drawn");
}

lexicon::Syntax syntax_of(const std::string& name) {
  for (const lexicon::NamedSyntax& named : lexicon::kSyntaxes) {
    if (named.name == name) return named.syntax;
  }
  return lexicon::Syntax::Plain;
}

// A text, what was found in it, and what is needed to explain that.
struct Looked {
  std::string text;
  lexicon::Analysis analysis;
  std::shared_ptr<const lexicon::Lexicon> lexicon;
};

void look(const LexiconOptions& options, Looked& looked) {
  if (options.prompt) {
    looked.analysis = looked.lexicon->analyze(looked.text, syntax_of(options.syntax));
  } else {
    looked.analysis.findings = looked.lexicon->find(looked.text);
  }
}

std::shared_ptr<const lexicon::Lexicon> load(const LexiconOptions& options,
                                             float evidence_min = lexicon::kEvidenceMin) {
  return lexicon::Lexicon::load(lexicon_files(options.lists),
                                {.any_category = true, .evidence_min = evidence_min});
}

// Where nothing is found: what comes nearest to it, with less evidence than the margin. `looked` is
// then what a lexicon with a lower one finds.
std::optional<lexicon::Finding> nearest_miss(const LexiconOptions& options, Looked& looked) {
  looked.lexicon = load(options, kNearestMin);
  look(options, looked);
  const auto& findings = looked.analysis.findings;
  const auto nearest = std::ranges::max_element(findings, {}, &lexicon::Finding::evidence);
  if (nearest == findings.end()) return std::nullopt;
  return *nearest;
}

// A list's line for people: the fields parted by bars, the end of many forms left out.
std::string rule_line(std::string rule) {
  constexpr std::size_t kCharactersMax = 80;
  for (std::size_t at = 0; (at = rule.find('\t', at)) != rule.npos;) rule.replace(at, 1, " | ");
  std::size_t end = 0;
  for (std::size_t count = 0; count < kCharactersMax && end < rule.size(); ++count)
    next_character(rule, end);
  return printable_line(rule.substr(0, end)) + (end < rule.size() ? "…" : "");
}

void print_explained(const LexiconOptions& options, const Looked& looked,
                     const lexicon::Finding& finding, const std::string& rule) {
  constexpr std::string_view kIndent = "  ";
  const std::string steps = finding.steps.empty()
                                ? "none: written plainly"
                                : fmt::format("{}", fmt::join(finding.steps, ", "));
  const std::array<std::pair<std::string_view, std::string>, 4> lines = {
      {{"bytes", code_points(finding.matched)},
       {"steps", steps},
       {"term", printable(finding.term)},
       {"rule", rule_line(rule)}}};
  for (const auto& [label, line] : lines) fmt::print("{}{:<9} {}\n", kIndent, label, line);
  const auto glyphs =
      glyphs_of(finding, looked.text, options.prompt ? &looked.analysis.rendered : nullptr);
  fmt::print("{}", explanation(finding, glyphs, lexicon::kEvidenceMin, kIndent));
}

json::object lookup_json(const LexiconOptions& options, const Looked& looked,
                         const std::vector<Entry>& entries) {
  json::array all;
  for (const lexicon::Finding& finding : looked.analysis.findings)
    all.push_back(finding_json(finding, options.explain ? rule_of(finding, entries) : ""));
  return {{"revision", looked.lexicon->revision()},
          {"evidence_min", looked.lexicon->evidence_min()},
          {"findings", std::move(all)}};
}

ExitStatus lookup(const LexiconOptions& options) {
  Looked looked{options.text == "-" ? read_text("-") : options.text, {}, load(options)};
  look(options, looked);
  std::vector<Entry> entries;
  if (options.explain) entries = read_terms(lexicon_files(options.lists));
  const bool any = !looked.analysis.findings.empty();
  json::object told;
  if (options.json) {
    told = lookup_json(options, looked, entries);
  } else {
    for (const lexicon::Finding& finding : looked.analysis.findings) {
      fmt::print("{}\n", describe(finding));
      if (options.explain) print_explained(options, looked, finding, rule_of(finding, entries));
    }
    if (!any) fmt::print("no term\n");
  }
  if (!any && options.explain) {
    const std::optional<lexicon::Finding> nearest = nearest_miss(options, looked);
    if (nearest && options.json)
      told["nearest"] = finding_json(*nearest, rule_of(*nearest, entries));
    if (nearest && !options.json) {
      fmt::print("nearest to one: {}\n", describe(*nearest));
      print_explained(options, looked, *nearest, rule_of(*nearest, entries));
    }
  }
  if (options.json) fmt::print("{}\n", json::serialize(told));
  return any ? ExitStatus::Found : ExitStatus::Ok;
}

// ----- lists -----

lexicon::ImportFormat format_of(const std::string& name, const std::string& file) {
  const std::string given =
      name.empty() ? std::filesystem::path(file).extension().string().erase(0, 1) : name;
  if (given == "csv") return lexicon::ImportFormat::Csv;
  if (given == "json") return lexicon::ImportFormat::Json;
  return lexicon::ImportFormat::Text;
}

json::array entries_json(const std::vector<Entry>& entries) {
  json::array array;
  for (const Entry& entry : entries) {
    json::array forms;
    for (const std::string& form : entry.forms) forms.emplace_back(valid_utf8(form));
    array.push_back(json::object{{"term", valid_utf8(entry.term.term)},
                                 {"category", entry.term.category},
                                 {"severity", entry.term.severity},
                                 {"language", valid_utf8(entry.term.language)},
                                 {"forms", std::move(forms)}});
  }
  return array;
}

void write_terms(const LexiconOptions& options, const std::vector<Entry>& entries) {
  if (entries.empty())
    throw CommandError(ExitStatus::Usage, "expected at least one term, found none");
  write_out(options.output, options.json ? json::serialize(entries_json(entries)) + "\n"
                                         : lexicon::write_list(entries));
}

ExitStatus import(const LexiconOptions& options) {
  const std::string& file = options.files.at(0);
  const lexicon::Imported imported = lexicon::import_list(
      file, read_text(file), format_of(options.format, file), options.defaults);
  json::array left_out;
  for (const lexicon::LeftOut& one : imported.left_out) {
    fmt::print(stderr, "glyphward: {}:{}: '{}' is left out: {}\n", file, one.line,
               printable(one.spelling), one.reason);
    left_out.push_back(json::object{
        {"line", one.line}, {"spelling", valid_utf8(one.spelling)}, {"reason", one.reason}});
  }
  json::object unknown;
  for (const auto& [category, rows] : imported.unknown_categories) {
    fmt::print(stderr, "glyphward: {}: the category '{}' is none of ours; its {} rows have {}\n",
               file, printable(category), rows, options.defaults.category);
    unknown[valid_utf8(category)] = rows;
  }
  if (options.json) {
    const json::object object{{"rows", imported.rows},
                              {"merged", imported.merged},
                              {"left_out", std::move(left_out)},
                              {"unknown_categories", std::move(unknown)},
                              {"terms", entries_json(imported.entries)}};
    write_out(options.output, json::serialize(object) + "\n");
  } else {
    write_terms(options, imported.entries);
  }
  return imported.left_out.empty() ? ExitStatus::Ok : ExitStatus::Found;
}

ExitStatus merge(const LexiconOptions& options) {
  std::vector<Entry> entries = read_terms(options.files.at(0));
  for (std::size_t i = 1; i < options.files.size(); ++i)
    entries = lexicon::merge(entries, read_terms(options.files[i]));
  write_terms(options, entries);
  return ExitStatus::Ok;
}

ExitStatus diff(const LexiconOptions& options) {
  using Kind = lexicon::Difference::Kind;
  const auto differences =
      lexicon::diff(read_terms(options.files.at(0)), read_terms(options.files.at(1)));
  json::array all;
  for (const lexicon::Difference& difference : differences) {
    const char* kind = difference.kind == Kind::Added     ? "added"
                       : difference.kind == Kind::Removed ? "removed"
                                                          : "changed";
    if (options.json) {
      all.push_back(json::object{{"kind", kind},
                                 {"term", valid_utf8(difference.term)},
                                 {"language", difference.language},
                                 {"what", valid_utf8(difference.what)}});
    } else {
      fmt::print("{} {} ({}){}{}\n", kind, printable(difference.term), difference.language,
                 difference.what.empty() ? "" : ": ", printable(difference.what));
    }
  }
  if (options.json) fmt::print("{}\n", json::serialize(all));
  return differences.empty() ? ExitStatus::Ok : ExitStatus::Found;
}

// A line each: list, word, term, steps. tests/lexicon reads docs/lexicon-flagged.tsv, written so.
ExitStatus lint_words(const LexiconOptions& options) {
  const auto loaded = lexicon::Lexicon::load(lexicon_files(options.lists), {.any_category = true});
  std::string lines;
  json::array all;
  std::size_t flagged = 0;
  for (const std::string& dictionary : options.dictionaries) {
    const std::filesystem::path path(dictionary);
    const std::vector<std::string> words = lexicon::read_dictionary(path);
    const auto remarks = lexicon::lint_dictionary(
        words, [&](std::string_view prompt) { return loaded->analyze(prompt).findings; });
    const std::string name = path.filename().string();
    for (const lexicon::Remark& remark : remarks) {
      const std::string steps = fmt::format("{}", fmt::join(remark.steps, ","));
      lines += fmt::format("{}\t{}\t{}\t{}\n", name, remark.spelling, remark.term, steps);
      all.push_back(json::object{{"dictionary", name},
                                 {"word", valid_utf8(remark.spelling)},
                                 {"term", valid_utf8(remark.term)},
                                 {"steps", steps}});
    }
    flagged += remarks.size();
    fmt::print(stderr, "{}: {} of {} words flagged ({:.3f} %)\n", name, remarks.size(),
               words.size(),
               100.0 * static_cast<double>(remarks.size()) / static_cast<double>(words.size()));
  }
  write_out(options.output, options.json ? json::serialize(all) + "\n" : lines);
  return flagged == 0 ? ExitStatus::Ok : ExitStatus::Found;
}

ExitStatus lint(const LexiconOptions& options) {
  if (!options.dictionaries.empty()) return lint_words(options);
  const std::vector<std::filesystem::path> files = lexicon_files(options.lists);
  const auto loaded = lexicon::Lexicon::load(files, {.any_category = true});
  const auto remarks =
      lexicon::lint(read_terms(files), [&](std::string_view text) { return loaded->find(text); });
  json::array all;
  for (const lexicon::Remark& remark : remarks) {
    const bool duplicate = remark.kind == lexicon::Remark::Kind::Duplicate;
    if (options.json) {
      all.push_back(json::object{{"kind", duplicate ? "duplicate" : "shadowed"},
                                 {"term", valid_utf8(remark.term)},
                                 {"spelling", valid_utf8(remark.spelling)},
                                 {"other", valid_utf8(remark.other)}});
    } else {
      fmt::print("{}: '{}' of {} {} {}\n", duplicate ? "duplicate" : "shadowed",
                 printable(remark.spelling), printable(remark.term),
                 duplicate ? "is also a spelling of" : "is always found as",
                 printable(remark.other));
    }
  }
  if (options.json) fmt::print("{}\n", json::serialize(all));
  return remarks.empty() ? ExitStatus::Ok : ExitStatus::Found;
}

Command add_part(Command& lexicon, const char* name, const char* what,
                 const std::shared_ptr<LexiconOptions>& options,
                 ExitStatus (*run)(const LexiconOptions&)) {
  Command part = lexicon.part(name, what);
  part.flag("--json", options->json, "Print JSON");
  part.runs([options, run] { return run(*options); });
  return part;
}

void add_lists(Command& part, LexiconOptions& options) {
  part.option("--list", options.lists, "List files (default: the ones that come along)");
}

void add_output(Command& part, LexiconOptions& options) {
  part.option("-o,--output", options.output, "Write to a file (default: standard output)");
}

void add_import(Command& lexicon, const std::shared_ptr<LexiconOptions>& options) {
  std::vector<std::string> categories;
  categories.reserve(lexicon::kCategories.size());
  for (const auto& category : lexicon::kCategories) categories.emplace_back(category.name);
  lexicon::ImportDefaults& defaults = options->defaults;
  Command part =
      add_part(lexicon, "import", "Bring a list of another format into ours", options, import);
  part.option("file", options->files, "The list ('-': standard input)").required().values(1, 1);
  part.option("--format", options->format, "text, csv or json (default: by the file's name)")
      .one_of({"text", "csv", "json"});
  part.option("--category", defaults.category,
              "Where the list names none: " + alternatives(categories));
  part.option("--severity", defaults.severity,
              fmt::format("0 to {}, where the list names none", lexicon::kSeverityMax));
  part.option("--language", defaults.language, "Where the list names none");
  part.option("--scale", defaults.scale, "The list's highest severity; 1 is its lowest");
  add_output(part, *options);
  part.footer("Exit status: 0 every row is kept, 1 some are left out (named on stderr), 2 usage.");
}

}  // namespace

void add_lexicon(Command& lexicon) {
  auto options = std::make_shared<LexiconOptions>();
  Command part = add_part(lexicon, "lookup", "The terms in a text", options, lookup);
  part.option("text", options->text, "The text ('-': standard input)").required();
  part.flag("--explain", options->explain,
            "Tell the bytes, the steps, both readings, the nearest miss");
  part.flag("--prompt", options->prompt, "The text is a prompt: tell what it asks to draw");
  const std::vector<std::string> syntaxes = lexicon::syntax_names();
  part.option("--syntax", options->syntax, "How the prompt is written: " + alternatives(syntaxes))
      .one_of(syntaxes);
  add_lists(part, *options);
  part.footer("Exit status: 0 no term, 1 terms found, 2 usage.");

  add_import(lexicon, options);

  part = add_part(lexicon, "merge", "The terms of several lists; the first one's lines win",
                  options, merge);
  part.option("files", options->files, "Two lists or more").required().values(2, 1000);
  add_output(part, *options);

  part = add_part(lexicon, "diff", "How two lists differ", options, diff);
  part.option("files", options->files, "Before, after").required().values(2, 2);
  part.footer("Exit status: 0 the same, 1 different, 2 usage.");

  part =
      add_part(lexicon, "lint",
               "Duplicate and shadowed terms, or dictionary words that are flagged", options, lint);
  part.option("--dictionary", options->dictionaries,
              "Word lists or Hunspell .dic files of harmless words");
  add_lists(part, *options);
  add_output(part, *options);
  part.footer("Exit status: 0 nothing to remark, 1 remarks, 2 usage.");
}

}  // namespace glyphward::daemon
