#include "daemon/http/openai.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "base/utf8.h"
#include "guard/finding_json.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

constexpr int kModerationInputsMax = 32;
// Fields of OpenAI's that change nothing here.
constexpr std::string_view kIgnored[] = {
    "quality", "style", "background", "moderation", "output_compression", "partial_images"};

ApiError invalid(const std::string& param, const std::string& message,
                 const std::string& code = "invalid_value") {
  return {400, "invalid_request_error", code, param + ": " + message, param};
}

std::string kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "a whole number";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      break;
  }
  return "an object";
}

// Reads an object field by field, keeps the first fault, and knows in the end which fields nobody
// asked for.
class FieldReader {
 public:
  explicit FieldReader(const json::object& object) : object_(object) {}

  // Null where the field is absent or null.
  const json::value* field(std::string_view name) {
    known_.push_back(name);
    const json::value* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  void text(std::string_view name, std::string& target) {
    const json::value* value = field(name);
    if (value == nullptr) return;
    if (!value->is_string()) return wrong_type(name, "a string", *value);
    target = std::string(value->as_string());
  }

  template <typename Number>
  std::optional<Number> whole(std::string_view name) {
    const json::value* value = field(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_int64() && !value->is_uint64()) {
      wrong_type(name, "a whole number", *value);
      return std::nullopt;
    }
    boost::system::error_code error;
    const auto number = value->to_number<Number>(error);
    if (error) {
      fault(invalid(std::string(name), fmt::format("expected a whole number from {} to {}",
                                                   std::numeric_limits<Number>::min(),
                                                   std::numeric_limits<Number>::max())));
      return std::nullopt;
    }
    return number;
  }

  std::optional<double> number(std::string_view name) {
    const json::value* value = field(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) {
      wrong_type(name, "a number", *value);
      return std::nullopt;
    }
    return value->to_number<double>();
  }

  void wrong_type(std::string_view name, std::string_view expected, const json::value& found) {
    fault(invalid(std::string(name), fmt::format("expected {}, found {}", expected, kind_of(found)),
                  "invalid_type"));
  }

  void fault(ApiError error) {
    if (!fault_) fault_ = std::move(error);
  }

  // The first fault, or that of a field that nobody asked for.
  std::optional<ApiError> finish() {
    for (const auto& [name, value] : object_) {
      if (fault_) break;
      if (std::find(known_.begin(), known_.end(), std::string_view(name)) != known_.end()) continue;
      const std::string shown(name.substr(0, 64));
      fault_ = ApiError{400, "invalid_request_error", "unknown_parameter",
                        fmt::format("Unknown parameter: '{}'.", shown), shown};
    }
    return fault_;
  }

 private:
  const json::object& object_;
  std::vector<std::string_view> known_;
  std::optional<ApiError> fault_;
};

// Strings keep invalid UTF-8: the screening finds it and names the field, where a parser names an
// offset.
ApiResult<json::object> parse_object(std::string_view body) {
  json::parse_options options;
  options.max_depth = 16;
  options.allow_invalid_utf8 = true;
  boost::system::error_code error;
  json::value value = json::parse(body, error, {}, options);
  if (error) {
    return ApiError{400, "invalid_request_error", "invalid_json",
                    "the body is not valid JSON: " + error.message()};
  }
  if (!value.is_object()) {
    return ApiError{400, "invalid_request_error", "invalid_json",
                    "the body: expected a JSON object, found " + kind_of(value)};
  }
  return std::move(value.as_object());
}

// "WxH", or "auto" for the model's own.
void read_size(FieldReader& reader, GenerationCall& call) {
  guard::ImageRequest& request = call.request;
  std::string size;
  reader.text("size", size);
  if (size.empty() || size == "auto") return;
  const char* const end = size.data() + size.size();
  int width = 0;
  int height = 0;
  const auto after_width = std::from_chars(size.data(), end, width);
  bool good = after_width.ec == std::errc() && after_width.ptr != end && *after_width.ptr == 'x';
  if (good) {
    const auto after_height = std::from_chars(after_width.ptr + 1, end, height);
    good = after_height.ec == std::errc() && after_height.ptr == end && width > 0 && height > 0;
  }
  if (!good) {
    return reader.fault(
        invalid("size", R"(expected "WIDTHxHEIGHT" in pixels, such as "512x512", or "auto")"));
  }
  if ((request.settings.width && *request.settings.width != width) ||
      (request.settings.height && *request.settings.height != height)) {
    return reader.fault(invalid("size", "width and height say otherwise"));
  }
  request.settings.width = width;
  request.settings.height = height;
  call.size_given = true;
}

void read_fixed(FieldReader& reader, std::string_view name, std::string_view only,
                std::string_view why) {
  std::string value(only);
  reader.text(name, value);
  if (value != only) {
    reader.fault(invalid(std::string(name), fmt::format("expected \"{}\": {}", only, why),
                         "unsupported_value"));
  }
}

void read_model(FieldReader& reader, const model::ModelInfo& info) {
  std::string model = info.name;
  reader.text("model", model);
  if (model != info.name) {
    reader.fault({404, "invalid_request_error", "model_not_found",
                  fmt::format("model: this daemon serves \"{}\" only", info.name), "model"});
  }
}

std::uint64_t random_seed() {
  std::uint32_t seed = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&seed), sizeof seed) != 1) {
    throw std::runtime_error("libcrypto has no random bytes");
  }
  return seed;
}

// A seed that is not given is drawn: two equal requests of an OpenAI client give two pictures.
void read_seed(FieldReader& reader, guard::ImageRequest& request) {
  constexpr std::uint64_t kSeedMax = std::numeric_limits<std::int64_t>::max();
  const json::value* value = reader.field("seed");
  if (value == nullptr) {
    request.seed = random_seed();
    return;
  }
  boost::system::error_code error;
  std::uint64_t seed = 0;
  if (value->is_int64() || value->is_uint64()) seed = value->to_number<std::uint64_t>(error);
  if (!(value->is_int64() || value->is_uint64()) || error || seed > kSeedMax - guard::kImagesMax) {
    return reader.fault(
        invalid("seed", fmt::format("expected a whole number from 0 to {}, found {}",
                                    kSeedMax - guard::kImagesMax, kind_of(*value))));
  }
  request.seed = seed;
}

void read_prompt(FieldReader& reader, std::string& prompt) {
  const json::value* value = reader.field("prompt");
  if (value == nullptr) {
    return reader.fault({400, "invalid_request_error", "missing_required_parameter",
                         "Missing required parameter: 'prompt'.", "prompt"});
  }
  if (!value->is_string()) return reader.wrong_type("prompt", "a string", *value);
  prompt = std::string(value->as_string());
}

// Of the client's choice, for the operator's records: short and printable, or an error.
void read_user(FieldReader& reader, guard::ImageRequest& request) {
  std::string user;
  reader.text("user", user);
  if (user.empty()) return;
  if (user.size() > 256 || !is_utf8(user)) {
    return reader.fault(invalid("user", "expected at most 256 bytes of UTF-8"));
  }
  request.client = " user=" + json::serialize(json::string(user));
}

}  // namespace

void throw_exception_from_error(const ApiError& error, const boost::source_location& /*where*/) {
  throw std::runtime_error(error.message);
}

Response to_response(const ApiError& error) {
  Response response;
  response.status = error.status;
  json::object object{
      {"message", error.message},
      {"type", error.type},
      {"param", error.param.empty() ? json::value(nullptr) : json::value(error.param)},
      {"code", error.code}};
  response.body = json::object{{"error", std::move(object)}};
  if (error.status == 429) response.headers.emplace_back("Retry-After", "1");
  if (error.status < 500 && error.status != 429) {
    response.headers.emplace_back("x-should-retry", "false");
  }
  return response;
}

Response to_response(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidRequest:
      return to_response(
          ApiError{400, "invalid_request_error", "invalid_value", error.message, error.param});
    case ErrorCode::NotFound:
      return to_response(
          ApiError{404, "invalid_request_error", "not_found", error.message, error.param});
    case ErrorCode::Overloaded:
      return to_response(ApiError{429, "rate_limit_error", "queue_full", error.message});
    case ErrorCode::DeadlineExceeded:
      return to_response(ApiError{504, "server_error", "deadline_exceeded", error.message});
    case ErrorCode::Cancelled:
    case ErrorCode::Unavailable:
      return to_response(ApiError{503, "server_error", "unavailable", error.message});
    case ErrorCode::Internal:
      break;
  }
  return to_response(ApiError{500, "server_error", "internal_error", error.message});
}

ApiResult<GenerationCall> parse_generation(std::string_view body, const model::ModelInfo& info) {
  const ApiResult<json::object> object = parse_object(body);
  if (!object) return object.error();
  FieldReader reader(*object);
  GenerationCall call;
  guard::ImageRequest& request = call.request;
  read_prompt(reader, request.prompt);
  read_model(reader, info);
  if (const auto n = reader.whole<int>("n")) request.n = *n;
  request.settings.height = reader.whole<int>("height");
  request.settings.width = reader.whole<int>("width");
  read_size(reader, call);
  read_seed(reader, request);
  request.settings.num_inference_steps = reader.whole<int>("num_inference_steps");
  request.settings.guidance_scale = reader.number("guidance_scale");
  reader.text("negative_prompt", request.negative_prompt);
  reader.text("scheduler", request.settings.scheduler);
  read_user(reader, request);
  read_fixed(reader, "response_format", "b64_json", "this service keeps no pictures to link to");
  read_fixed(reader, "output_format", "png", "it is the only format here");
  if (const json::value* stream = reader.field("stream");
      stream != nullptr && (!stream->is_bool() || stream->as_bool())) {
    reader.fault(
        invalid("stream", "expected false: pictures are not streamed", "unsupported_value"));
  }
  for (const std::string_view name : kIgnored) {
    if (reader.field(name) != nullptr) call.ignored.emplace_back(name);
  }
  if (auto fault = reader.finish()) return *fault;
  return call;
}

json::object generation_reply(const guard::Reply& reply, const GenerationCall& call,
                              std::int64_t created_s) {
  const guard::Record& record = reply.record;
  json::array data;
  json::array images;
  for (std::size_t i = 0; i < reply.images.size(); ++i) {
    const guard::ReleasedImage& image = reply.images[i];
    json::object entry{{"b64_json", base64(image.png)}};
    if (!record.sanitized_prompt.empty()) entry["revised_prompt"] = record.sanitized_prompt;
    data.push_back(std::move(entry));
    images.push_back(json::object{
        {"seed", call.request.seed + i}, {"route", image.route}, {"reading", image.reading}});
  }
  json::object glyphward{{"request_id", record.request_id},
                         {"sequence", record.sequence},
                         {"action", record.action},
                         {"rule", record.rule},
                         {"route", record.route},
                         {"reading", record.ocr_reading},
                         {"policy_revision", record.policy_revision},
                         {"images", std::move(images)}};
  if (!call.ignored.empty()) {
    glyphward["ignored"] = json::array(call.ignored.begin(), call.ignored.end());
  }
  json::object body{{"created", created_s}, {"data", std::move(data)}, {"output_format", "png"}};
  if (!reply.images.empty()) {
    const model::Image& first = reply.images.front().image;
    body["size"] = fmt::format("{}x{}", first.width, first.height);
  }
  body["glyphward"] = std::move(glyphward);
  return body;
}

Response refusal_response(const guard::Refusal& refusal) {
  const guard::Record& record = refusal.record;
  Response response = to_response(
      ApiError{400, "invalid_request_error", "content_policy_violation", refusal.reason, "prompt"});
  response.body.as_object()["glyphward"] =
      json::object{{"request_id", record.request_id},
                   {"sequence", record.sequence},
                   {"action", record.action},
                   {"rule", record.rule},
                   {"policy_revision", record.policy_revision}};
  return response;
}

ApiResult<std::vector<std::string>> parse_moderation(std::string_view body) {
  const ApiResult<json::object> object = parse_object(body);
  if (!object) return object.error();
  FieldReader reader(*object);
  std::vector<std::string> inputs;
  std::string model;
  reader.text("model", model);  // OpenAI's own names are as good as any: one lexicon answers all
  const json::value* input = reader.field("input");
  if (input == nullptr) {
    reader.fault({400, "invalid_request_error", "missing_required_parameter",
                  "Missing required parameter: 'input'.", "input"});
  } else if (input->is_string()) {
    inputs.emplace_back(input->as_string());
  } else if (input->is_array()) {
    for (const json::value& entry : input->as_array()) {
      const json::value* text = &entry;
      if (const json::object* part = entry.if_object()) {
        const json::value* type = part->if_contains("type");
        text =
            type != nullptr && *type == json::value("text") ? part->if_contains("text") : nullptr;
      }
      if (text == nullptr || !text->is_string()) {
        reader.fault(invalid("input", "expected strings or text parts: only text is judged here"));
        break;
      }
      inputs.emplace_back(text->as_string());
    }
    if (inputs.empty() || inputs.size() > kModerationInputsMax) {
      reader.fault(invalid("input", fmt::format("expected 1 to {} texts", kModerationInputsMax)));
    }
  } else {
    reader.wrong_type("input", "a string or an array", *input);
  }
  if (auto fault = reader.finish()) return *fault;
  return inputs;
}

json::object moderation_result(const guard::Screened& screened) {
  json::object categories;
  json::object scores;
  for (const lexicon::Category& category : lexicon::kCategories) {
    categories[category.name] = false;
    scores[category.name] = 0.0;
  }
  for (const lexicon::Finding& finding : screened.analysis.findings) {
    if (finding.flags()) {
      categories[finding.category] = true;
    }
    const double score = static_cast<double>(finding.severity) / lexicon::kSeverityMax;
    json::value& highest = scores[finding.category];
    if (!highest.is_double() || highest.as_double() < score) highest = score;
    if (!categories.contains(finding.category)) categories[finding.category] = false;
  }
  return {{"flagged", screened.decision.flagged},
          {"categories", std::move(categories)},
          {"category_scores", std::move(scores)},
          {"action", policy::to_string(screened.decision.action)},
          {"findings", guard::findings_json(screened.analysis)}};
}

ApiResult<std::string> tenant_of(const Exchange& exchange) {
  constexpr std::string_view kHeader = "OpenAI-Project";
  std::string tenant;
  for (const auto& [name, value] : exchange.headers) {
    if (!boost::beast::iequals(name, kHeader)) continue;
    if (!tenant.empty() || !policy::is_tenant(value)) {
      return invalid(std::string(kHeader),
                     "expected one such header, of 1 to 64 of A-Z a-z 0-9 . _ : -");
    }
    tenant = value;
  }
  return tenant;
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace glyphward::daemon
