# regimen_require(<package> <what needs it> <its package in Debian> <option> [...]): find_package(<package> ...), and where
# that finds nothing an error that says what to install, or which option does without it.
#
# A macro, for a package may set variables.
macro(regimen_require package needed_by debian option)
  find_package(${package} QUIET ${ARGN})
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${needed_by} need ${package}, and CMake does not find it. Debian: apt-get install ${debian} "
                        "(tools/install-packages.sh test installs all that they need). Without them: -D${option}=OFF.")
  endif()
endmacro()
