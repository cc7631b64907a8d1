// What the judgement says for itself: tests/data/lexicon/explanations.tsv has texts, terms and
// innocents, and both readings of each as the matcher explained them when the file was read by eye.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/file.h"
#include "base/table.h"
#include "lexicon/lists/list.h"
#include "lexicon/reading/reader.h"

namespace glyphward::lexicon {
namespace {

const std::filesystem::path kRoot = GLYPHWARD_SOURCE_DIR;

std::string explained(const Reader& reader, const Lists& lists, const std::string& text) {
  std::vector<PlacedHit> hits;
  reader.read_shown({text, {}}, 0, {}, hits);
  reader.read_codes(text, {}, hits);
  const auto best = std::max_element(
      hits.begin(), hits.end(),
      [](const PlacedHit& a, const PlacedHit& b) { return a.evidence < b.evidence; });
  if (best == hits.end()) return "\t\t\t";
  std::ostringstream line;
  line.setf(std::ios::fixed);
  line.precision(1);
  line << best->evidence << '\t' << lists.entries[best->entry].term.term << '\t' << best->reading
       << '\t' << best->ordinary;
  return line.str();
}

// GLYPHWARD_WRITE_GOLDEN=1 writes the file anew.
TEST(Explanations, AreTheGoldenOnes) {
  Lists lists;
  for (const char* name : {"lexicon/default.tsv", "lexicon/allow.tsv"})
    read_list(kRoot / name, read_file(kRoot / name), lists);
  // Less than counts, so that innocents are explained too.
  const Reader reader(lists.entries, lists.allowed, -12);
  const std::filesystem::path file = kRoot / "tests/data/lexicon/explanations.tsv";
  const std::string content = read_file(file);
  TableReader table(file, content);
  table.expect_header({"kind", "text", "evidence", "term", "reading", "ordinary"});
  std::string written = "kind\ttext\tevidence\tterm\treading\tordinary\n";
  std::size_t rows = 0;
  while (table.next()) {
    const std::string& kind = table.fields()[0];
    const std::string& text = table.fields()[1];
    const std::string now = explained(reader, lists, text);
    written += kind + "\t" + text + "\t" + now + "\n";
    ++rows;
    const bool flagged = std::strtod(now.c_str(), nullptr) >= kEvidenceMin;
    EXPECT_EQ(flagged, kind == "term") << text << ": " << now;
  }
  EXPECT_GE(rows, 100u);
  if (std::getenv("GLYPHWARD_WRITE_GOLDEN") != nullptr) {
    std::ofstream(file) << written;
  } else {
    EXPECT_EQ(written, content);
  }
}

}  // namespace
}  // namespace glyphward::lexicon
