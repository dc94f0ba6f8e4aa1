# SPDX-License-Identifier: BSD-3-Clause
#
# How a test is declared. One call registers it; nothing else has to know about it.
#
#   zs_add_test(NAME unit_bits SOURCES bits_test.c [INTERNAL])
#
# builds the program unit_bits (target and test share the name, which starts with the name of the folder), links it with
# the static library and cmocka, and runs it under CTest. Exit code 0 passes, 77 skips, anything else fails.
#
#   SOURCES  files of the program
#   LIBS     more libraries to link
#   LABELS   more CTest labels; the folder's name is always one
#   TIMEOUT  seconds until the test is stopped and fails (default 300, far more than any takes: it ends what hangs;
#            ZS_SANITIZE doubles it, and the cache variable ZS_TEST_TIMEOUT_FACTOR is for slow machines and long runs)
#   ARGS     arguments for the program
#   ENV      environment, as NAME=VALUE
#   INTERNAL the test includes headers of src/: adds src/ to the include path and the library's own definitions
#   SHARED   link the shared library instead (not with INTERNAL: its symbols are hidden)
#   SERIAL   run it alone: it measures time or memory of the machine
#
#   zs_add_script_test(NAME layering_tree SCRIPT check.sh [ARGS ...] [LABELS ...] [TIMEOUT n] [ENV ...] [SERIAL])
#
# does the same for a shell script in the folder of the caller, run by sh. It finds in its environment what it may need:
# ZS_SOURCE_DIR, ZS_BUILD_DIR, ZS_CC, ZS_CXX, ZS_SANITIZE.
#
#   zs_long_tests(NAME...)
#
# CTest begins with these, which take ten times as long as others, so that none is left to run alone at the end.
#
#   zs_run_with_large_pages(BYTES SUFFIX [ONLY regex] [NOT regex...])
#
# registers the tests declared so far, whose names match ONLY and none of NOT as a whole, once more as NAME_SUFFIX, under a library
# that plays a system whose pages have BYTES bytes (large_pages.c). They have the label large_pages alone.

set(ZS_TEST_TIMEOUT_FACTOR 1 CACHE STRING "Multiply the time that each test may take by this whole number")

# What every test gets, however it was declared. With COMMAND, that of add_test(), it may be run with large pages too.
function(zsi_test_properties name)
  cmake_parse_arguments(PARSE_ARGV 1 T "SERIAL" "TIMEOUT;FOLDER" "LABELS;ENV;COMMAND")
  if(T_FOLDER)
    set(folder ${T_FOLDER})
  else()
    get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    if(T_COMMAND)
      set_property(GLOBAL APPEND PROPERTY ZSI_TESTS ${name})
    endif()
    set_property(GLOBAL PROPERTY ZSI_TEST_COMMAND_${name} ${T_COMMAND})
    set_property(GLOBAL PROPERTY ZSI_TEST_TIMEOUT_${name} ${T_TIMEOUT})
    set_property(GLOBAL PROPERTY ZSI_TEST_ENV_${name} ${T_ENV})
    set_property(GLOBAL PROPERTY ZSI_TEST_SERIAL_${name} ${T_SERIAL})
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  math(EXPR T_TIMEOUT "${T_TIMEOUT} * ${ZS_TEST_TIMEOUT_FACTOR}")
  if(ZS_SANITIZE)
    math(EXPR T_TIMEOUT "${T_TIMEOUT} * 2")
  endif()
  set(supp ${PROJECT_SOURCE_DIR}/tests/support/tsan.supp)
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${T_TIMEOUT}
    SKIP_RETURN_CODE 77
    LABELS "${folder};${T_LABELS}"
    ENVIRONMENT "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1;\
UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${supp};${T_ENV}")
  if(T_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

function(zs_long_tests)
  foreach(name IN LISTS ARGN)
    if(TEST ${name})
      set_tests_properties(${name} PROPERTIES COST 10)
    endif()
  endforeach()
endfunction()

function(zs_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "INTERNAL;SHARED;SERIAL" "NAME;TIMEOUT" "SOURCES;LIBS;LABELS;ARGS;ENV")
  if(NOT T_NAME OR NOT T_SOURCES OR T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "zs_add_test: NAME and SOURCES are needed; not understood: '${T_UNPARSED_ARGUMENTS}'")
  endif()
  add_executable(${T_NAME} ${T_SOURCES})
  target_include_directories(${T_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
  target_compile_definitions(${T_NAME} PRIVATE _GNU_SOURCE)
  if(T_INTERNAL)
    target_link_libraries(${T_NAME} PRIVATE zs_internal)
  endif()
  # Before the library, which a helper among them may need.
  target_link_libraries(${T_NAME} PRIVATE ${T_LIBS})
  if(T_SHARED)
    target_link_libraries(${T_NAME} PRIVATE zsmalloc_shared)
  else()
    target_link_libraries(${T_NAME} PRIVATE zsmalloc_static)
  endif()
  target_link_libraries(${T_NAME} PRIVATE zs_flags PkgConfig::CMOCKA Threads::Threads)
  set(serial)
  if(T_SERIAL)
    set(serial SERIAL)
  endif()
  add_test(NAME ${T_NAME} COMMAND ${T_NAME} ${T_ARGS})
  zsi_test_properties(${T_NAME} TIMEOUT "${T_TIMEOUT}" LABELS ${T_LABELS} ENV ${T_ENV} ${serial}
    COMMAND ${T_NAME} ${T_ARGS})
endfunction()

function(zs_add_script_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "SERIAL" "NAME;TIMEOUT;SCRIPT" "LABELS;ARGS;ENV")
  if(NOT T_NAME OR NOT T_SCRIPT OR T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "zs_add_script_test: NAME and SCRIPT are needed; not understood: '${T_UNPARSED_ARGUMENTS}'")
  endif()
  set(serial)
  if(T_SERIAL)
    set(serial SERIAL)
  endif()
  set(command ${CMAKE_CROSSCOMPILING_EMULATOR} sh ${CMAKE_CURRENT_SOURCE_DIR}/${T_SCRIPT} ${T_ARGS})
  add_test(NAME ${T_NAME} COMMAND ${command})
  zsi_test_properties(${T_NAME} COMMAND ${command} TIMEOUT "${T_TIMEOUT}" LABELS ${T_LABELS} ${serial} ENV
    ZS_SOURCE_DIR=${PROJECT_SOURCE_DIR} ZS_BUILD_DIR=${PROJECT_BINARY_DIR} ZS_CC=${CMAKE_C_COMPILER}
    ZS_CXX=${CMAKE_CXX_COMPILER} ZS_SANITIZE=${ZS_SANITIZE} ${T_ENV})
endfunction()

function(zs_run_with_large_pages bytes suffix)
  cmake_parse_arguments(PARSE_ARGV 2 T "" "ONLY" "NOT")
  get_property(names GLOBAL PROPERTY ZSI_TESTS)
  foreach(name IN LISTS names)
    set(wanted OFF)
    if(name MATCHES "${T_ONLY}")
      set(wanted ON)
    endif()
    foreach(pattern IN LISTS T_NOT)
      if(name MATCHES "^${pattern}$")
        set(wanted OFF)
      endif()
    endforeach()
    if(NOT wanted)
      continue()
    endif()
    foreach(what IN ITEMS COMMAND TIMEOUT ENV SERIAL)
      get_property(${what} GLOBAL PROPERTY ZSI_TEST_${what}_${name})
    endforeach()
    set(serial)
    if(SERIAL)
      set(serial SERIAL)
    endif()
    add_test(NAME ${name}_${suffix} COMMAND ${COMMAND})
    zsi_test_properties(${name}_${suffix} FOLDER large_pages TIMEOUT "${TIMEOUT}" ${serial}
      ENV ${ENV} ZS_TEST_SYSTEM_PAGE=${bytes} LD_PRELOAD=$<TARGET_FILE:zs_large_pages>)
  endforeach()
endfunction()
