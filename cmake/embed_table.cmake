# glyphward_embed_table(TARGET FILE): compiles FILE into TARGET, so that the binary needs no file beside it.
# lexicon/text/glyphs.tsv becomes
#     namespace glyphward::tables { extern const std::string_view lexicon_text_glyphs_tsv; }
# which its reader declares. It is set before anything runs.
function(glyphward_embed_table target file)
  set(input ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${file}.cc)
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${input})
  string(MAKE_C_IDENTIFIER ${name} name)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D input=${input} -D output=${output} -D name=${name} -P ${CMAKE_SOURCE_DIR}/cmake/embed_table_file.cmake
    DEPENDS ${input} ${CMAKE_SOURCE_DIR}/cmake/embed_table_file.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
