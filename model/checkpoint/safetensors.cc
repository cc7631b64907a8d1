#include "model/checkpoint/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/config_error.h"

namespace glyphward::model {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little endian");

// The largest published checkpoints need well under one.
constexpr std::uint64_t kHeaderBytesMax = 8ULL << 20;
constexpr std::size_t kRankMax = 8;

std::size_t dtype_size(std::string_view dtype) {
  static const std::unordered_map<std::string_view, std::size_t> sizes = {
      {"F64", 8},     {"I64", 8},     {"U64", 8}, {"F32", 4}, {"I32", 4},
      {"U32", 4},     {"F16", 2},     {"I16", 2}, {"U16", 2}, {"BF16", 2},
      {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

// What the header says of one tensor, before it is checked.
struct RawEntry {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> data_offsets;
  bool has_dtype = false;
  bool has_shape = false;
  bool has_data_offsets = false;
};

// Reads the header event by event: a document tree would cost many times the header's size, and
// would hide duplicate keys. Fails with a message in `problem` (and the tensor's name in
// `current.name`).
struct HeaderHandler {
  // Named by Boost.JSON. NOLINTBEGIN(readability-identifier-naming)
  constexpr static std::size_t max_object_size = std::size_t(-1);
  constexpr static std::size_t max_array_size = std::size_t(-1);
  constexpr static std::size_t max_key_size = 4096;
  constexpr static std::size_t max_string_size = 1 << 20;
  // NOLINTEND(readability-identifier-naming)
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  std::vector<RawEntry> entries;
  std::set<std::string> names;
  RawEntry current;
  std::string problem;

  int depth = 0;  // 1: tensors, 2: a tensor's fields, 3: an array in a field
  bool in_metadata = false;
  bool in_array = false;
  std::string text;   // of a key or string that comes in parts
  std::string field;  // of the current tensor

  bool fail(error_code& ec, std::string why) {
    problem = std::move(why);
    ec = boost::json::error::exception;
    return false;
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code& ec) {
    if (++depth > 2) return fail(ec, "expected a string or an array, found an object");
    return true;
  }
  bool on_object_end(std::size_t, error_code& ec) {
    if (--depth != 1) return true;
    if (std::exchange(in_metadata, false)) return true;
    if (!current.has_dtype || !current.has_shape || !current.has_data_offsets) {
      return fail(ec, "expected dtype, shape and data_offsets, found only a part of them");
    }
    entries.push_back(std::exchange(current, RawEntry{}));
    return true;
  }
  bool on_array_begin(error_code& ec) {
    if (depth != 2 || in_metadata || in_array || (field != "shape" && field != "data_offsets")) {
      return fail(ec, "found an array where none belongs");
    }
    in_array = true;
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    in_array = false;
    return true;
  }

  bool on_key_part(string_view part, std::size_t, error_code&) {
    text.append(part);
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code& ec) {
    text.append(part);
    std::string key = std::exchange(text, {});
    if (depth == 1) {
      current.name = key;
      if (!names.insert(key).second) return fail(ec, "expected once, found twice");
      in_metadata = key == "__metadata__";
      return true;
    }
    if (in_metadata) return true;
    bool* seen = key == "dtype"          ? &current.has_dtype
                 : key == "shape"        ? &current.has_shape
                 : key == "data_offsets" ? &current.has_data_offsets
                                         : nullptr;
    if (!seen) return fail(ec, "expected dtype, shape or data_offsets, found another field");
    if (std::exchange(*seen, true)) return fail(ec, key + ": expected once, found twice");
    field = std::move(key);
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    text.append(part);
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code& ec) {
    text.append(part);
    std::string value = std::exchange(text, {});
    if (in_metadata && depth == 2) return true;
    if (depth != 2 || in_array || field != "dtype")
      return fail(ec, "found a string where none belongs");
    current.dtype = std::move(value);
    return true;
  }
  bool on_number(std::uint64_t number, error_code& ec) {
    if (!in_array) return fail(ec, "found a number where none belongs");
    std::vector<std::uint64_t>& values = field == "shape" ? current.shape : current.data_offsets;
    if (values.size() == kRankMax)
      return fail(ec, fmt::format("{}: more than {} numbers", field, kRankMax));
    values.push_back(number);
    return true;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code& ec) {
    if (number < 0)
      return fail(ec, field + ": expected a number of at least 0, found a negative one");
    return on_number(static_cast<std::uint64_t>(number), ec);
  }
  bool on_uint64(std::uint64_t number, string_view, error_code& ec) {
    return on_number(number, ec);
  }
  bool on_double(double, string_view, error_code& ec) {
    return fail(ec, field + ": expected whole numbers, found a fraction or one over 64 bits");
  }
  bool on_bool(bool, error_code& ec) { return fail(ec, "found a boolean where none belongs"); }
  bool on_null(error_code& ec) { return fail(ec, "found null where none belongs"); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

std::vector<RawEntry> read_header(std::string_view header, const std::filesystem::path& file) {
  boost::json::parse_options options;
  options.max_depth = 4;
  boost::json::basic_parser<HeaderHandler> parser(options);
  boost::json::error_code ec;
  const std::size_t used = parser.write_some(false, header.data(), header.size(), ec);
  HeaderHandler& handler = parser.handler();
  if (!handler.problem.empty()) throw ConfigError(file, 0, handler.current.name, handler.problem);
  if (ec)
    throw ConfigError(
        file, 0, "header",
        "expected JSON, found at byte " + std::to_string(8 + used) + ": " + ec.message());
  // The format allows spaces after the object, to align the data.
  if (header.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
    throw ConfigError(file, 0, "header", "expected one JSON object, found more after it");
  }
  if (header.empty() || header.find_first_not_of(" \t\r\n") == std::string_view::npos ||
      header[header.find_first_not_of(" \t\r\n")] != '{') {
    throw ConfigError(file, 0, "header", "expected a JSON object");
  }
  return std::move(handler.entries);
}

SafetensorsEntry check_entry(const RawEntry& raw, std::span<const std::byte> data,
                             const std::filesystem::path& file) {
  const std::size_t size = dtype_size(raw.dtype);
  if (size == 0) {
    throw ConfigError(
        file, 0, raw.name,
        "dtype: expected one of safetensors' types, found '" + raw.dtype.substr(0, 32) + "'");
  }
  if (raw.data_offsets.size() != 2) {
    throw ConfigError(
        file, 0, raw.name,
        fmt::format("data_offsets: expected 2 numbers, found {}", raw.data_offsets.size()));
  }
  const std::uint64_t begin = raw.data_offsets[0];
  const std::uint64_t end = raw.data_offsets[1];
  if (begin > end || end > data.size()) {
    throw ConfigError(
        file, 0, raw.name,
        fmt::format("data_offsets: expected a range within the {} bytes of data, found [{}, {}]: "
                    "the file is truncated or its header is wrong",
                    data.size(), begin, end));
  }
  std::uint64_t expected = size;
  SafetensorsEntry entry{raw.dtype, {}, data.subspan(begin, end - begin)};
  for (const std::uint64_t n : raw.shape) {
    if (n == 0 || __builtin_mul_overflow(expected, n, &expected) || expected > data.size()) {
      throw ConfigError(
          file, 0, raw.name,
          fmt::format("shape: expected a tensor that fits the {} bytes of data, found [{}]",
                      data.size(), fmt::join(raw.shape, ", ")));
    }
    entry.shape.push_back(static_cast<std::int64_t>(n));
  }
  if (expected != end - begin) {
    throw ConfigError(file, 0, raw.name,
                      fmt::format("data_offsets: expected {} bytes for {}, found {}", expected,
                                  describe(entry), end - begin));
  }
  return entry;
}

// Sorted by position, each range must begin where the last one ended, and the last must end with
// the file.
void check_coverage(const SafetensorsHeader& header, std::span<const std::byte> data,
                    const std::filesystem::path& file) {
  std::vector<SafetensorsHeader::const_iterator> order;
  for (auto it = header.begin(); it != header.end(); ++it) order.push_back(it);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a->second.bytes.data() < b->second.bytes.data();
  });
  const std::byte* next = data.data();
  for (const auto& it : order) {
    if (it->second.bytes.data() != next) {
      throw ConfigError(
          file, 0, it->first,
          fmt::format(
              "data_offsets: expected to begin at {}, found {}: tensors overlap or leave a gap",
              next - data.data(), it->second.bytes.data() - data.data()));
    }
    next += it->second.bytes.size();
  }
  if (next != data.data() + data.size()) {
    throw ConfigError(file, 0, "",
                      fmt::format("expected {} bytes of data, as the header says, found {}",
                                  next - data.data(), data.size()));
  }
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    throw ConfigError(path, 0, "", "cannot be opened: " + std::generic_category().message(errno));
  struct stat status = {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
    ::close(fd);
    throw ConfigError(path, 0, "", "expected a file with content, found none");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);
  if (address == MAP_FAILED)
    throw ConfigError(path, 0, "", "cannot be mapped: " + std::generic_category().message(error));
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, {static_cast<const std::byte*>(address), size}));
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

SafetensorsHeader parse_safetensors(std::span<const std::byte> bytes,
                                    const std::filesystem::path& file) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof(length)) {
    throw ConfigError(file, 0, "header",
                      fmt::format("expected at least 8 bytes, found {}", bytes.size()));
  }
  std::memcpy(&length, bytes.data(), sizeof(length));
  const std::span<const std::byte> rest = bytes.subspan(sizeof(length));
  if (length > rest.size() || length > kHeaderBytesMax) {
    throw ConfigError(file, 0, "header",
                      fmt::format("expected a length of at most {}, found {}",
                                  std::min<std::uint64_t>(rest.size(), kHeaderBytesMax), length));
  }
  const std::span<const std::byte> data = rest.subspan(length);
  SafetensorsHeader header;
  for (const RawEntry& raw : read_header(
           {reinterpret_cast<const char*>(rest.data()), static_cast<std::size_t>(length)}, file)) {
    header.emplace(raw.name, check_entry(raw, data, file));
  }
  check_coverage(header, data, file);
  return header;
}

std::string describe(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string describe(const SafetensorsEntry& entry) {
  return entry.dtype + " " + describe(entry.shape);
}

void save_safetensors(const std::filesystem::path& path,
                      const std::map<std::string, FloatTensor>& tensors) {
  boost::json::object header;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    std::uint64_t count = 1;
    boost::json::array shape;
    for (const std::int64_t n : tensor.shape) {
      count *= static_cast<std::uint64_t>(n);
      shape.push_back(n);
    }
    if (count != tensor.data.size())
      throw std::invalid_argument(name + ": shape and data do not agree");
    const std::uint64_t end = offset + count * sizeof(float);
    header[name] = boost::json::object{
        {"dtype", "F32"}, {"shape", shape}, {"data_offsets", boost::json::array{offset, end}}};
    offset = end;
  }
  std::string text = boost::json::serialize(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  const std::filesystem::path partial = path.string() + ".partial";
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(&length), sizeof(length));
  out << text;
  for (const auto& [name, tensor] : tensors) {
    out.write(reinterpret_cast<const char*>(tensor.data.data()),
              static_cast<std::streamsize>(tensor.data.size() * sizeof(float)));
  }
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), partial.string());
  std::filesystem::rename(partial, path);
}

}  // namespace glyphward::model
