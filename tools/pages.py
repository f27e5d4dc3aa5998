"""The files of the repository as a reader sees it: for the scripts about pages."""

import os
import pathlib

# Of the root: what builds and runs leave behind. They come and go while tests run, so nobody walks through them.
PASSING = {"build", "results"}


def files(project, wanted):
    """The files whose path in the project `wanted` says yes to, sorted; nothing under a hidden folder but .github and .ci."""
    found = []
    for folder, folders, names in os.walk(project):
        place = pathlib.Path(folder).relative_to(project)
        at_root = place == pathlib.Path()
        folders[:] = [f for f in folders if not (at_root and f in PASSING) and (not f.startswith(".") or f in (".github", ".ci"))]
        found += [pathlib.Path(folder) / name for name in names if wanted(place / name)]
    return sorted(found)


def pages(project):
    """The Markdown pages that are read in the repository and on the site; not GitHub's forms."""
    return [path for path in files(project, lambda place: place.suffix == ".md") if ".github" not in path.parts]
