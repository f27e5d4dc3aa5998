#!/usr/bin/env python3
"""Checks the vcpkg port, its system ports and what registry.py makes of it; vcpkg itself is not needed.

    python3 vcpkg.py <regimen's folder> <folder to work in> <cmake> [options of cmake ...]

The portfiles run with vcpkg's functions imitated (vcpkg.cmake), a project then finds the package by the lines of its
usage text, and the manifests are compared with each other, with version.hpp and with LICENSE.
"""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

from versions import version_of

FIELDS = {"name", "version", "version-string", "description", "homepage", "license", "supports", "dependencies", "features",
          "overlay-ports"}


def require(holds, message):
    if not holds:
        sys.exit(message)


def manifest(path):
    text = path.read_text()
    content = json.loads(text)
    require(set(content) <= FIELDS, f"{path}: fields {set(content) - FIELDS} are not ones that we use")
    require(text == json.dumps(content, indent=2) + "\n", f"{path} is not as `vcpkg format-manifest` writes it")
    return content


def dependencies(content):
    """(name, features) of all that a port or one of its features depends on."""
    for part in [content, *content.get("features", {}).values()]:
        for one in part.get("dependencies", []):
            yield (one, []) if isinstance(one, str) else (one["name"], one.get("features", []))


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    require(result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")


def check_manifests(root, packaging):
    port = manifest(packaging / "ports/regimen/vcpkg.json")
    require(port["version"] == version_of(root), f"vcpkg.json has version {port['version']}, version.hpp {version_of(root)}")
    require(port["license"] == "MIT" and "MIT License" in (root / "LICENSE").read_text(), "vcpkg.json's license is not LICENSE's")
    system = {path.parent.name: manifest(path) for path in packaging.glob("system-ports/*/vcpkg.json")}
    for name, content in system.items():
        require(content["name"] == name, f"system-ports/{name} calls itself {content['name']}")
        portfile = (packaging / "system-ports" / name / "portfile.cmake").read_text()
        require(portfile == "set(VCPKG_POLICY_EMPTY_PACKAGE enabled)\n", f"system-ports/{name} must be an empty package")
    for name, features in dependencies(port):
        require(name in {*system, "vcpkg-cmake", "vcpkg-cmake-config"}, f"regimen depends on {name}, and no system port has it")
        for feature in features:
            require(feature in system[name].get("features", {}), f"regimen wants {name}[{feature}], which the system port has not")
    example = packaging / "example"
    require([name for name, _ in dependencies(manifest(example / "vcpkg.json"))] == ["regimen"], "the example needs regimen")
    for folder in manifest(example / "vcpkg-configuration.json")["overlay-ports"]:
        require((example / folder).is_dir(), f"vcpkg-configuration.json names {folder}, which is not there")


def build_port(root, port, work, cmake, options, source=""):
    here = root / "tests/consumer"
    cache = ";".join(options)
    run(cmake, "-D", f"port={port}", "-D", f"work={work}", "-D", f"source={source}", "-D", f"cache={cache}", "-P", here / "vcpkg.cmake")
    packages = work / "packages"
    usage = (packages / "share/regimen/usage").read_text()
    lines = re.findall(r"^    (find_package.*|target_link_libraries.*)$", usage, re.M)
    require(len(lines) == 3, f"{port}/usage must show find_package once and target_link_libraries twice")
    project = work / "project"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25...4.3)\nproject(mine LANGUAGES CXX)\n"
        f"{lines[0]}\nadd_executable(main main.cpp)\n{lines[2]}\nadd_library(linked INTERFACE)\n"
        + lines[1].replace("main PRIVATE", "linked INTERFACE") + "\n")
    shutil.copy(here / "fetched/main.cpp", project)
    run(cmake, "-S", project, "-B", project / "build", f"-Dregimen_DIR={packages}/share/regimen", *options)
    run(cmake, "--build", project / "build")
    run(project / "build/main")


def check_registry(root, packaging, work, cmake, options):
    """What registry.py writes: an archive of a file stands for the release's."""
    archive = work / "release.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(root / "LICENSE", "LICENSE")
    run(sys.executable, packaging / "registry.py", "someone/something", archive, work / "registry")
    port = work / "registry/ports/regimen"
    content = manifest(port / "vcpkg.json")
    require(content["homepage"] == "https://github.com/someone/something", "the registry's vcpkg.json has another homepage")
    checksum = hashlib.sha512(archive.read_bytes()).hexdigest()
    require(f"SHA512 {checksum}\n" in (port / "portfile.cmake").read_text(), "the portfile has another checksum than the archive")
    require("CURRENT_PORT_DIR" not in (port / "portfile.cmake").read_text(), "the registry's portfile still builds a tree beside it")
    version = json.loads((work / "registry/versions/r-/regimen.json").read_text())["versions"][0]
    baseline = json.loads("{" + (work / "registry/versions/baseline.part").read_text().rstrip(",\n") + "}")
    require(baseline == {"regimen": {"baseline": version_of(root), "port-version": 0}}, "baseline.part has another version")
    require(version["version"] == version_of(root), "versions/r-/regimen.json has another version")
    git = shutil.which("git")
    if git:  # the name of the tree, as git gives it
        work_tree = work / "git"
        run(git, "init", "--quiet", work_tree)
        shutil.copytree(port, work_tree, dirs_exist_ok=True)
        run(git, "-C", work_tree, "add", ".")
        tree = subprocess.run([git, "-C", work_tree, "write-tree"], capture_output=True, text=True).stdout.strip()
        require(tree == version["git-tree"], f"git calls the port's tree {tree}, registry.py {version['git-tree']}")
    build_port(root, port, work / "from_registry", cmake, options, source=root)


def main(root, work, cmake, *options):
    root, work = pathlib.Path(root), pathlib.Path(work)
    packaging = root / "packaging/vcpkg"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    check_manifests(root, packaging)
    build_port(root, packaging / "ports/regimen", work / "from_tree", cmake, options)
    check_registry(root, packaging, work, cmake, options)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
