"""How long files may be."""

import re

import tree

ANY_FILE = 300
LIMITS = [  # first match decides; these know no reason to be longer
    (re.compile(r"README\.md"), 150),
    (re.compile(r"include/hotplate/[^/]+\.hpp"), 200),
    (re.compile(r"CMakeLists\.txt"), 80),
]
SOURCE = re.compile(r".*(\.([ch]pp|py|sh|cmake|in)|CMakeLists\.txt)")
REASON = re.compile(r"(//|#) Long because: \S")


def objection(path, text):
    for pattern, limit in LIMITS:
        if pattern.fullmatch(path):
            return f"over {limit} lines" if len(text) > limit else None
    if not SOURCE.fullmatch(path) or len(text) <= ANY_FILE:
        return None
    if any(REASON.match(line) for line in text[:10]):
        return None
    return f'over {ANY_FILE} lines without a "Long because: ..." at its top'


def check(root):
    found = []
    for path in tree.files(root):
        if path in ("README.md",) or SOURCE.fullmatch(path):
            why = objection(path, tree.lines(root, path))
            if why:
                found.append(f"{path}:1: {why}")
    return found
