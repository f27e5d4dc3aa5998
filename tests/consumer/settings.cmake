# What a project that takes regimen must find as it was: include it, call remember_settings(), take regimen, and call
# check_settings(). A setting that has changed, or that the cache has got, is an error.
#
# include(../settings.cmake)
set(looked_at
    BUILD_SHARED_LIBS BUILD_TESTING CMAKE_BUILD_TYPE CMAKE_CXX_EXTENSIONS CMAKE_CXX_FLAGS CMAKE_CXX_STANDARD
    CMAKE_CXX_STANDARD_REQUIRED CMAKE_EXE_LINKER_FLAGS CMAKE_FIND_PACKAGE_TARGETS_GLOBAL CMAKE_INSTALL_DATAROOTDIR
    CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR CMAKE_MINIMUM_REQUIRED_VERSION CMAKE_MODULE_PATH
    CMAKE_POSITION_INDEPENDENT_CODE CMAKE_PREFIX_PATH)
set(looked_at_of_folder COMPILE_OPTIONS COMPILE_DEFINITIONS INCLUDE_DIRECTORIES LINK_LIBRARIES LINK_OPTIONS)

macro(remember_settings)
  foreach(name IN LISTS looked_at)
    set(remembered_${name} "${${name}}")
    set(remembered_cached_${name} "$CACHE{${name}}")
  endforeach()
  foreach(name IN LISTS looked_at_of_folder)
    get_directory_property(remembered_${name} ${name})
  endforeach()
endmacro()

macro(check_settings)
  foreach(name IN LISTS looked_at)
    if(NOT "${remembered_${name}}" STREQUAL "${${name}}")
      message(FATAL_ERROR "regimen changed ${name} from \"${remembered_${name}}\" to \"${${name}}\"")
    elseif(NOT "${remembered_cached_${name}}" STREQUAL "$CACHE{${name}}")
      message(FATAL_ERROR "regimen changed ${name} in the cache: \"${remembered_cached_${name}}\", then \"$CACHE{${name}}\"")
    endif()
  endforeach()
  foreach(name IN LISTS looked_at_of_folder)
    get_directory_property(value ${name})
    if(NOT "${remembered_${name}}" STREQUAL "${value}")
      message(FATAL_ERROR "regimen changed this folder's ${name} from \"${remembered_${name}}\" to \"${value}\"")
    endif()
  endforeach()
endmacro()
