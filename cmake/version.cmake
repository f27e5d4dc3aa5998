# Sets regimen_version to "MAJOR.MINOR.PATCH", read from the header, so that no number is kept twice.
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../include/regimen/base/version.hpp" regimen_version
     REGEX "^#define REGIMEN_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
list(TRANSFORM regimen_version REPLACE "^#define REGIMEN_VERSION_[A-Z]+ +([0-9]+).*" "\\1")
list(JOIN regimen_version "." regimen_version)
if(NOT regimen_version MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
  message(FATAL_ERROR "include/regimen/base/version.hpp must define REGIMEN_VERSION_MAJOR, _MINOR and _PATCH, in this order.")
endif()
