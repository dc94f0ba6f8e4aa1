# SPDX-License-Identifier: BSD-3-Clause
#
# The manual: docs/man/NAME.SECTION.pod, or one beside a plugin, becomes man/manSECTION/NAME.SECTION in the build tree
# and is installed.
#
# A page that documents more than one function names the others on a line of its own,
#
#   =for links zs_free.3 zs_malloc_batch.3
#
# and each of those becomes a page that refers to it (".so man3/zs_malloc.3").

find_program(POD2MAN pod2man)
if(NOT POD2MAN)
  if(NOT ZS_BUILD_MAN STREQUAL "AUTO")
    message(FATAL_ERROR "ZS_BUILD_MAN=${ZS_BUILD_MAN} needs pod2man (Debian: perl)")
  endif()
  message(STATUS "pod2man not found: no manual pages")
  return()
endif()

file(GLOB man_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.pod ${PROJECT_SOURCE_DIR}/plugins/*/*.pod)
set(man_pages)
set(man_links)

foreach(source IN LISTS man_sources)
  get_filename_component(page ${source} NAME_WLE)
  if(NOT page MATCHES "^(.+)\\.([1-9])$")
    message(FATAL_ERROR "${source}: the name must be NAME.SECTION.pod")
  endif()
  set(name ${CMAKE_MATCH_1})
  set(section ${CMAKE_MATCH_2})
  set(output ${PROJECT_BINARY_DIR}/man/man${section}/${page})
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man/man${section}
    COMMAND ${POD2MAN} --utf8 --errors=die --name=${name} --section=${section} --center=zsmalloc
      --release=${PROJECT_VERSION} ${source} ${output}
    DEPENDS ${source} VERBATIM)
  list(APPEND man_pages ${output})
  install(FILES ${output} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})

  # The links are read when the build is configured, so a change of the page has to configure it again.
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(STRINGS ${source} link_lines REGEX "^=for links ")
  foreach(line IN LISTS link_lines)
    string(REGEX REPLACE "^=for links +" "" links "${line}")
    separate_arguments(links)
    foreach(link IN LISTS links)
      if(NOT link MATCHES "^.+\\.([1-9])$")
        message(FATAL_ERROR "${source}: the link '${link}' must be NAME.SECTION")
      endif()
      set(link_section ${CMAKE_MATCH_1})
      set(link_file ${PROJECT_BINARY_DIR}/man/man${link_section}/${link})
      file(CONFIGURE OUTPUT ${link_file} CONTENT ".so man${section}/${page}\n" @ONLY)
      list(APPEND man_links ${link_file})
      install(FILES ${link_file} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${link_section})
    endforeach()
  endforeach()
endforeach()

# A page or link that is gone from the sources must not stay behind, where the tests would take it for the manual.
file(GLOB built ${PROJECT_BINARY_DIR}/man/man*/*)
list(REMOVE_ITEM built ${man_pages} ${man_links})
if(built)
  file(REMOVE ${built})
endif()

add_custom_target(man ALL DEPENDS ${man_pages})
