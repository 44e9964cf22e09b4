# What the binary carries of this tree: the published figures, and which commit it was built from.
#   twinage_embed(TARGET)
function(twinage_embed target)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
  set(figures ${PROJECT_SOURCE_DIR}/docs/published/figures.toml)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake)
  add_custom_command(OUTPUT ${generated}/published_text.cpp
    COMMAND ${CMAKE_COMMAND} -DNAME=kPublishedText -DFILE=${figures}
      -DTO=${generated}/published_text.cpp -P ${script}
    DEPENDS ${figures} ${script} VERBATIM)
  # Asked at every build; written, and compiled anew, only where the answer is another one.
  add_custom_target(twinage_commit BYPRODUCTS ${generated}/commit.cpp
    COMMAND ${CMAKE_COMMAND} -DNAME=kCommit -DTREE=${PROJECT_SOURCE_DIR}
      -DTO=${generated}/commit.cpp -P ${script} VERBATIM)
  add_dependencies(${target} twinage_commit)
  target_sources(${target} PRIVATE ${generated}/published_text.cpp ${generated}/commit.cpp)
endfunction()
