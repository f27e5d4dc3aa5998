# Compiles one case: cmake -D compiler=... -D flags=<response file> -D case=<file.cpp> -P check.cmake
#
# A case says what it expects in comments, one regular expression a line:
#     // expect: a transform must be callable as
# Then it must not compile, and the compiler's errors must match every one of them. A case with no such line must
# compile: without that control, a broken include path would make all the others pass. Two lines more that it may have:
#     // flag: -std=c++17
#     // errors: 2
# what it is compiled with, too, and how many errors there are at most.
file(STRINGS "${case}" expected REGEX "^// expect: ")
list(TRANSFORM expected REPLACE "^// expect: " "")
file(STRINGS "${case}" more REGEX "^// flag: ")
list(TRANSFORM more REPLACE "^// flag: " "")
file(STRINGS "${case}" most REGEX "^// errors: ")
list(TRANSFORM most REPLACE "^// errors: " "")

execute_process(COMMAND "${compiler}" "@${flags}" ${more} "${case}" RESULT_VARIABLE result ERROR_VARIABLE errors)

if(result EQUAL 0 AND expected)
  message(FATAL_ERROR "This must not compile, and does.")
elseif(NOT result EQUAL 0 AND NOT expected)
  message("${errors}")
  message(FATAL_ERROR "This must compile, and does not.")
endif()

foreach(regex IN LISTS expected)
  if(NOT errors MATCHES "${regex}")
    message("${errors}")
    message(FATAL_ERROR "This does not compile, as it should, but no error says \"${regex}\".")
  endif()
endforeach()

string(REGEX MATCHALL "error: " all "${errors}")
list(LENGTH all count)
if(most AND count GREATER most)
  message("${errors}")
  message(FATAL_ERROR "These are ${count} errors, and at most ${most} are expected.")
endif()
