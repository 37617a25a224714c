"""Every code block of README.md is cut from a file that is built or run.

The line before a block names its source:

    <!-- tests/examples/hello.cpp -->            the whole file
    <!-- tests/examples/hello.cpp [deploy] -->   what stands in it between two
                                                 lines `// [deploy]`
A ```sh block may go without, if each of its lines is one of
tests/examples/commands.sh.
"""

import re
import textwrap

import tree

README = "README.md"
COMMANDS = "tests/examples/commands.sh"
FENCE = re.compile(r"\s*```\s*(\w*)")
SOURCE = re.compile(r"<!-- (tests/[\w./-]+)(?: \[([\w-]+)\])? -->")
MARKER = re.compile(r"\s*(//|#) \[([\w-]+)\]\s*")


def blocks(text):
    """(line number, language, line before, content) of each fenced block."""
    start = language = before = None
    for number, line in enumerate(text, 1):
        match = FENCE.match(line)
        if match and start is None:
            start, language = number, match.group(1)
            before = next((above.strip() for above in reversed(text[:start - 1])
                           if above.strip()), "")
        elif match:
            yield start, language, before, normal(text[start:number - 1])
            start = None
    if start is not None:
        yield start, language, before, None


def normal(text):
    """Without common indentation, trailing blanks and outer blank lines."""
    return textwrap.dedent("\n".join(line.rstrip() for line in text)).strip("\n")


def region(text, name):
    """What stands between the two markers of that name; None without them."""
    at = [number for number, line in enumerate(text)
          if (match := MARKER.fullmatch(line)) and match.group(2) == name]
    if len(at) != 2:
        return None
    return without_markers(text[at[0]:at[1]])


def without_markers(text):
    return normal([line for line in text if not MARKER.fullmatch(line)])


def objection(root, language, before, content):
    if content is None:
        return "this block is never closed"
    source = SOURCE.fullmatch(before)
    if not source:
        if language == "sh":
            return unknown_command(root, content)
        return "no <!-- tests/... --> before this block"
    path, name = source.groups()
    if not (root / path).is_file():
        return f"{path} does not exist"
    text = tree.lines(root, path)
    expected = region(text, name) if name else without_markers(text)
    if expected is None:
        return f"{path} lacks two lines [{name}]"
    return None if content == expected else f"differs from {path}"


def unknown_command(root, content):
    known = tree.lines(root, COMMANDS) if (root / COMMANDS).exists() else []
    unknown = [line for line in content.splitlines()
               if line.strip() and line not in known]
    return f"{COMMANDS} lacks: {unknown[0]}" if unknown else None


def check(root):
    if not (root / README).exists():
        return [f"{README}:1: is missing"]
    found = []
    for line, language, before, content in blocks(tree.lines(root, README)):
        why = objection(root, language, before, content)
        if why:
            found.append(f"{README}:{line}: {why}")
    return found
