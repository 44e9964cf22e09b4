# cmake -DNAME=variable -DFILE=text | -DTREE=repository -DTO=source.cpp -P embed_text.cmake
# Writes a source that defines the variable as the file's text, or as the tree's commit.
if(FILE)
  file(READ ${FILE} text)
else()
  execute_process(COMMAND git describe --always --dirty --abbrev=7 --exclude=*
    WORKING_DIRECTORY ${TREE} OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE problem)
  if(problem OR NOT text)
    set(text "unknown")
  endif()
endif()
string(CONCAT source
  "namespace twinage {\n"
  "extern const char* const ${NAME};\n"
  "const char* const ${NAME} = R\"twinage(${text})twinage\";\n"
  "}  // namespace twinage\n")
if(EXISTS ${TO})
  file(READ ${TO} before)
endif()
if(FILE OR NOT "${source}" STREQUAL "${before}")
  file(WRITE ${TO} "${source}")
endif()
