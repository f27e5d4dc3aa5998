"""The Conan recipe of regimen: its headers and its CMake package, nothing compiled. It packs the tree that it lies in.

    conan create packaging/conan

docs/install.md shows how Conan is told of the system's LibTorch; tests/consumer/conan.sh runs all of it.
"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Regimen(ConanFile):
    name = "regimen"
    description = "Training regimes for LibTorch: what a network is shown, what it is pulled towards, and when it is over"
    license = "MIT"
    topics = ("machine-learning", "libtorch", "pytorch", "label-noise", "regularization", "generalization", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "..", "..", "include", "regimen", "base", "version.hpp"))
        parts = re.findall(r"^#define REGIMEN_VERSION_(?:MAJOR|MINOR|PATCH) +(\d+)", header, re.M)
        self.version = ".".join(parts)

    def export_sources(self):
        tree = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "cmake/*", "include/*.hpp", "LICENSE", "README.md"):
            copy(self, pattern, tree, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("libtorch/[>=1.13]", transitive_headers=True, transitive_libs=True)
        self.requires("zlib/[>=1.2.11 <2]", transitive_headers=True, transitive_libs=True)

    def package_id(self):
        self.info.clear()  # headers are the same for every compiler and setting

    def validate(self):
        check_min_cppstd(self, 20)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["REGIMEN_BUILD_TESTS"] = False
        toolchain.cache_variables["REGIMEN_BUILD_EXAMPLES"] = False
        toolchain.cache_variables["CMAKE_INSTALL_MESSAGE"] = "NEVER"  # not a line a header
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # find_package(regimen) takes the package's own regimen-config.cmake: it knows every kind of LibTorch.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [""]  # the package, as a prefix for CMake
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
