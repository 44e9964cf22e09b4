# twinage_isa_sources(target file...): compiles each file once for every instruction set, in a
# namespace of its own (TWINAGE_ISA_NAMESPACE), and adds all copies to the target.
set(TWINAGE_ISAS baseline avx2 avx512)
set(TWINAGE_ISA_FLAGS_baseline "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(TWINAGE_ISA_FLAGS_avx2 -mavx2 -mfma)
  set(TWINAGE_ISA_FLAGS_avx512 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma
                               -mprefer-vector-width=512)
endif()

function(twinage_isa_sources target)
  foreach(isa IN LISTS TWINAGE_ISAS)
    set(copy ${target}_${isa})
    add_library(${copy} OBJECT ${ARGN})
    target_compile_options(${copy} PRIVATE ${TWINAGE_ISA_FLAGS_${isa}})
    target_compile_definitions(${copy} PRIVATE TWINAGE_ISA_NAMESPACE=${isa})
    target_link_libraries(${copy} PRIVATE twinage_options)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${copy}>)
  endforeach()
endfunction()
