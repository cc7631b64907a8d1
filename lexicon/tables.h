// The tables that are compiled in, as their files are (cmake/embed_table.cmake).
#pragma once

#include <string_view>

namespace glyphward::tables {

extern const std::string_view lexicon_matching_channel_tsv;
extern const std::string_view lexicon_matching_companions_tsv;
extern const std::string_view lexicon_matching_prices_tsv;
extern const std::string_view lexicon_matching_sound_tsv;
extern const std::string_view lexicon_names_tsv;
extern const std::string_view lexicon_text_glyphs_tsv;

}  // namespace glyphward::tables
