#!/usr/bin/env python3
"""Measures what including hotplate costs to compile, beside its peers.

`measure.py COMPILER INCLUDE_DIR` compiles otherwise empty files in turn,
several times, and fails when hotplate's least processor time is above BOUND
times the dearer peer's: other work on the machine only ever adds to it.
"""

import pathlib
import resource
import subprocess
import sys
import tempfile

OURS = "hotplate/hotplate.hpp"
PEERS = ["boost/fiber/all.hpp", "tbb/tbb.h"]
REPETITIONS = 7
MOST_ROUNDS = 3  # of so many, while it is above: a noisy machine needs more
# Measured: 0.94 to 1.06, depending on the machine and its neighbours.
BOUND = 1.15


def milliseconds(command):
    """Processor time of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime +
                   after.ru_stime - before.ru_stime)


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
        costs = {}
        for turn in range(REPETITIONS * MOST_ROUNDS):
            if turn % REPETITIONS == 0 and turn > 0 and within_bound(costs):
                break
            for header, source in sources.items():
                times[header].append(milliseconds(
                    [*compile_command, "-c", source, "-o", "/dev/null"]))
            costs = {header: (min(times[header]), lines[header])
                     for header in headers}
        return costs


def within_bound(costs):
    return costs[OURS][0] <= BOUND * max(costs[peer][0] for peer in PEERS)


def main():
    compiler, include_dir = sys.argv[1:]
    command = [compiler, "-std=c++20", "-O0", "-I", include_dir]
    costs = measure(command, [OURS, *PEERS])

    print(f"{' '.join(command[:3])}, least processor time")
    print(f"{'#include':<24}{'ms':>8}{'lines':>10}")
    for header, (least, lines) in costs.items():
        print(f"{'<' + header + '>':<24}{least:>8.0f}{lines:>10,}")
    if within_bound(costs):
        return 0
    print(f"hotplate is over {BOUND} times as dear to include as the dearer peer")
    return 1


if __name__ == "__main__":
    sys.exit(main())
