#include "model/tokenizers/byte_pair_encoding.h"

#include <fmt/format.h>

#include <functional>
#include <queue>
#include <tuple>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

namespace fs = std::filesystem;

// GPT-2's table: each byte as a printable character, so that the vocabulary is text.
std::array<std::string, 256> byte_symbols() {
  std::array<std::string, 256> symbols;
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const int code_point = printable ? byte : next++;
    if (code_point < 0x80) {
      symbols[byte] = std::string(1, static_cast<char>(code_point));
    } else {
      symbols[byte] = {static_cast<char>(0xC0 | (code_point >> 6)),
                       static_cast<char>(0x80 | (code_point & 0x3F))};
    }
  }
  return symbols;
}

constexpr std::uint64_t pair_key(std::int64_t left, std::int64_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right);
}

using Candidate = std::tuple<std::int64_t, int, std::uint64_t>;  // rank, position, pair

}  // namespace

// The symbols of a word are a list within a vector: a merge joins two neighbours.
struct BytePairEncoding::Symbol {
  std::int64_t id = 0;  // -1: merged into the one before
  int previous = 0;
  int next = 0;
};

// Pairs that may be merged, the next one first.
class BytePairEncoding::Candidates
    : public std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> {};

BytePairEncoding::BytePairEncoding(Vocabulary vocabulary,
                                   const std::vector<std::pair<std::string, std::string>>& merges,
                                   const fs::path& vocabulary_file, const fs::path& merges_file)
    : vocabulary_(std::move(vocabulary)) {
  const std::array<std::string, 256> symbols = byte_symbols();
  for (std::size_t byte = 0; byte < 256; ++byte) {
    inner_[byte] = require(symbols[byte], vocabulary_file, "vocab");
    last_[byte] = require(symbols[byte] + std::string(kEndOfWord), vocabulary_file, "vocab");
  }
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const std::string field = fmt::format("merges[{}]", rank);
    merges_[pair_key(require(left, merges_file, field), require(right, merges_file, field))] = {
        static_cast<std::int64_t>(rank), require(left + right, merges_file, field)};
  }
}

std::optional<std::int64_t> BytePairEncoding::find(const std::string& token) const {
  const auto found = vocabulary_.find(token);
  if (found == vocabulary_.end()) return std::nullopt;
  return found->second;
}

// Always the merge of the lowest rank, the leftmost of several.
void BytePairEncoding::encode(std::string_view word, std::vector<std::int64_t>& ids) const {
  std::vector<Symbol> symbols(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    symbols[i] = {i + 1 < word.size() ? inner_[byte] : last_[byte], static_cast<int>(i) - 1,
                  static_cast<int>(i) + 1};
  }
  Candidates queue;
  for (int i = 0; i + 1 < static_cast<int>(symbols.size()); ++i) offer(symbols, i, queue);
  while (!queue.empty()) {
    const auto [rank, at, pair] = queue.top();
    queue.pop();
    merge(symbols, at, pair, queue);
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

std::int64_t BytePairEncoding::require(const std::string& token, const fs::path& file,
                                       const std::string& field) const {
  const std::optional<std::int64_t> id = find(token);
  if (!id)
    throw ConfigError(file, 0, field, "expected '" + token + "' in the vocabulary, found none");
  return *id;
}

void BytePairEncoding::offer(const std::vector<Symbol>& symbols, int left,
                             Candidates& queue) const {
  const int right = symbols[left].next;
  if (right >= static_cast<int>(symbols.size())) return;
  const std::uint64_t pair = pair_key(symbols[left].id, symbols[right].id);
  const auto found = merges_.find(pair);
  if (found != merges_.end()) queue.emplace(found->second.rank, left, pair);
}

void BytePairEncoding::merge(std::vector<Symbol>& symbols, int left, std::uint64_t pair,
                             Candidates& queue) const {
  const int right = symbols[left].next;
  // A candidate is stale once either side was merged with something else.
  if (symbols[left].id < 0 || right >= static_cast<int>(symbols.size()) ||
      pair_key(symbols[left].id, symbols[right].id) != pair) {
    return;
  }
  symbols[left].id = merges_.at(pair).result;
  symbols[left].next = symbols[right].next;
  symbols[right].id = -1;
  if (symbols[left].next < static_cast<int>(symbols.size())) {
    symbols[symbols[left].next].previous = left;
    offer(symbols, left, queue);
  }
  if (symbols[left].previous >= 0) offer(symbols, symbols[left].previous, queue);
}

}  // namespace glyphward::model
