// Small stand-ins for what guard/ is built on, so that its own logic can be tested without a model
// or a real lexicon.
#pragma once

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "guard/audit/audit_log.h"
#include "guard/reading/ocr.h"
#include "lexicon/lexicon.h"
#include "model/pipeline.h"
#include "policy/policy.h"

namespace glyphward::guard {

// Whole words, any case.
class FakeLexicon : public lexicon::Lexicon {
 public:
  explicit FakeLexicon(std::vector<std::pair<std::string, int>> terms) {
    for (auto& [term, severity] : terms) terms_.push_back({term, "profanity", severity, "en"});
  }

  lexicon::Analysis analyze(std::string_view prompt,
                            lexicon::Syntax /*syntax*/ = lexicon::Syntax::Plain) const override {
    lexicon::Analysis analysis;
    for (std::size_t open = prompt.find('"'); open != std::string::npos;) {
      const std::size_t close = prompt.find('"', open + 1);
      if (close == std::string::npos) break;
      analysis.rendered.push_back(
          {std::string(prompt.substr(open + 1, close - open - 1)), open + 1, close, true});
      open = prompt.find('"', close + 1);
    }
    analysis.findings = find(prompt);
    for (lexicon::Finding& finding : analysis.findings)
      finding.rendered =
          std::any_of(analysis.rendered.begin(), analysis.rendered.end(),
                      [&](const lexicon::RenderedText& text) {
                        return text.start <= finding.start && finding.end <= text.end;
                      });
    return analysis;
  }

  std::vector<lexicon::Finding> find(std::string_view text) const override {
    std::vector<lexicon::Finding> findings;
    for (std::size_t start = 0; start < text.size();) {
      std::size_t end = start;
      std::string word;
      while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0)
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[end++])));
      for (const lexicon::Term& term : terms_)
        if (term.term == word)
          findings.push_back({term.term,
                              term.category,
                              term.severity,
                              term.language,
                              start,
                              end,
                              std::string(text.substr(start, end - start)),
                              true,
                              {},
                              {}});
      start = end + 1;
    }
    return findings;
  }

  const std::vector<lexicon::Term>& terms() const override { return terms_; }
  const std::string& holds_until() const override { return holds_until_; }
  const std::string& revision() const override { return revision_; }

 private:
  std::string holds_until_;
  std::vector<lexicon::Term> terms_;
  std::string revision_ = "lexicon";
};

// Puts one word for each rendered finding of severity 2 or more; severities 6 and 7 are reviewed
// and blocked.
class FakePolicy : public policy::Policy {
 public:
  explicit FakePolicy(std::shared_ptr<const lexicon::Lexicon> lexicon,
                      std::string word = "kindness")
      : lexicon_(std::move(lexicon)), word_(std::move(word)) {}

  policy::Decision decide(std::string_view prompt, const lexicon::Analysis& analysis,
                          std::string_view /*tenant*/) const override {
    policy::Decision decision;
    decision.rule = "fake";
    std::vector<lexicon::Finding> bad;
    for (const lexicon::Finding& finding : analysis.findings)
      if (finding.flags()) bad.push_back(finding);
    for (const lexicon::Finding& finding : bad) {
      decision.flagged = true;
      const policy::Action action = finding.severity == 7   ? policy::Action::Block
                                    : finding.severity == 6 ? policy::Action::Review
                                                            : policy::Action::Substitute;
      decision.action = std::max(decision.action, action);
    }
    decision.sanitized_prompt = prompt;
    if (decision.action == policy::Action::Substitute) {
      std::string sanitized;
      std::size_t at = 0;
      for (const lexicon::Finding& finding : bad) {
        sanitized += std::string(prompt.substr(at, finding.start - at)) + word_;
        decision.substitutions.push_back({finding.start, finding.end, finding.matched, word_});
        at = finding.end;
      }
      decision.sanitized_prompt = sanitized + std::string(prompt.substr(at));
    }
    for (const lexicon::RenderedText& text : lexicon_->analyze(decision.sanitized_prompt).rendered)
      decision.allowed_texts.push_back(text.text);
    return decision;
  }

  std::vector<policy::FindingTrace> explain(const lexicon::Analysis& /*analysis*/,
                                            std::string_view /*tenant*/) const override {
    return {};
  }
  const lexicon::Lexicon& lexicon() const override { return *lexicon_; }
  const policy::VerificationRules& verification() const override { return verification_; }
  const std::vector<policy::OwnCategory>& own_categories() const override { return own_; }
  const std::string& revision() const override { return revision_; }

  policy::VerificationRules& mutable_verification() { return verification_; }
  std::vector<policy::OwnCategory>& mutable_categories() { return own_; }

 private:
  std::shared_ptr<const lexicon::Lexicon> lexicon_;
  std::string word_;
  std::string revision_ = "policy";
  std::vector<policy::OwnCategory> own_;
  policy::VerificationRules verification_;
};

inline const std::string kLayers[] = {
    "down_blocks.0.attentions.0.attn2", "down_blocks.0.attentions.1.attn2",
    "mid_block.attentions.0.attn2", "up_blocks.0.attentions.0.attn2",
    "up_blocks.0.attentions.1.attn2"};

// Where a FakePipeline's picture has its text.
inline constexpr Box kFakeBox{10, 5, 30, 11};

// A plain picture with a block of ink for text; its first pixel is its number. What the text says
// is said by `draw`.
class FakePipeline : public model::Pipeline {
 public:
  using Draw = std::function<std::string(const model::GenerationRequest&)>;
  explicit FakePipeline(Draw draw) : draw_(std::move(draw)) {
    info_.name = "fake";
    info_.attention_layers.assign(std::begin(kLayers), std::end(kLayers));
    info_.localized_layers = {kLayers[0]};
    info_.profile_state = "localized";
    info_.weights_sha256 = "weights";
    info_.num_inference_steps = 2;
    info_.height = 16;
    info_.width = 48;
  }

  const model::ModelInfo& info() const override { return info_; }
  model::PromptFit fit(std::string_view prompt) const override {
    return {static_cast<int>(prompt.size()), window, std::min<std::size_t>(prompt.size(), window)};
  }
  Result<model::Generation> generate(const model::GenerationRequest& request, std::stop_token stop,
                                     const model::Progress& progress) override {
    requests.push_back(request);
    for (int step = 1; step <= 2; ++step) {
      if (stop.stop_requested()) return Error{ErrorCode::Cancelled, "stopped at a step", ""};
      if (progress) progress(step, 2);
    }
    texts.push_back(draw_(request));
    model::Image image{48, 16, std::vector<std::uint8_t>(48 * 16 * 3, 200)};
    for (int y = kFakeBox.y0; y < kFakeBox.y1; ++y)
      for (int x = kFakeBox.x0; x < kFakeBox.x1; ++x)
        image.rgb[3 * (static_cast<std::size_t>(y) * 48 + x)] = 0;
    image.rgb[0] = static_cast<std::uint8_t>(texts.size());
    model::Generation generation;
    generation.images.push_back(std::move(image));
    return generation;
  }

  model::ModelInfo& mutable_info() { return info_; }

  std::vector<model::GenerationRequest> requests;
  std::vector<std::string> texts;  // of the pictures, by number
  int window = 1000;

 private:
  Draw draw_;
  model::ModelInfo info_;
};

inline Reading reading_of(const std::vector<std::string>& passes, double confidence = 90) {
  Reading reading;
  for (const std::string& text : passes) {
    Pass pass{"pass " + std::to_string(reading.passes.size()), {}};
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) pass.words.push_back({text.substr(at, end - at), confidence, kFakeBox});
      at = end + 1;
    }
    reading.passes.push_back(pass);
  }
  if (!passes.empty()) reading.best = passes.front();
  if (std::any_of(passes.begin(), passes.end(),
                  [](const std::string& text) { return !text.empty(); }))
    reading.boxes.push_back(kFakeBox);
  return reading;
}

// Reads a FakePipeline's pictures: the text as long as any of its ink is there.
class FakeOcr : public Ocr {
 public:
  explicit FakeOcr(const FakePipeline& pipeline) : pipeline_(pipeline) {}
  Reading read(const model::Image& image) override {
    ++reads;
    if (fault) fault();
    const bool ink = std::count(image.rgb.begin() + 3, image.rgb.end(), 0) > 0;
    return reading_of({ink || reads_through_ink ? pipeline_.texts.at(image.rgb[0] - 1u) : ""});
  }

  std::function<void()> fault;
  bool reads_through_ink = false;  // as if redaction missed the text
  int reads = 0;

 private:
  const FakePipeline& pipeline_;
};

// Rows in memory, or a failure.
class FakeAudit : public AuditLog {
 public:
  Record append(Record record) override {
    if (failures > 0) {
      --failures;
      throw std::runtime_error("disk full");
    }
    record.sequence = static_cast<std::int64_t>(rows.size()) + 1;
    rows.push_back(record);
    return record;
  }
  std::vector<Record> list(const RecordFilter&) override { return rows; }
  std::optional<Record> find(const std::string&) override { return std::nullopt; }
  std::optional<Record> find(std::int64_t) override { return std::nullopt; }
  ChainCheck verify() override { return {}; }

  std::vector<Record> rows;
  int failures = 0;
};

}  // namespace glyphward::guard
