"""tests/README.md names only tests that exist."""

import re

import tree

README = "tests/README.md"
NAMED = re.compile(r"`((?:unit|stress|instructions)/[\w./]+\.(?:cpp|py))`")


def check(root):
    if not (root / README).exists():
        return []
    found = []
    for number, line in enumerate(tree.lines(root, README), 1):
        for path in NAMED.findall(line):
            if not (root / "tests" / path).exists():
                found.append(f"{README}:{number}: {path} does not exist")
    return found
