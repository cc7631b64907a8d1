// Lists of terms: the project's own format and what is brought in from others. What is read is
// written so that it reads the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/config_error.h"
#include "lexicon/lists/import.h"
#include "lexicon/lists/list.h"

namespace {

using namespace glyphward::lexicon;

void check_written(const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  Lists again;
  read_list("again", write_list(entries), again);
  if (!diff(entries, again.entries).empty()) std::abort();
  if (merge(entries, again.entries).size() != entries.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte picks the format.
  const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 4 == 0) {
      Lists lists;
      read_list("fuzz", content, lists);
      check_written(lists.entries);
    } else {
      const auto format = static_cast<ImportFormat>(data[0] % 4 - 1);
      check_written(import_list("fuzz", content, format, {}).entries);
    }
  } catch (const glyphward::ConfigError&) {
    return 0;  // says what is wrong
  }
  return 0;
}
