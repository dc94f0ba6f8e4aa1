# SPDX-License-Identifier: BSD-3-Clause
# zs_layer(OUT FILE...): the files of one folder, the lowest first. OUT gets the sources among them.
#
# The order is the plan: a file uses, by call, by data or by #include, only files that stand before it. A header stands
# where the source of its name does, and is listed only if there is none. tests/layering holds the tree to it, and to
# listing every file.
function(zs_layer out)
  set(sources)
  foreach(file IN LISTS ARGN)
    get_filename_component(path ${file} ABSOLUTE)
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${path})
    set_property(GLOBAL APPEND PROPERTY ZS_LAYERS ${name})
    if(file MATCHES "\\.c$")
      list(APPEND sources ${file})
    endif()
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# At the end: the lists as a file, for the test.
function(zs_layers_write)
  get_property(layers GLOBAL PROPERTY ZS_LAYERS)
  list(JOIN layers "\n" text)
  file(WRITE ${PROJECT_BINARY_DIR}/layers.txt "${text}\n")
endfunction()
