// The tables that are compiled in, as their files are (cmake/embed_table.cmake).
#pragma once

#include <string_view>

namespace glyphward::tables {

extern const std::string_view lexicon_channel_rules_tsv;
extern const std::string_view lexicon_channel_companions_tsv;
extern const std::string_view lexicon_channel_prices_tsv;
extern const std::string_view lexicon_channel_sound_tsv;
extern const std::string_view lexicon_names_tsv;
extern const std::string_view lexicon_text_glyphs_tsv;

}  // namespace glyphward::tables
