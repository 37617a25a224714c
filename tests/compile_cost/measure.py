#!/usr/bin/env python3
"""Measures what including hotplate costs to compile, beside its peers.

`measure.py COMPILER INCLUDE_DIR` compiles otherwise empty files in turn,
several times, and fails when hotplate's least processor time is above the
dearer peer's: other work on the machine only ever adds to it.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

OURS = "hotplate/hotplate.hpp"
PEERS = ["boost/fiber/all.hpp", "tbb/tbb.h"]
REPETITIONS = 7


def milliseconds(command):
    """Processor time of a command and its children."""
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    return 1000 * (after.children_user - before.children_user +
                   after.children_system - before.children_system)


def preprocessed_lines(compile_command, source):
    # -P: without the compiler's own line markers.
    text = subprocess.run([*compile_command, "-E", "-P", source], check=True,
                          stdout=subprocess.PIPE).stdout
    return text.count(b"\n")


def measure(compile_command, headers):
    """{header: (least milliseconds, preprocessed lines)}"""
    with tempfile.TemporaryDirectory() as folder:
        sources = {}
        for header in headers:
            source = pathlib.Path(folder, header.replace("/", "_") + ".cpp")
            source.write_text(f"#include <{header}>\n")
            sources[header] = source
        lines = {header: preprocessed_lines(compile_command, source)
                 for header, source in sources.items()}
        times = {header: [] for header in headers}
        # In turn, so that a slow moment of the machine strikes all alike.
        for _ in range(REPETITIONS):
            for header, source in sources.items():
                times[header].append(milliseconds(
                    [*compile_command, "-c", source, "-o", "/dev/null"]))
        return {header: (min(times[header]), lines[header])
                for header in headers}


def within_bound(costs):
    return costs[OURS][0] <= max(costs[peer][0] for peer in PEERS)


def main():
    compiler, include_dir = sys.argv[1:]
    command = [compiler, "-std=c++20", "-O0", "-I", include_dir]
    costs = measure(command, [OURS, *PEERS])

    print(f"{' '.join(command[:3])}, least processor time of {REPETITIONS}")
    print(f"{'#include':<24}{'ms':>8}{'lines':>10}")
    for header, (least, lines) in costs.items():
        print(f"{'<' + header + '>':<24}{least:>8.0f}{lines:>10,}")
    if within_bound(costs):
        return 0
    print("hotplate is dearer to include than the dearer peer")
    return 1


if __name__ == "__main__":
    sys.exit(main())
