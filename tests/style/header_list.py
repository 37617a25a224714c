"""include/CMakeLists.txt names every header, once: that installs and verifies
it. A header it forgets would be missing from a package."""

import collections
import re

import tree

LIST = "include/CMakeLists.txt"
ENTRY = re.compile(r"^\s+(hotplate/\S+\.hpp)$", re.MULTILINE)


def check(root):
    listed = collections.Counter(ENTRY.findall((root / LIST).read_text()))
    present = set(tree.headers(root))
    return (
        [f"{LIST}:1: lacks {path}" for path in sorted(present - set(listed))]
        + [f"{LIST}:1: {path} does not exist"
           for path in sorted(set(listed) - present)]
        + [f"{LIST}:1: names {path} {count} times"
           for path, count in sorted(listed.items()) if count > 1])
