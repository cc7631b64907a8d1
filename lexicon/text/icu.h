// ICU's strings and errors, for the sources of text/ that call ICU; no other header includes this.
#pragma once

#include <unicode/unistr.h>
#include <unicode/utypes.h>

#include <string>
#include <string_view>

namespace glyphward::lexicon {

// Throws std::runtime_error if ICU failed: its data is missing, or there is no memory.
void check(UErrorCode status, const char* what);

icu::UnicodeString to_icu(std::u32string_view text);
std::u32string to_u32(const icu::UnicodeString& text);

}  // namespace glyphward::lexicon
