# twinage_isa_sources(target file...): compiles each file once for every instruction set, in a
# namespace of its own (TWINAGE_ISA_NAMESPACE), and adds all copies to the target. Files named
# pairs_isa.cpp multiply bf16: they are compiled for AVX-512-BF16, too.
set(TWINAGE_ISAS baseline avx2 avx512)
set(TWINAGE_ISA_FLAGS_baseline "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(TWINAGE_ISA_FLAGS_avx2 -mavx2 -mfma)
  set(TWINAGE_ISA_FLAGS_avx512 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma
                               -mprefer-vector-width=512)
  set(TWINAGE_ISA_FLAGS_avx512_bf16 ${TWINAGE_ISA_FLAGS_avx512} -mavx512bf16)
endif()

function(twinage_isa_copy target isa)
  set(copy ${target}_${isa})
  add_library(${copy} OBJECT ${ARGN})
  target_compile_options(${copy} PRIVATE ${TWINAGE_ISA_FLAGS_${isa}})
  target_compile_definitions(${copy} PRIVATE TWINAGE_ISA_NAMESPACE=${isa})
  target_link_libraries(${copy} PRIVATE twinage_options)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${copy}>)
endfunction()

function(twinage_isa_sources target)
  foreach(isa IN LISTS TWINAGE_ISAS)
    twinage_isa_copy(${target} ${isa} ${ARGN})
  endforeach()
  list(FILTER ARGN INCLUDE REGEX "pairs_isa\\.cpp$")
  if(ARGN)
    twinage_isa_copy(${target} avx512_bf16 ${ARGN})
  endif()
endfunction()
