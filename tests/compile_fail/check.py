#!/usr/bin/env python3
"""Checks that what must not compile does not, with a sentence that says why.

`check.py SOURCE INCLUDE_DIR COMPILER...` compiles SOURCE with each compiler. A
line that ends in `// <word>` must lead to the error that SENTENCES has for it.
"""

import pathlib
import re
import subprocess
import sys

SENTENCES = {
    "result": "never a view or a reference",
    "arena": "does not return a std::pmr container",
    "parameter": "parameters are values, views, const references",
    "borrowed": "its caller may have freed what it points to",
    "literal": "a_mebibytes_literal_has_at_most_32_bits",
    "instance": "constructed from an init_context& or from nothing",
    "retire": "on_retire(hotplate::retire_reason) must be noexcept",
}
MARK = re.compile(r"// (\w+)$")


def marks(text):
    """{line number: word}"""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = MARK.search(line)
        if match and match.group(1) in SENTENCES:
            found[number] = match.group(1)
    return found


def errors(output, name):
    """{line of the source: errors that it led to}, as g++ and clang++ say it.

    g++ says before an error where it comes from, clang++ after it, and what is
    not constant in a note.
    """
    place = re.compile(re.escape(name) + r":(\d+):\d+:(.*)")
    found, here, last = {}, None, ""
    for line in output.splitlines():
        at = place.search(line)
        if "error:" in line:
            last = line
            if at:
                here = int(at.group(1))
            found.setdefault(here, []).append(last)
        elif "note: non-constexpr function" in line:
            found.setdefault(here, []).append(line)
        elif at and ("required from" in at.group(2)
                     or "expansion of" in at.group(2)):
            here = int(at.group(1))
        elif at and "in instantiation of" in at.group(2):
            found.setdefault(int(at.group(1)), []).append(last)
    return found


def missing(marked, found):
    """Sentences about marked lines without their error."""
    return [f"line {number}: no error that says: {SENTENCES[word]}"
            for number, word in marked.items()
            if not any(SENTENCES[word] in error
                       for error in found.get(number, []))]


def main():
    source, include_dir, *compilers = sys.argv[1:]
    path = pathlib.Path(source)
    marked = marks(path.read_text())
    failed = False
    for compiler in compilers:
        # g++ tells all without being asked.
        all_errors = ["-ferror-limit=0"] if "clang" in compiler else []
        run = subprocess.run(
            [compiler, "-std=c++20", "-fsyntax-only", *all_errors,
             "-I", include_dir, source],
            stderr=subprocess.PIPE, text=True, check=False)
        complaints = missing(marked, errors(run.stderr, path.name))
        if run.returncode == 0:
            complaints.append("it compiles")
        failed = failed or bool(complaints)
        print(f"{compiler}: {len(marked)} lines must not compile")
        for each in complaints:
            print(f"  {path.name}: {each}")
        if complaints:
            print(run.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
