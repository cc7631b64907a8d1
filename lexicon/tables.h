// The tables that are compiled in, as their files are (cmake/embed_table.cmake).
#pragma once

#include <array>
#include <string_view>

namespace glyphward::tables {

extern const std::string_view lexicon_channel_companions_tsv;
extern const std::string_view lexicon_channel_prices_tsv;
extern const std::string_view lexicon_channel_rules_tsv;
extern const std::string_view lexicon_channel_sound_tsv;
extern const std::string_view lexicon_reading_names_tsv;
extern const std::string_view lexicon_text_extraction_marks_tsv;
extern const std::string_view lexicon_text_extraction_phrases_tsv;
extern const std::string_view lexicon_text_glyphs_tsv;
extern const std::string_view lexicon_text_instructions_instructions_tsv;
extern const std::string_view lexicon_text_markup_entities_tsv;
extern const std::string_view lexicon_written_forms_tsv;

struct Table {
  std::string_view file;  // from lexicon/ on
  std::string_view content;
};
// All of them: the lexicon's revision hashes them in this order.
inline auto lexicon_tables() {
  return std::to_array<Table>(
      {{"channel/companions.tsv", lexicon_channel_companions_tsv},
       {"channel/prices.tsv", lexicon_channel_prices_tsv},
       {"channel/rules.tsv", lexicon_channel_rules_tsv},
       {"channel/sound.tsv", lexicon_channel_sound_tsv},
       {"reading/names.tsv", lexicon_reading_names_tsv},
       {"text/extraction/marks.tsv", lexicon_text_extraction_marks_tsv},
       {"text/extraction/phrases.tsv", lexicon_text_extraction_phrases_tsv},
       {"text/glyphs.tsv", lexicon_text_glyphs_tsv},
       {"text/instructions/instructions.tsv", lexicon_text_instructions_instructions_tsv},
       {"text/markup/entities.tsv", lexicon_text_markup_entities_tsv},
       {"written/forms.tsv", lexicon_written_forms_tsv}});
}

}  // namespace glyphward::tables
