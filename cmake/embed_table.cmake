# glyphward_embed_table(TARGET FILE): puts a table that lies beside the code into TARGET, so that a binary needs no data
# files. FILE, say reading/near_shapes.tsv, is relative to the current source folder. Its bytes, as they are when TARGET is
# built, are
#     #include "near_shapes_tsv.h"                          (for TARGET's own sources only)
#     extern const std::string_view glyphward::tables::kNearShapes;
if(CMAKE_SCRIPT_MODE_FILE)
  # cmake -DTABLE=... -DNAME=... -DOUTPUT=... -P embed_table.cmake: writes OUTPUT.h and OUTPUT.cc.
  file(READ "${TABLE}" content)
  if(content MATCHES "\\)_table_\"")
    message(FATAL_ERROR "${TABLE}: holds the end of a raw string literal")
  endif()
  get_filename_component(header "${OUTPUT}.h" NAME)
  file(WRITE "${OUTPUT}.h" "// Made by cmake/embed_table.cmake.
#pragma once

#include <string_view>

namespace glyphward::tables {

extern const std::string_view ${NAME};

}  // namespace glyphward::tables
")
  file(WRITE "${OUTPUT}.cc" "// Made by cmake/embed_table.cmake.
#include \"${header}\"

namespace glyphward::tables {

const std::string_view ${NAME} = R\"_table_(${content})_table_\";

}  // namespace glyphward::tables
")
  return()
endif()

set(GLYPHWARD_EMBED_TABLE_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(glyphward_embed_table target file)
  get_filename_component(stem ${file} NAME_WE)
  string(REPLACE "_" ";" words ${stem})
  set(name k)
  foreach(word ${words})
    string(SUBSTRING ${word} 0 1 initial)
    string(SUBSTRING ${word} 1 -1 rest)
    string(TOUPPER ${initial} initial)
    string(APPEND name ${initial}${rest})
  endforeach()
  set(table ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${stem}_tsv)
  add_custom_command(OUTPUT ${output}.cc ${output}.h
    COMMAND ${CMAKE_COMMAND} -DTABLE=${table} -DNAME=${name} -DOUTPUT=${output} -P ${GLYPHWARD_EMBED_TABLE_SCRIPT}
    DEPENDS ${table} ${GLYPHWARD_EMBED_TABLE_SCRIPT}
    COMMENT "Embedding ${file}")
  target_sources(${target} PRIVATE ${output}.cc ${output}.h)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
