"""The files of the project, without what is generated."""

import os


def files(root):
    """Every file under root as a path relative to it, sorted."""
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders
                         if name not in ("build", ".git", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, name), root)
                  for name in names]
    return sorted(found)


def headers(root):
    """Every .hpp below include/, relative to include/."""
    return [path.removeprefix("include/") for path in files(root)
            if path.startswith("include/") and path.endswith(".hpp")]


def lines(root, path):
    return (root / path).read_text(encoding="utf-8").splitlines()
