#include "lexicon/text/extraction.h"

#include <algorithm>
#include <optional>

#include "lexicon/text/extraction/context.h"
#include "lexicon/text/extraction/cues.h"
#include "lexicon/text/extraction/scene.h"
#include "lexicon/text/markup/drawn.h"
#include "lexicon/text/markup/json_values.h"
#include "lexicon/text/markup/source.h"

namespace glyphward::lexicon {
namespace {

using extraction::JsonBlock;
using extraction::JsonValue;
using extraction::Marked;
using extraction::Scene;
using extraction::Shown;
using extraction::Source;
using extraction::Span;

constexpr int kDepthMax = 3;  // prompts in JSON in prompts

using ByteRange = std::pair<std::size_t, std::size_t>;

class Extractor {
 public:
  Extractor(std::string_view prompt, Syntax syntax) : prompt_(prompt), syntax_(syntax) {}

  Extraction run() && {
    const Source plain{std::string(prompt_)};
    read(decode_markup(resolve_syntax(plain, syntax_)), 0);
    finish();
    return std::move(result_);
  }

 private:
  void read(const Source& source, int depth) {
    if (source.text().empty() || depth > kDepthMax) return;
    const std::vector<JsonBlock> blocks = find_json(source);
    std::vector<ByteRange> held;
    for (const JsonBlock& block : blocks) {
      held.emplace_back(block.start, block.end);
      for (const JsonValue& value : block.values) {
        if (value.shown) {
          add(value.text,
              {0, static_cast<std::uint32_t>(value.text.text().size()), true, Certainty::Surely});
        } else {
          read(value.text, depth + 1);
        }
      }
    }
    Scene scene(source.text(), held);
    if (const std::optional<Span> inner = wrapped(scene)) {
      return read(source.part(scene[inner->first].start, scene[inner->last - 1].end), depth + 1);
    }
    std::vector<bool> cued(scene.marked().size());
    std::vector<Shown> shown = read_cues(scene, cued);
    const std::vector<Shown> quotations = judge_quotations(scene, cued);
    shown.insert(shown.end(), quotations.begin(), quotations.end());
    for (const Shown& one : shown) add_alternatives(source, one);
    for (const Span& span : doubtful(scene, shown)) {
      result_.doubtful.emplace_back(source.start(scene[span.first].start),
                                    source.end(scene[span.last - 1].end));
    }
  }

  // A prompt that is put in quotation marks as a whole: what stands between them, if it asks for
  // text by itself.
  static std::optional<Span> wrapped(const Scene& scene) {
    if (scene.marked().size() != 1) return std::nullopt;
    const Marked& marked = scene.marked().front();
    const bool whole = marked.first == 0 && marked.last == scene.size() && scene.size() > 4;
    if (!whole) return std::nullopt;
    bool bears = false;
    bool asks = false;
    for (std::size_t i = 1; i + 1 < scene.size(); ++i) {
      bears = bears || scene.is(i, extraction::kBearer | extraction::kNoun);
      const bool mark = scene[i].kind == extraction::TokenKind::Sign && !scene[i].apostrophe &&
                        extraction::is_quotation_mark(scene[i].first);
      asks = asks || mark || scene.is(i, extraction::kSays);
    }
    if (!bears || !asks) return std::nullopt;
    return Span{1, scene.size() - 1};
  }

  // {open|closed} in a text, where braces are syntax: one text each.
  void add_alternatives(const Source& source, const Shown& one) {
    const std::string& text = source.text();
    const bool syntax = syntax_ == Syntax::A1111 || syntax_ == Syntax::ComfyUi;
    if (!syntax || !one.quoted) return add(source, one);
    // Not beyond the text: many texts would each look through the whole prompt.
    const std::string_view inside(text.data() + one.start,
                                  std::max(one.start, one.end) - one.start);
    if (inside.find('{') == inside.npos) return add(source, one);
    std::size_t first = one.start;
    for (std::size_t at = one.start; at <= one.end; ++at) {
      if (at < one.end && std::string_view("{|}").find(text[at]) == std::string_view::npos)
        continue;
      Shown part = one;
      part.start = static_cast<std::uint32_t>(first);
      part.end = static_cast<std::uint32_t>(at);
      while (part.start < part.end && text[part.start] == ' ') ++part.start;
      while (part.end > part.start && text[part.end - 1] == ' ') --part.end;
      add(source, part);
      first = at + 1;
    }
  }

  void add(const Source& source, const Shown& one) {
    if (one.start >= one.end) return;
    RenderedText text;
    text.text = source.text().substr(one.start, one.end - one.start);
    text.start = source.start(one.start);
    text.end = source.end(one.end);
    text.quoted = one.quoted;
    text.certainty = one.certainty;
    if (text.start >= text.end) return;
    if (text.text != prompt_.substr(text.start, text.end - text.start))
      text.origins = source.origins(one.start, one.end);
    result_.texts.push_back(std::move(text));
  }

  // In order of position; of two that overlap the surer stays.
  void finish() {
    std::vector<RenderedText>& texts = result_.texts;
    std::stable_sort(texts.begin(), texts.end(), [](const RenderedText& a, const RenderedText& b) {
      return a.start < b.start;
    });
    std::vector<RenderedText> kept;
    for (RenderedText& text : texts) {
      if (kept.empty() || kept.back().end <= text.start) {
        kept.push_back(std::move(text));
      } else if (text.certainty > kept.back().certainty) {
        kept.back() = std::move(text);
      }
    }
    texts = std::move(kept);
    merge(result_.doubtful);
  }

  // Ranges that touch become one.
  static void merge(std::vector<ByteRange>& ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<ByteRange> merged;
    for (const ByteRange& range : ranges) {
      if (!merged.empty() && range.first <= merged.back().second + 1) {
        merged.back().second = std::max(merged.back().second, range.second);
      } else {
        merged.push_back(range);
      }
    }
    ranges = std::move(merged);
  }

  std::string_view prompt_;
  Syntax syntax_;
  Extraction result_;
};

}  // namespace

Extraction extract(std::string_view prompt, Syntax syntax) {
  if (prompt.empty()) return {};
  return Extractor(prompt, syntax).run();
}

std::vector<TextReading> other_readings(const RenderedText& text) {
  std::vector<extraction::Origin> origins = text.origins;
  if (origins.empty()) {
    for (std::size_t i = 0; i < text.text.size(); ++i) {
      origins.emplace_back(static_cast<std::uint32_t>(text.start + i),
                           static_cast<std::uint32_t>(text.start + i + 1));
    }
  }
  const std::optional<Source> drawn = as_drawn(Source(text.text, std::move(origins)));
  if (!drawn || drawn->text().empty()) return {};
  return {{drawn->text(), drawn->origins(0, drawn->text().size())}};
}

Asked asked_of(std::string_view prompt) {
  extraction::Tokens tokens = extraction::tokenize(prompt);
  extraction::find_phrases(tokens);
  Asked asked;
  for (const extraction::Token& token : tokens.list) {
    asked.acrostic = asked.acrostic || token.is(extraction::kAcrostic);
    asked.ciphered = asked.ciphered || token.is(extraction::kCipher);
  }
  return asked;
}

}  // namespace glyphward::lexicon
