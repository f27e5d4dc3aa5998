#!/usr/bin/env python3
"""Writes regimen's port as the public vcpkg registry wants it, from the one in ports/ and a published release.

    python3 packaging/vcpkg/registry.py OWNER/REPOSITORY ARCHIVE FOLDER

OWNER/REPOSITORY: where the release is on GitHub, with the tag v<version>. ARCHIVE: the file that GitHub serves as
archive/v<version>.tar.gz, from which the checksum is computed. FOLDER gets, to be laid over a checkout of the registry:

    ports/regimen/            the port, which fetches the release instead of building the tree that it lies in
    versions/r-/regimen.json  its version, with the git tree of the port
    versions/baseline.part    the entry for versions/baseline.json, where it belongs in the order of the alphabet
"""

import hashlib
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
FROM_TREE = 'get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)\n'


def git_object(kind, content):
    """The name that git gives an object."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content)


def git_tree(files):
    """The name that git gives a folder of plain files, {name: bytes}."""
    entries = [b"100644 " + name.encode() + b"\0" + git_object("blob", files[name]).digest() for name in sorted(files)]
    return git_object("tree", b"".join(entries)).hexdigest()


def registry_port(repository, checksum):
    """The files of the port, {name: bytes}."""
    files = {path.name: path.read_bytes() for path in (HERE / "ports" / "regimen").iterdir()}
    portfile = files["portfile.cmake"].decode()
    if portfile.count(FROM_TREE) != 1:
        sys.exit(f"ports/regimen/portfile.cmake must hold this line once:\n{FROM_TREE}")
    fetched = (
        "vcpkg_from_github(\n"
        "    OUT_SOURCE_PATH SOURCE_PATH\n"
        f"    REPO {repository}\n"
        '    REF "v${VERSION}"\n'
        f"    SHA512 {checksum}\n"
        "    HEAD_REF main\n"
        ")\n"
    )
    files["portfile.cmake"] = portfile.replace(FROM_TREE, fetched).encode()
    manifest = {}
    for field, value in json.loads(files["vcpkg.json"]).items():
        manifest[field] = value
        if field == "description":  # the order that `vcpkg format-manifest` asks for
            manifest["homepage"] = f"https://github.com/{repository}"
    files["vcpkg.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
    return files, manifest["version"]


def main(repository, archive, folder):
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        sys.exit(f"OWNER/REPOSITORY must be two names with a slash between them, but is {repository!r}")
    content = pathlib.Path(archive).read_bytes()
    files, version = registry_port(repository, hashlib.sha512(content).hexdigest())
    port = pathlib.Path(folder) / "ports" / "regimen"
    versions = pathlib.Path(folder) / "versions"
    port.mkdir(parents=True, exist_ok=True)
    (versions / "r-").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (port / name).write_bytes(text)
    history = {"versions": [{"git-tree": git_tree(files), "version": version, "port-version": 0}]}
    (versions / "r-" / "regimen.json").write_text(json.dumps(history, indent=2) + "\n")
    baseline = json.dumps({"regimen": {"baseline": version, "port-version": 0}}, indent=2)
    (versions / "baseline.part").write_text("\n".join("  " + line for line in baseline.split("\n")[1:-1]) + ",\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
