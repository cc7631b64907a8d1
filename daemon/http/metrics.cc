// Prometheus' text format, version 0.0.4. docs/man/glyphwardd.8 lists the metrics.
#include <fmt/format.h>

#include <iterator>
#include <tuple>

#include "daemon/http/api.h"
#include "policy/decision.h"

namespace glyphward::daemon {
namespace {

// So that a new action has its count and its line, or does not compile.
static_assert(std::tuple_size_v<ActionCounts> == policy::kActions.size());

class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_),
                   "# HELP glyphward_{0} {2}\n# TYPE glyphward_{0} {1}\n", name, type, help);
  }
  // labels: `action="allow"`, of our own words only, so nothing needs escaping.
  void sample(std::string_view name, const std::string& labels, std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "glyphward_{}{} {}\n", name,
                   labels.empty() ? "" : "{" + labels + "}", value);
  }
  // A family of one sample.
  void single(std::string_view name, std::string_view type, std::string_view help,
              std::uint64_t value) {
    family(name, type, help);
    sample(name, "", value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_requests(Text& text, const EngineStatus& engine) {
  text.family("generations_total", "counter", "Picture requests that were accepted, by outcome.");
  const std::pair<const char*, std::uint64_t> outcomes[] = {{"answered", engine.answered},
                                                            {"refused", engine.refused},
                                                            {"cancelled", engine.cancelled},
                                                            {"failed", engine.failed}};
  for (const auto& [outcome, count] : outcomes)
    text.sample("generations_total", fmt::format("outcome=\"{}\"", outcome), count);
  text.single("overloaded_total", "counter", "Picture requests that a full queue turned away.",
              engine.overloaded);
  text.family("decisions_total", "counter", "What the policy decided, by endpoint and action.");
  const std::pair<const char*, const ActionCounts*> endpoints[] = {
      {"generations", &engine.generation_actions}, {"moderations", &engine.moderation_actions}};
  for (const auto& [endpoint, counts] : endpoints) {
    for (const policy::Action action : policy::kActions) {
      text.sample("decisions_total",
                  fmt::format("endpoint=\"{}\",action=\"{}\"", endpoint, policy::to_string(action)),
                  counts->at(static_cast<std::size_t>(action)));
    }
  }
}

void add_policy(Text& text, const PolicyStore& policy) {
  text.family("policy_reloads_total", "counter", "Loads of the policy, the first one included.");
  text.sample("policy_reloads_total", "result=\"ok\"", policy.reloads());
  text.sample("policy_reloads_total", "result=\"failed\"", policy.failed_reloads());
  text.single("policy_last_reload_ok", "gauge", "1 if the last load succeeded.",
              policy.last_error().empty() ? 1 : 0);
  if (!policy.current()) return;
  text.family("policy_info", "gauge", "The revision in force.");
  text.sample("policy_info", fmt::format("revision=\"{}\"", policy.current()->revision()), 1);
  text.single("policy_loaded_timestamp_seconds", "gauge", "When it was loaded.",
              static_cast<std::uint64_t>(policy.loaded_at_s()));
  text.single("lexicon_terms", "gauge", "Terms of its lexicons.",
              policy.current()->lexicon().terms().size());
}

}  // namespace

Response metrics_response(const EngineStatus& engine, const PolicyStore& policy,
                          int queue_size_max) {
  Text text;
  text.family("build_info", "gauge", "The version of glyphwardd.");
  text.sample("build_info", fmt::format("version=\"{}\"", GLYPHWARD_VERSION), 1);
  text.single("ready", "gauge", "1 if requests are answered.",
              not_ready_reason(engine, policy).empty() ? 1 : 0);
  text.single("queue_waiting", "gauge", "Picture requests that wait.",
              static_cast<std::uint64_t>(engine.queued));
  text.single("queue_size_max", "gauge", "How many may wait.",
              static_cast<std::uint64_t>(queue_size_max));
  text.single("worker_busy", "gauge", "1 while a picture is made.", engine.working ? 1 : 0);
  add_requests(text, engine);
  add_policy(text, policy);
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = text.take();
  return response;
}

}  // namespace glyphward::daemon
