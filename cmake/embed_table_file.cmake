# Run by glyphward_embed_table while building: writes `input` as a C++ source to `output`.
file(READ ${input} content)
if(content MATCHES "\\)table\"")
  message(FATAL_ERROR "${input}: holds the end of a raw string literal")
endif()
file(WRITE ${output} "// Generated from ${input}.
#include <string_view>

namespace glyphward::tables {
extern const std::string_view ${name};
constexpr std::string_view ${name} = R\"table(${content})table\";
}  // namespace glyphward::tables
")
