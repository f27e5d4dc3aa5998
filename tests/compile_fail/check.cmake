# Compiles one case: cmake -D compiler=... -D flags=<response file> -D case=<file.cpp> -P check.cmake
#
# A case says what it expects in comments, one regular expression a line:
#     // expect: a transform must be callable as
# Then it must not compile, and the compiler's errors must match every one of them. A case with no such line must
# compile: without that control, a broken include path would make all the others pass.
file(STRINGS "${case}" expected REGEX "^// expect: ")
list(TRANSFORM expected REPLACE "^// expect: " "")

execute_process(COMMAND "${compiler}" "@${flags}" "${case}" RESULT_VARIABLE result ERROR_VARIABLE errors)

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
