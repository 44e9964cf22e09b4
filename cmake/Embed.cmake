# What the binary carries of this tree (tools/embedded.h): texts, and which commit it was built from.
#   twinage_embed(TARGET)
function(twinage_embed target)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake)
  foreach(text kPublishedText=docs/published/figures.toml kReportStyle=tools/report/page.css
               kReportScript=tools/report/page.js)
    string(REGEX MATCH "(.*)=(.*)" text ${text})
    set(file ${PROJECT_SOURCE_DIR}/${CMAKE_MATCH_2})
    set(source ${generated}/${CMAKE_MATCH_1}.cpp)
    add_custom_command(OUTPUT ${source}
      COMMAND ${CMAKE_COMMAND} -DNAME=${CMAKE_MATCH_1} -DFILE=${file} -DTO=${source} -P ${script}
      DEPENDS ${file} ${script} VERBATIM)
    target_sources(${target} PRIVATE ${source})
  endforeach()
  # Asked at every build; written, and compiled anew, only where the answer is another one.
  add_custom_target(twinage_commit BYPRODUCTS ${generated}/commit.cpp
    COMMAND ${CMAKE_COMMAND} -DNAME=kCommit -DTREE=${PROJECT_SOURCE_DIR}
      -DTO=${generated}/commit.cpp -P ${script} VERBATIM)
  add_dependencies(${target} twinage_commit)
  target_sources(${target} PRIVATE ${generated}/commit.cpp)
endfunction()
