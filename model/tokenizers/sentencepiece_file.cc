#include "model/tokenizers/sentencepiece_file.h"

#include "base/config_error.h"

namespace glyphward::model {
namespace {

// One field of a protocol buffer's message.
struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of a whole number
  std::string_view bytes;   // of a field with a length
};

// Reads the next field; false at the end, and where the bytes are no message.
bool next_field(std::string_view& message, Field& field) {
  const auto varint = [&message](std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !message.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message[0]);
      message.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  };
  std::uint64_t tag = 0;
  std::uint64_t size = 0;
  if (!varint(tag)) return false;
  field = {tag >> 3U, 0, {}};
  switch (tag & 7U) {
    case 0:
      return varint(field.value);
    case 1:
      size = 8;
      break;
    case 2:
      if (!varint(size)) return false;
      break;
    case 5:
      size = 4;
      break;
    default:
      return false;
  }
  if (size > message.size()) return false;
  if ((tag & 7U) == 2) field.bytes = message.substr(0, size);
  message.remove_prefix(size);
  return true;
}

// A field of a message within a message; of several, the last one counts.
Field find_field(std::string_view model, std::uint64_t outer, std::uint64_t inner,
                 Field otherwise) {
  Field found = otherwise;
  Field field;
  while (next_field(model, field)) {
    if (field.number != outer) continue;
    Field within;
    std::string_view message = field.bytes;
    while (next_field(message, within)) {
      if (within.number == inner) found = within;
    }
  }
  return found;
}

// The trie's units are little endian, and need not lie on four bytes.
std::uint32_t unit_at(std::string_view bytes, std::size_t at) {
  std::uint32_t unit = 0;
  for (int i = 3; i >= 0; --i) unit = unit << 8U | static_cast<unsigned char>(bytes[at + i]);
  return unit;
}
std::size_t offset(std::uint32_t unit) { return unit >> 10U << ((unit & 0x200U) >> 6U); }

}  // namespace

bool is_whole(std::string_view model) {
  bool trainer_spec = false;
  bool normalizer_spec = false;
  Field field;
  while (!model.empty()) {
    if (!next_field(model, field)) return false;
    trainer_spec = trainer_spec || field.number == 2;
    normalizer_spec = normalizer_spec || field.number == 3;
  }
  return trainer_spec && normalizer_spec;
}

std::string_view find_charsmap(std::string_view model) { return find_field(model, 3, 2, {}).bytes; }

bool is_unigram(std::string_view model) {
  constexpr std::uint64_t kUnigram = 1;
  return find_field(model, 2, 3, {3, kUnigram, {}}).value == kUnigram;
}

CharacterMap::CharacterMap(std::string_view charsmap, const std::filesystem::path& file) {
  if (charsmap.empty()) return;
  const std::uint32_t size = charsmap.size() < 4 ? 0 : unit_at(charsmap, 0);
  if (size == 0 || size % 4 != 0 || size > charsmap.size() - 4) {
    throw ConfigError(file, 0, "normalizer_spec.precompiled_charsmap",
                      "expected a trie's size, found another number");
  }
  for (std::uint32_t i = 0; i < size; i += 4) units_.push_back(unit_at(charsmap, 4 + i));
  replacements_ = charsmap.substr(4 + size);
}

std::optional<std::string_view> CharacterMap::find(std::string_view text) const {
  if (units_.empty()) return std::nullopt;
  std::size_t node = offset(units_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    node ^= byte;
    // A zero ends texts in the trie.
    if (byte == 0 || node >= units_.size() || (units_[node] & 0x800000FFU) != byte) break;
    const bool has_leaf = (units_[node] >> 8U & 1U) != 0;
    node ^= offset(units_[node]);
    if (!has_leaf) continue;
    if (node >= units_.size()) break;
    const std::size_t begin = units_[node] & 0x7FFFFFFFU;
    if (begin >= replacements_.size()) break;
    const std::string_view rest = std::string_view(replacements_).substr(begin);
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

}  // namespace glyphward::model
