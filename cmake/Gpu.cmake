# The CUDA kernels, kernels/**/*_cuda.cu, are compiled twice: by the host's compiler for device simt,
# always, and by nvcc for device cuda, where it is found.
option(TWINAGE_CUDA "build the CUDA kernels for GPUs (on by itself where nvcc is found)" ON)
if(TWINAGE_CUDA)
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    message(STATUS "nvcc was not found: this build has no device cuda (simt runs the kernels)")
    set(TWINAGE_CUDA OFF)
  endif()
endif()
if(TWINAGE_CUDA)
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
  endif()
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
  # By a flag: CMake 3.25 does not know that nvcc 13 has C++20.
  set(CMAKE_CUDA_FLAGS "${CMAKE_CUDA_FLAGS} -std=c++20")
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD_DEFAULT "")
  find_package(CUDAToolkit REQUIRED)
endif()

# An object library of kernel sources for device simt: one wrapper a source, compiled as C++, since the
# same file cannot be of two languages. With checks if ON: every access to memory is reported.
function(twinage_simt_objects name checks)
  foreach(source IN LISTS ARGN)
    get_filename_component(stem ${source} NAME_WE)
    set(wrapper ${PROJECT_BINARY_DIR}/simt/${stem}_simt.cpp)
    file(CONFIGURE OUTPUT ${wrapper} CONTENT "#include \"@source@\"\n" @ONLY)
    list(APPEND wrappers ${wrapper})
  endforeach()
  add_library(${name} OBJECT ${wrappers})
  target_link_libraries(${name} PRIVATE twinage_options)
  # Version 4: of version 5, addr2line 2.40 takes the file from the wrong entry.
  target_compile_options(${name} PRIVATE -g -gdwarf-4 -fno-strict-aliasing -Wno-unknown-pragmas)
  if(TWINAGE_FUZZ OR (TWINAGE_SANITIZE STREQUAL "thread" AND name STREQUAL "twinage_kernels_simt"))
    # No fuzzer runs them, nor what ThreadSanitizer runs; instrumented they take Clang minutes.
    target_compile_options(${name} PRIVATE -O0 -fno-sanitize=all)
  endif()
  if(checks)
    # Calls of __tsan_read4 and its like before every access; kernels/simt defines them.
    # Vectors of the host's would hide which accesses a GPU's thread makes one by one.
    target_compile_options(${name} PRIVATE -fsanitize=thread -fno-tree-vectorize -fno-tree-slp-vectorize)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      target_compile_options(${name} PRIVATE "SHELL:-mllvm -tsan-instrument-func-entry-exit=0"
        "SHELL:-mllvm -tsan-instrument-atomics=0" "SHELL:-mllvm -tsan-instrument-read-before-write=1")
    else()
      target_compile_options(${name} PRIVATE "SHELL:--param tsan-instrument-func-entry-exit=0")
    endif()
  endif()
endfunction()

function(twinage_simt_sources target)
  twinage_simt_objects(${target}_simt ${TWINAGE_SIMT_CHECK} ${ARGN})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_simt>)
endfunction()

function(twinage_gpu_sources target)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*_cuda.cu)
  if(NOT sources)
    return()
  endif()
  twinage_simt_sources(${target} ${sources})
  if(TWINAGE_CUDA)
    add_library(${target}_cuda OBJECT ${sources})
    target_include_directories(${target}_cuda PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${target}_cuda PRIVATE fmt::fmt)
    target_compile_options(${target}_cuda PRIVATE --expt-relaxed-constexpr -Xcompiler=-Wall
      # A kernel whose registers spill to memory is said, and an error as other warnings are.
      $<$<CONFIG:Release>:-Xptxas=--warn-on-spills$<$<BOOL:${TWINAGE_WERROR}>:,--warning-as-error>>)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_cuda>)
    target_compile_definitions(twinage_options INTERFACE TWINAGE_CUDA=1)
    target_link_libraries(twinage_options INTERFACE CUDA::cudart_static)
  endif()
endfunction()

# The stand-in for the CUDA runtime, with which tests run device cuda where there is no GPU: its
# objects, linked before the libraries', take the place of what core says to the CUDA runtime. And the
# program with it, for who asks for it: cmake --build --preset release --target twinage_standin.
function(twinage_stand_in)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/standin/*.cpp)
  add_library(standin_objects OBJECT ${sources} ${PROJECT_SOURCE_DIR}/core/cuda_runtime.cpp
    ${PROJECT_SOURCE_DIR}/core/cuda_stream.cpp ${PROJECT_SOURCE_DIR}/core/nccl_communicator.cpp)
  target_include_directories(standin_objects BEFORE PRIVATE ${PROJECT_SOURCE_DIR}/kernels/standin/include)
  target_link_libraries(standin_objects PRIVATE twinage_options)
  target_compile_definitions(standin_objects PRIVATE TWINAGE_STANDIN_NCCL=1)
  if(NOT TWINAGE_CUDA)
    target_compile_definitions(standin_objects PRIVATE TWINAGE_CUDA=1)
  endif()
  if(TARGET twinage)
    add_executable(twinage_standin EXCLUDE_FROM_ALL tools/main.cpp $<TARGET_OBJECTS:standin_objects>)
    target_link_libraries(twinage_standin PRIVATE twinage_tools CLI11::CLI11)
  endif()
endfunction()
