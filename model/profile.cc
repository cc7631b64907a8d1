#include "model/profile.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cmath>
#include <initializer_list>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/config_error.h"
#include "base/file.h"

namespace glyphward::model {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr const char* kFileName = "glyphward.json";
constexpr std::uintmax_t kFileBytesMax = 4u << 20;
constexpr double kFromShareMax = 0.99;

// One object of the file; `where` is its own key with a dot, for the messages.
class Section {
 public:
  Section(const json::value& value, const fs::path& file, std::string where,
          std::initializer_list<std::string_view> known)
      : file_(file), where_(std::move(where)) {
    object_ = value.if_object();
    if (object_ == nullptr) fail("", "expected an object, found " + json::serialize(value));
    for (const auto& member : *object_) {
      if (std::ranges::find(known, std::string_view(member.key())) != known.end()) continue;
      fail(std::string(member.key()),
           fmt::format("expected one of {}, found an unknown key", fmt::join(known, ", ")));
    }
  }

  const json::value* find(const char* key) const { return object_->if_contains(key); }

  const json::value& require(const char* key, json::kind kind) const {
    const json::value* value = find(key);
    if (value == nullptr) fail(key, "expected this key, found none");
    if (value->kind() != kind) {
      fail(key, fmt::format("expected {}, found {}", std::string_view(json::to_string(kind)),
                            json::serialize(*value)));
    }
    return *value;
  }

  std::optional<int> integer(const char* key, int min, int max) const {
    const json::value* value = find(key);
    if (value == nullptr) return std::nullopt;
    json::error_code error;
    const int number = value->to_number<int>(error);
    if (error || number < min || number > max) {
      fail(key, fmt::format("expected an integer from {} to {}, found {}", min, max,
                            json::serialize(*value)));
    }
    return number;
  }

  std::optional<double> number(const char* key, double min, double max) const {
    const json::value* value = find(key);
    if (value == nullptr) return std::nullopt;
    json::error_code error;
    const double number = value->to_number<double>(error);
    if (error || !(number >= min && number <= max)) {
      fail(key, fmt::format("expected a number from {} to {}, found {}", min, max,
                            json::serialize(*value)));
    }
    return number;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    std::string field = where_ + key;
    if (field.ends_with('.')) field.pop_back();
    throw ConfigError(file_, 0, field, message);
  }

 private:
  const fs::path& file_;
  std::string where_;
  const json::object* object_ = nullptr;
};

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Localization read_localization(const json::value& value, const fs::path& file) {
  const Section section(value, file, "localization.",
                        {"layers", "from_share", "sha256", "evidence"});
  Localization localization;
  for (const json::value& layer : section.require("layers", json::kind::array).as_array()) {
    if (!layer.is_string() || layer.as_string().empty()) {
      section.fail("layers", "expected layer names, found " + json::serialize(layer));
    }
    std::string name(layer.as_string());
    if (std::ranges::find(localization.layers, name) != localization.layers.end()) {
      section.fail("layers", "expected each layer once, found " + name + " twice");
    }
    localization.layers.push_back(std::move(name));
  }
  localization.sha256 = std::string(section.require("sha256", json::kind::string).as_string());
  if (!is_sha256(localization.sha256)) {
    section.fail("sha256",
                 "expected 64 hexadecimal digits in lower case, found " + localization.sha256);
  }
  localization.from_share = section.number("from_share", 0, kFromShareMax).value_or(0);
  if (section.find("evidence") != nullptr) {
    localization.evidence = section.require("evidence", json::kind::object).as_object();
  }
  return localization;
}

// People read and edit this file, so numbers are 0.95 and 2, not 9.5E-1 and 2E0, short values stand
// on their key's line and the others one member a line.
class PrettyWriter {
 public:
  std::string write(const json::value& value) {
    write_value(value, 0);
    out_ += '\n';
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kShort = 90;

  static std::string flat(const json::value& value) {
    std::string text;
    if (const json::object* object = value.if_object()) {
      for (const auto& member : *object) {
        text += (text.empty() ? "" : ", ") + json::serialize(json::value(member.key())) + ": " +
                flat(member.value());
      }
      return fmt::format("{{{}}}", text);
    }
    if (const json::array* array = value.if_array()) {
      for (const json::value& element : *array) text += (text.empty() ? "" : ", ") + flat(element);
      return fmt::format("[{}]", text);
    }
    return value.is_double() ? fmt::format("{}", value.as_double()) : json::serialize(value);
  }

  void write_value(const json::value& value, std::size_t depth) {
    const std::string short_form = flat(value);
    const bool is_container = value.is_object() || value.is_array();
    if (!is_container || short_form.size() <= kShort) {
      out_ += short_form;
      return;
    }
    out_ += value.is_object() ? '{' : '[';
    bool first = true;
    const auto write_member = [&](std::string_view key, const json::value& member) {
      out_ += first ? "\n" : ",\n";
      first = false;
      out_.append(2 * (depth + 1), ' ');
      out_ += key;
      write_value(member, depth + 1);
    };
    if (const json::object* object = value.if_object()) {
      for (const auto& member : *object) {
        write_member(json::serialize(json::value(member.key())) + ": ", member.value());
      }
    } else {
      for (const json::value& element : value.as_array()) write_member("", element);
    }
    out_ += '\n';
    out_.append(2 * depth, ' ');
    out_ += value.is_object() ? '}' : ']';
  }

  std::string out_;
};

json::object to_json(const Profile& profile) {
  json::object defaults;
  if (profile.num_inference_steps) defaults["num_inference_steps"] = *profile.num_inference_steps;
  if (profile.guidance_scale) defaults["guidance_scale"] = *profile.guidance_scale;
  if (profile.height) defaults["height"] = *profile.height;
  if (profile.width) defaults["width"] = *profile.width;
  json::object root;
  if (!defaults.empty()) root["defaults"] = std::move(defaults);
  if (profile.localization) {
    json::object localization{{"layers", json::value_from(profile.localization->layers)}};
    if (profile.localization->from_share > 0) {
      localization["from_share"] = profile.localization->from_share;
    }
    localization["sha256"] = profile.localization->sha256;
    localization["evidence"] = profile.localization->evidence;
    root["localization"] = std::move(localization);
  }
  return root;
}

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Written whole, flushed to the disk, then renamed: a reader sees the old file or the new one.
void replace_file(const fs::path& file, std::string_view text) {
  std::string temporary = file.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) throw_errno("cannot write beside " + file.string());
  const auto write_all = [&] {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      done += static_cast<std::size_t>(count);
    }
    return ::fchmod(descriptor, 0644) == 0 && ::fsync(descriptor) == 0;
  };
  bool good = write_all();
  int error = errno;
  if (::close(descriptor) != 0 && good) {
    good = false;
    error = errno;
  }
  if (good && ::rename(temporary.c_str(), file.c_str()) != 0) {
    good = false;
    error = errno;
  }
  if (good) return;
  ::unlink(temporary.c_str());
  throw std::system_error(error, std::generic_category(), "cannot write " + file.string());
}

}  // namespace

Profile load_profile(const fs::path& checkpoint) {
  const fs::path file = checkpoint / kFileName;
  std::error_code missing;
  if (fs::symlink_status(file, missing).type() == fs::file_type::not_found) return {};
  json::error_code error;
  const json::value value = json::parse(read_file(file, kFileBytesMax), error);
  if (error) throw ConfigError(file, 0, "", "expected JSON, found: " + error.message());

  const Section root(value, file, "", {"defaults", "localization"});
  Profile profile;
  if (const json::value* defaults = root.find("defaults")) {
    const Section section(*defaults, file, "defaults.",
                          {"num_inference_steps", "guidance_scale", "height", "width"});
    profile.num_inference_steps = section.integer("num_inference_steps", 1, 1000);
    profile.guidance_scale = section.number("guidance_scale", 1, 100);
    profile.height = section.integer("height", 8, 8192);
    profile.width = section.integer("width", 8, 8192);
  }
  if (const json::value* localization = root.find("localization")) {
    profile.localization = read_localization(*localization, file);
  }
  return profile;
}

int from_step(double share, int steps) {
  return std::clamp(static_cast<int>(std::lround(share * steps)), 0, std::max(0, steps - 1));
}

void save_profile(const fs::path& checkpoint, const Profile& profile) {
  replace_file(checkpoint / kFileName, PrettyWriter().write(to_json(profile)));
}

}  // namespace glyphward::model
