# SPDX-License-Identifier: BSD-3-Clause
# Which tests run a second and a third time, on a system with larger pages.
add_library(zs_large_pages MODULE support/large_pages.c)
target_compile_definitions(zs_large_pages PRIVATE _GNU_SOURCE)
target_compile_options(zs_large_pages PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes)
target_link_libraries(zs_large_pages PRIVATE ${CMAKE_DL_LIBS})

# That it is in place, where a program is linked with the static library, too.
add_executable(large_pages_in_place support/large_pages_test.c)
target_compile_definitions(large_pages_in_place PRIVATE _GNU_SOURCE)
target_link_libraries(large_pages_in_place PRIVATE zs_internal zsmalloc_static zs_flags PkgConfig::CMOCKA ${CMAKE_DL_LIBS})
foreach(kib IN ITEMS 16 64)
  math(EXPR bytes "${kib} * 1024")
  add_test(NAME large_pages_in_place_${kib}k COMMAND large_pages_in_place)
  zsi_test_properties(large_pages_in_place_${kib}k FOLDER large_pages ENV
    ZS_TEST_SYSTEM_PAGE=${bytes} LD_PRELOAD=$<TARGET_FILE:zs_large_pages>)
endforeach()

set(once
  # Nothing in them depends on pages: arithmetic, locks, threads that wait, compressors, text.
  "unit_(bits|lock|pace|account|geometry|psi|pressure|codec.*|lzo|zram_(parts|print|train|stream))"
  # The caller's pages are not the system's; of each kind one is enough.
  "model_(dense|linux)_(scattered|adjacent|reversed)_.*chain.*"
  "model_(dense|linux)_(adjacent|reversed)_.*"
  "stress_.*_scattered.*"
  "stress_.*_linux"
  # The kernel's arithmetic, which knows no system pages.
  "model_linux_pages_.*" "unit_zram_selftests"
  # Long, and another run does the same with other numbers.
  "model_zram_2" "stress_(zram_[248]|pools|migrate|readers|zram_fork|zram_reset|fork_reader|pressure)"
  "oom_(map|huge|batch|tiny|compact|many|zram_load|zram_evict|zram_writeback)"
  # To the page, with limits of a few MiB, where each table has one.
  "unit_zram_limit" "unit_room" "unit_full" "oom_limit"
  # Command lines and texts; pack_faults has a library of its own in LD_PRELOAD.
  "system_(help|completion|advise|edges|endless|example_snapshot|paste|replace|pack_content|pack_bad_input|pack_terminal|pack_faults)")

zs_run_with_large_pages(16384 16k ONLY "^(unit|misuse|model|oom|stress|fuzz|system)_" NOT ${once})
# Limits of a few MiB are too small for a page of 64 KiB of everything.
zs_run_with_large_pages(65536 64k ONLY "^(unit|misuse|model|oom|stress|fuzz)_" NOT ${once} unit_zram_memory unit_zram_streams unit_zram_evict.* oom_zram_overwrite)
