# SPDX-License-Identifier: BSD-3-Clause
#
# The helpers of this folder as a library, for tests that are not cmocka's: zs_test_support. And
#
#   zs_add_run(NAME model_arena PROGRAM model_random [ARGS ...] [LABELS ...] [TIMEOUT n] [ENV ...] [SERIAL])
#
# which registers one more run of a program that zs_add_test() or add_executable() made.
include_guard(GLOBAL)

set(support ${CMAKE_CURRENT_LIST_DIR})
add_library(zs_test_support STATIC EXCLUDE_FROM_ALL
  ${support}/check.c ${support}/json_check.c ${support}/made_pages.c ${support}/model.c ${support}/model_hold.c
  ${support}/model_object.c ${support}/model_stats.c ${support}/model_step.c ${support}/model_wrong.c ${support}/pattern.c ${support}/sizes.c
  ${support}/test_source.c)
target_include_directories(zs_test_support PUBLIC ${support} ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(zs_test_support PRIVATE _GNU_SOURCE)
target_link_libraries(zs_test_support PRIVATE zs_flags PUBLIC Threads::Threads)

function(zs_add_run)
  cmake_parse_arguments(PARSE_ARGV 0 T "SERIAL" "NAME;PROGRAM;TIMEOUT" "LABELS;ARGS;ENV")
  if(NOT T_NAME OR NOT T_PROGRAM OR T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "zs_add_run: NAME and PROGRAM are needed; not understood: '${T_UNPARSED_ARGUMENTS}'")
  endif()
  add_test(NAME ${T_NAME} COMMAND ${T_PROGRAM} ${T_ARGS})
  set(serial)
  if(T_SERIAL)
    set(serial SERIAL)
  endif()
  zsi_test_properties(${T_NAME} TIMEOUT "${T_TIMEOUT}" LABELS ${T_LABELS} ENV ${T_ENV} ${serial}
    COMMAND ${T_PROGRAM} ${T_ARGS})
endfunction()
