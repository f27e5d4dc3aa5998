#!/usr/bin/env python3
"""One version, everywhere: python3 versions.py <regimen's folder> <version that CMake has read>

It is defined in include/regimen/base/version.hpp. CMake reads it there, and so does the Conan recipe; vcpkg's manifest
and CITATION.cff must hold it as a number of their own.
"""

import json
import pathlib
import re
import sys
import types


def conan_version(root):
    """What the recipe's set_version finds, with just enough of Conan imitated to load it."""
    names = {"conan": ["ConanFile"], "conan.tools": [], "conan.tools.build": ["check_min_cppstd"],
             "conan.tools.cmake": ["CMake", "CMakeDeps", "CMakeToolchain", "cmake_layout"],
             "conan.tools.files": ["copy", "load"]}
    for module, members in names.items():
        sys.modules[module] = types.ModuleType(module)
        for member in members:
            setattr(sys.modules[module], member, object)
    sys.modules["conan.tools.files"].load = lambda recipe, path: pathlib.Path(path).read_text()
    path = root / "packaging/conan/conanfile.py"
    scope = {}
    exec(compile(path.read_text(), path, "exec"), scope)
    recipe = scope["Regimen"]()
    recipe.recipe_folder = str(path.parent)
    recipe.set_version()
    return recipe.version


def found(pattern, path):
    match = re.search(pattern, path.read_text(), re.M)
    return match[1] if match else None


def version_of(root):
    header = (root / "include/regimen/base/version.hpp").read_text()
    return ".".join(re.findall(r"^#define REGIMEN_VERSION_(?:MAJOR|MINOR|PATCH) +(\d+)", header, re.M))


def main(root, cmake):
    root = pathlib.Path(root)
    version = version_of(root)
    major, minor, _ = version.split(".")
    wanted = [
        ("CMakeLists.txt", cmake, version),
        ("packaging/conan/conanfile.py", conan_version(root), version),
        ("packaging/vcpkg/ports/regimen/vcpkg.json",
         json.loads((root / "packaging/vcpkg/ports/regimen/vcpkg.json").read_text())["version"], version),
        ("tests/consumer/conanfile.txt", found(r"^regimen/(.*)", root / "tests/consumer/conanfile.txt"),
         f"[>={major}.{minor} <{major}.{int(minor) + 1}]"),
        ("CITATION.cff", found(r"^version: (.+)$", root / "CITATION.cff"), version),
    ]
    faults = [f"{file} has version {has}; version.hpp says {should}" for file, has, should in wanted if has != should]
    print("\n".join(faults) if faults else f"version {version} everywhere")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
