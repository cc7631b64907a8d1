#include "daemon/http/openai.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <boost/beast/core/string.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <limits>
#include <map>
#include <stdexcept>

#include "base/base64.h"
#include "base/utf8.h"
#include "daemon/http/field_reader.h"
#include "guard/finding_json.h"
#include "guard/reply_json.h"

namespace glyphward::daemon {
namespace json = boost::json;

namespace {

// ---- A request for pictures

// Fields of OpenAI's that change nothing here.
constexpr std::string_view kIgnored[] = {
    "quality", "style", "background", "moderation", "output_compression", "partial_images"};

void read_prompt(FieldReader& reader, std::string& prompt) {
  const json::value* value = reader.required("prompt");
  if (value == nullptr) return;
  if (!value->is_string()) return reader.wrong_type("prompt", "a string", *value);
  prompt = std::string(value->as_string());
}

void read_model(FieldReader& reader, const model::ModelInfo& info) {
  std::string model = info.name;
  reader.text("model", model);
  if (model != info.name) {
    reader.fault({404, kInvalidRequest, "model_not_found",
                  fmt::format("model: this daemon serves \"{}\" only", info.name), "model"});
  }
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

void read_fixed(FieldReader& reader, std::string_view name, std::string_view only,
                std::string_view why) {
  std::string value(only);
  reader.text(name, value);
  if (value != only) {
    reader.fault(invalid(std::string(name), fmt::format("expected \"{}\": {}", only, why),
                         "unsupported_value"));
  }
}

void read_stream(FieldReader& reader) {
  const json::value* stream = reader.field("stream");
  if (stream != nullptr && (!stream->is_bool() || stream->as_bool())) {
    reader.fault(
        invalid("stream", "expected false: pictures are not streamed", "unsupported_value"));
  }
}

// ---- A request for a moderation

// A string, or {"type": "text", "text": "..."}; null for anything else.
const json::string* text_of(const json::value& entry) {
  const json::object* part = entry.if_object();
  if (part == nullptr) return entry.if_string();
  const json::value* type = part->if_contains("type");
  const json::value* text = part->if_contains("text");
  const bool is_text = type != nullptr && *type == json::value("text");
  return is_text && text != nullptr ? text->if_string() : nullptr;
}

void read_texts(FieldReader& reader, const json::array& entries, std::vector<std::string>& texts) {
  for (const json::value& entry : entries) {
    const json::string* text = text_of(entry);
    if (text == nullptr) {
      reader.fault(invalid("input", "expected strings or text parts: only text is judged here"));
      break;
    }
    texts.emplace_back(*text);
  }
  if (texts.empty() || texts.size() > guard::kModerationTextsMax) {
    reader.fault(
        invalid("input", fmt::format("expected 1 to {} texts", guard::kModerationTextsMax)));
  }
}

void read_input(FieldReader& reader, std::vector<std::string>& texts) {
  const json::value* input = reader.required("input");
  if (input == nullptr) return;
  if (input->is_string()) {
    texts.emplace_back(input->as_string());
  } else if (input->is_array()) {
    read_texts(reader, input->as_array(), texts);
  } else {
    reader.wrong_type("input", "a string or an array", *input);
  }
}

}  // namespace

ApiResult<GenerationCall> parse_generation(std::string_view body, const model::ModelInfo& info) {
  const ApiResult<json::object> object = parse_object(body);
  if (!object) return object.error();
  FieldReader reader(*object);
  GenerationCall call;
  guard::ImageRequest& request = call.request;
  read_prompt(reader, request.prompt);
  read_model(reader, info);
  if (const auto n = reader.whole("n")) request.n = *n;
  request.settings.height = reader.whole("height");
  request.settings.width = reader.whole("width");
  read_size(reader, call);
  read_seed(reader, request);
  request.settings.num_inference_steps = reader.whole("num_inference_steps");
  request.settings.guidance_scale = reader.number("guidance_scale");
  reader.text("negative_prompt", request.negative_prompt);
  reader.text("scheduler", request.settings.scheduler);
  read_user(reader, request);
  read_fixed(reader, "response_format", "b64_json", "this service keeps no pictures to link to");
  read_fixed(reader, "output_format", "png", "it is the only format here");
  read_stream(reader);
  for (const std::string_view name : kIgnored) {
    if (reader.field(name) != nullptr) call.ignored.emplace_back(name);
  }
  if (auto fault = reader.finish()) return *fault;
  return call;
}

ApiResult<std::vector<std::string>> parse_moderation(std::string_view body) {
  const ApiResult<json::object> object = parse_object(body);
  if (!object) return object.error();
  FieldReader reader(*object);
  std::vector<std::string> texts;
  std::string model;
  reader.text("model", model);  // OpenAI's own names are as good as any: one lexicon answers all
  read_input(reader, texts);
  if (auto fault = reader.finish()) return *fault;
  return texts;
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

// ---- Replies

json::object generation_reply(const guard::Reply& reply, const GenerationCall& call,
                              std::int64_t created_s) {
  json::array data;
  for (const guard::ReleasedImage& image : reply.images) {
    json::object entry{{"b64_json", base64_encode(image.png)}};
    const std::string& sanitized_prompt = reply.record.sanitized_prompt;
    if (!sanitized_prompt.empty()) entry["revised_prompt"] = sanitized_prompt;
    data.push_back(std::move(entry));
  }
  json::object body{{"created", created_s}, {"data", std::move(data)}, {"output_format", "png"}};
  if (!reply.images.empty()) {
    const model::Image& first = reply.images.front().image;
    body["size"] = fmt::format("{}x{}", first.width, first.height);
  }
  json::object glyphward = guard::reply_json(reply, call.request.seed);
  if (!call.ignored.empty()) {
    glyphward["ignored"] = json::array(call.ignored.begin(), call.ignored.end());
  }
  body["glyphward"] = std::move(glyphward);
  return body;
}

Response refusal_response(const guard::Refusal& refusal) {
  const ApiError error{400, kInvalidRequest, "content_policy_violation", refusal.reason, "prompt"};
  const guard::Record& record = refusal.record;
  json::object body = to_json(error);
  body["glyphward"] = json::object{{"request_id", record.request_id},
                                   {"sequence", record.sequence},
                                   {"action", record.action},
                                   {"rule", record.rule},
                                   {"policy_revision", record.policy_revision}};
  Response response = to_response(error);
  response.body = json::serialize(body);
  return response;
}

json::object moderation_result(const guard::Screened& screened) {
  json::object categories;
  json::object scores;
  json::object openai;
  std::map<std::string_view, std::string_view> under;  // OpenAI's category of each of ours
  for (const lexicon::Category& category : lexicon::kCategories)
    under.emplace(category.name, category.openai);
  for (const policy::OwnCategory& category : screened.policy->own_categories())
    under.emplace(category.name, category.openai);
  for (const std::string_view name : lexicon::kOpenAiCategories) openai[name] = false;
  for (const auto& [name, _] : under) {
    categories[name] = false;
    scores[name] = 0.0;
  }
  for (const lexicon::Finding& finding : screened.analysis.findings) {
    if (finding.flags()) {
      categories[finding.category] = true;
      const auto it = under.find(finding.category);
      if (it != under.end() && openai.contains(it->second)) openai[it->second] = true;
    }
    const double score = static_cast<double>(finding.severity) / lexicon::kSeverityMax;
    json::value& highest = scores[finding.category];
    if (!highest.is_double() || highest.as_double() < score) highest = score;
  }
  json::object result{{"flagged", screened.decision.flagged},
                      {"categories", std::move(categories)},
                      {"category_scores", std::move(scores)},
                      {"openai_categories", std::move(openai)},
                      {"action", policy::to_string(screened.decision.action)},
                      {"findings", guard::findings_json(screened.analysis)}};
  for (auto& [key, value] : guard::totals_json(screened.analysis)) result[key] = std::move(value);
  return result;
}

}  // namespace glyphward::daemon
