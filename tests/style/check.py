#!/usr/bin/env python3
"""Checks what the compilers and clang-format do not: `check.py [ROOT]`.

Prints one finding a line, as path:line: what is wrong.
"""

import pathlib
import sys

import folders
import header_list
import layers
import named_tests
import readme
import sizes

CHECKS = [layers, header_list, folders, sizes, readme, named_tests]


def findings(root):
    return [finding for check in CHECKS for finding in check.check(root)]


def main():
    here = pathlib.Path(__file__).resolve()
    root = pathlib.Path(sys.argv[1]) if sys.argv[1:] else here.parents[2]
    found = findings(root)
    print("\n".join(found) or "style: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
