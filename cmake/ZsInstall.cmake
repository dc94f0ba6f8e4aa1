# SPDX-License-Identifier: BSD-3-Clause
#
# What cmake --install puts where, but for the zs tool and the manual, which install themselves: headers, the
# libraries, the pkg-config files, the CMake package, the licence and the changelog. And the target that takes all of it
# away.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/zsmalloc)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/zsmalloc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
# A component each: whoever wants the allocator alone needs no compressors.
foreach(library IN ITEMS zsmalloc zram)
  install(TARGETS ${library}_shared ${library}_static EXPORT ${library}Targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT ${library}Targets NAMESPACE zsmalloc:: DESTINATION ${package_dir})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

string(REPLACE " " " URING=" uring_package "${uring_module}")
string(REPLACE " " " LZO=" lzo_package "${lzo_module}")
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/zsmallocConfig.cmake.in
  ${PROJECT_BINARY_DIR}/zsmallocConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/zsmallocConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/zsmallocConfig.cmake ${PROJECT_BINARY_DIR}/zsmallocConfigVersion.cmake
  DESTINATION ${package_dir})

# The prefix may be given as late as "cmake --install --prefix", so the file is written then.
foreach(dir IN ITEMS INCLUDEDIR LIBDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(pc_${dir} "${CMAKE_INSTALL_${dir}}")
  else()
    set(pc_${dir} "\\\${prefix}/${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()
install(CODE "
  set(PC_INCLUDEDIR \"${pc_INCLUDEDIR}\")
  set(PC_LIBDIR \"${pc_LIBDIR}\")
  set(PROJECT_VERSION ${PROJECT_VERSION})
  set(uring_module \"${uring_module}\")
  set(lzo_module \"${lzo_module}\")
  foreach(library IN ITEMS zsmalloc zram)
    configure_file(\"${PROJECT_SOURCE_DIR}/cmake/\${library}.pc.in\" \"${PROJECT_BINARY_DIR}/\${library}.pc\" @ONLY)
  endforeach()")
foreach(library IN ITEMS zsmalloc zram)
  install(FILES ${PROJECT_BINARY_DIR}/${library}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  # By the library's own name too, which is how most of its neighbours are found.
  install(FILES ${PROJECT_BINARY_DIR}/${library}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    RENAME lib${library}.pc)
endforeach()

# A project that has this one in it may have such a target of its own.
if(PROJECT_IS_TOP_LEVEL)
  add_custom_target(uninstall VERBATIM
    COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt
      -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake)
endif()
