"""A package that is empty and says: what the system has. For libraries that Conan shall not build:

    conan create packaging/conan/system --name=libtorch --version=system
    conan create packaging/conan/system --name=zlib --version=system

[replace_requires] of a profile (profiles/replaced) then takes it for whatever version is asked for.
"""

from conan import ConanFile


class System(ConanFile):
    description = "A library of the system, found by CMake without Conan"
    package_type = "header-library"  # nothing to build, and nothing that a setting changes

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")  # CMake's own search finds it
        self.cpp_info.includedirs = []
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
