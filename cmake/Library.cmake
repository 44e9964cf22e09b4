# Twinage for other programs (docs/library.md), and what `cmake --install` puts where: the program;
# libtwinage.so, whose interface is C (tools/library/twinage.h); libtwinage.a, whose interface is
# that one and every header of this tree; what CMake and pkg-config find them by; examples, licences.
#   twinage_library(FOLDER...)   the folders' libraries, which are there already
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(twinage_library)
  set(source ${PROJECT_SOURCE_DIR}/tools/library)
  set(package ${PROJECT_BINARY_DIR}/package)
  add_library(twinage_interface OBJECT ${source}/library.cpp tools/prediction_json.cpp)
  target_link_libraries(twinage_interface PRIVATE twinage_train)
  target_compile_definitions(twinage_interface PRIVATE TWINAGE_VERSION="${PROJECT_VERSION}")
  target_compile_options(twinage_interface PRIVATE $<$<CONFIG:Release>:-O1>)
  add_library(twinage_c STATIC $<TARGET_OBJECTS:twinage_interface>)

  # Who uses this one needs no header but twinage.h, and sees no symbol but those of twinage.map.
  # Debian's dlib is an archive that no shared library can hold, and its own shared one asks for much
  # that a reader of faces has no use for: this one does not look for faces.
  add_library(twinage_shared SHARED $<TARGET_OBJECTS:twinage_interface> ${package}/no_detector.cpp)
  file(CONFIGURE OUTPUT ${package}/no_detector.cpp
    CONTENT "#include \"train/faces/photo/face_detector.cpp\"\n")
  target_link_libraries(twinage_shared PRIVATE twinage_train)
  target_include_directories(twinage_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_options(twinage_shared PRIVATE -Wl,--as-needed -Wl,--version-script=${source}/twinage.map
    -Wl,--exclude-libs,ALL -Wl,--no-undefined)
  set_target_properties(twinage_shared PROPERTIES OUTPUT_NAME twinage EXPORT_NAME twinage
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${source}/twinage.map)

  # All archives as one.
  set(static ${PROJECT_BINARY_DIR}/libtwinage.a)
  set(script "CREATE ${static}\n")
  foreach(library twinage_c ${ARGN})
    string(APPEND script "ADDLIB $<TARGET_FILE:${library}>\n")
    list(APPEND archives ${library})
  endforeach()
  file(GENERATE OUTPUT ${package}/merge.mri CONTENT "${script}SAVE\nEND\n")
  add_custom_command(OUTPUT ${static} COMMAND sh -c "${CMAKE_AR} -M <${package}/merge.mri"
    DEPENDS ${archives} ${package}/merge.mri VERBATIM)
  add_custom_target(twinage_static ALL DEPENDS ${static})

  # What a program that links it needs besides, in TwinageConfig.cmake and in twinage.pc.
  set(TWINAGE_NEEDS fmt::fmt ZLIB::ZLIB Threads::Threads nlohmann_json::nlohmann_json)
  set(TWINAGE_PC_REQUIRES "fmt zlib")
  set(TWINAGE_PC_LIBS "-lstdc++ -lm -lpthread -ldl")
  if(TARGET PkgConfig::LIBZIP)
    list(APPEND TWINAGE_NEEDS PkgConfig::TWINAGE_LIBZIP)
    string(APPEND TWINAGE_PC_REQUIRES " libzip")
  endif()
  if(TWINAGE_DLIB_LIBRARY)
    list(APPEND TWINAGE_NEEDS -l:libdlib.a)
    string(APPEND TWINAGE_PC_LIBS " -l:libdlib.a")
  endif()
  if(TWINAGE_CUDA)
    list(APPEND TWINAGE_NEEDS CUDA::cudart_static)
    string(APPEND TWINAGE_PC_LIBS " -lcudart_static -lrt")
  endif()
  configure_package_config_file(${source}/TwinageConfig.cmake.in ${package}/TwinageConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Twinage PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
  write_basic_package_version_file(${package}/TwinageConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  file(RELATIVE_PATH TWINAGE_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  configure_file(${source}/twinage.pc.in ${package}/twinage.pc @ONLY)

  install(TARGETS twinage RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(TARGETS twinage_shared EXPORT TwinageTargets DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES ${static} DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT TwinageTargets NAMESPACE Twinage:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Twinage)
  install(FILES ${package}/TwinageConfig.cmake ${package}/TwinageConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Twinage)
  install(FILES ${package}/twinage.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(FILES ${source}/twinage.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(DIRECTORY core kernels layers siamese train DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/twinage
    FILES_MATCHING PATTERN "*.h" PATTERN "kernels/standin" EXCLUDE)
  install(DIRECTORY ${source}/examples DESTINATION ${CMAKE_INSTALL_DATADIR}/twinage)
  install(FILES LICENSE docs/licences.spdx DESTINATION ${CMAKE_INSTALL_DOCDIR})
endfunction()
