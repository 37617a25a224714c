"""What each header and each folder of machinery must have."""

import tree

README_LINES = 30


def machinery(root):
    """Stage and component folders, relative to root."""
    parents = [root / "include" / "hotplate", root / "lib"]
    return [folder.relative_to(root) for parent in parents if parent.is_dir()
            for folder in sorted(parent.iterdir())
            if folder.is_dir() and any(folder.iterdir())
            and folder.name != "cmake"]


def check(root):
    found = []
    for folder in machinery(root):
        readme = folder / "README.md"
        if not (root / readme).exists():
            found.append(f"{readme}:1: is missing: what the folder owns and "
                         "what it never does")
        elif len(tree.lines(root, readme)) > README_LINES:
            found.append(f"{readme}:1: over {README_LINES} lines")
    for path in tree.headers(root):
        if "#pragma once" not in tree.lines(root / "include", path):
            found.append(f"include/{path}:1: lacks #pragma once")
    return found
