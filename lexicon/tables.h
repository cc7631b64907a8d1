// The tables that are compiled in, as their files are (cmake/embed_table.cmake).
#pragma once

#include <string_view>

namespace glyphward::tables {

extern const std::string_view lexicon_names_tsv;
extern const std::string_view lexicon_text_glyphs_tsv;
extern const std::string_view lexicon_text_languages_tsv;
extern const std::string_view lexicon_written_forms_tsv;

}  // namespace glyphward::tables
