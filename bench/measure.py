#!/usr/bin/env python3
"""Runs the benchmarks: every program bench_* of the build tree.

Without an option it measures all of them in less than 15 minutes, writes the
figures to build/bench.json, for bench/report.py, and prints the targets.
Progress goes to stderr.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import results
import targets

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
WRITTEN = ROOT / "build" / "bench.json"
LIMIT_SECONDS = 300  # One program, that hangs or measures too much.
sys.path.insert(0, str(ROOT / "tests" / "instructions"))


class Mode:
    """How much is measured. Sides alternate: every process runs all programs
    once, and within a program repetitions are interleaved."""

    def __init__(self, processes, repetitions, seconds, environment=()):
        self.processes = processes
        self.environment = {**os.environ, **dict(environment)}
        self.flags = [f"--benchmark_repetitions={repetitions}",
                      f"--benchmark_min_time={seconds}",
                      "--benchmark_enable_random_interleaving=true"]


FULL = Mode(processes=3, repetitions=7, seconds=0.02)
QUICK = Mode(processes=1, repetitions=1, seconds=0.0001,
             environment={"HOTPLATE_BENCH_QUICK": "1"})


def programs():
    found = sorted(path for path in (BUILD / "bench").rglob("bench_*")
                   if path.is_file() and os.access(path, os.X_OK))
    if not found:
        raise results.Failed(f"no bench_* in {BUILD}/bench: see bench/run.sh")
    return found


def listed(program, mode):
    """The names of its benchmarks, as Google Benchmark has them: some tell how
    often they run, which depends on the mode."""
    return subprocess.run([program, "--benchmark_list_tests"], text=True,
                          env=mode.environment, stdout=subprocess.PIPE,
                          check=True).stdout.split()


def exactly(names):
    """A filter for these. Dots in names match any character; so be it."""
    return "^(" + "|".join(names) + ")$"


def run(program, names, mode):
    """{name: figures} of one process."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        try:
            ran = subprocess.run(
                [program, *mode.flags, f"--benchmark_filter={exactly(names)}",
                 f"--benchmark_out={out.name}"],
                env=mode.environment, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, check=False,
                timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise results.Failed(
                f"{program.name} took over {LIMIT_SECONDS} s") from late
        if ran.returncode != 0:
            raise results.Failed(f"{program.name} ended with {ran.returncode}:"
                                 f"\n{ran.stderr}")
        try:
            return results.of_process(json.load(out))
        except (json.JSONDecodeError, results.Failed) as bad:
            raise results.Failed(f"{program.name}: {bad}\n{ran.stderr}") from bad


def select(found, wanted, mode):
    """[(program, its benchmarks)]: all, or those of these plain names."""
    chosen = [(program, [name for name in listed(program, mode)
                         if wanted is None or results.plain(name) in wanted])
              for program in found]
    return [(program, names) for program, names in chosen if names]


def measure(chosen, mode):
    ran = []
    turns = [(program, names) for _ in range(mode.processes)
             for program, names in chosen]
    for turn, (program, names) in enumerate(turns, 1):
        started = time.monotonic()
        print(f"[{turn:3}/{len(turns)}] {program.name:<40}", end="",
              file=sys.stderr, flush=True)
        ran.append(run(program, names, mode))
        print(f"{time.monotonic() - started:6.1f} s", file=sys.stderr)
    return results.join(ran)


def instructions():
    """Callgrind counts them, no clock; see tests/instructions."""
    import count  # pylint: disable=import-outside-toplevel,import-error
    program = BUILD / "tests" / "instructions" / "warm_invocation"
    return {targets.INSTRUCTIONS: {"count": count.measure(program, "nested")}}


def line_of(path, start):
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(start):
            return line.split(":", 1)[-1].split("=", 1)[-1].strip(' "')
    return "unknown"


def busy_percent(seconds=1):
    """How much of all processors others use, before anything is measured."""
    def times():
        first = pathlib.Path("/proc/stat").read_text(encoding="utf-8")
        spent = [int(each) for each in first.split("\n", 1)[0].split()[1:9]]
        return sum(spent), spent[3] + spent[4]  # Idle, or waiting for a disk.

    all_before, idle_before = times()
    time.sleep(seconds)
    all_after, idle_after = times()
    idle = (idle_after - idle_before) / (all_after - all_before)
    return round(100 * (1 - idle))


def kernel_version():
    """Without what a vendor adds to it."""
    return platform.release().split("-")[0]


def machine():
    compiler = subprocess.run(["g++", "-dumpfullversion"], text=True,
                              stdout=subprocess.PIPE, check=True).stdout.strip()
    return {"processor": line_of("/proc/cpuinfo", "model name"),
            "cores": os.cpu_count(),
            "system": f"{line_of('/etc/os-release', 'PRETTY_NAME')}, "
                      f"Linux {kernel_version()}",
            "compiler": f"g++ {compiler} -O3",
            "date": time.strftime("%Y-%m-%d"),
            "busy with others": f"{busy_percent()} %"}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true",
                     help="only see that each benchmark runs and each target "
                          "has its figures, in less than 2 minutes")
    how.add_argument("--targets", action="store_true",
                     help="measure only what has a target, in less than 5 "
                          "minutes, and write no file")
    parser.add_argument("--json", action="store_true",
                        help="print the targets as JSON")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.quick and options.json:
        parser.error("--quick has no figures to print as --json")
    return options


def main():
    options = parse(sys.argv[1:])
    if options.check:
        return 0
    mode = QUICK if options.quick else FULL
    where = machine()
    print(f"{where['processor']}, busy with others: "
          f"{where['busy with others']}", file=sys.stderr)
    started = time.monotonic()
    try:
        wanted = targets.wanted() if options.targets else None
        chosen = select(programs(), wanted, mode)
        figures = {**measure(chosen, mode), **instructions()}
        rows = targets.judge(figures)
    except results.Failed as failed:
        print(f"bench/run.sh: {failed}", file=sys.stderr)
        return 1
    took = f"{time.monotonic() - started:.0f} s"
    if options.quick:
        print(f"{len(figures)} benchmarks and {len(rows)} targets have their "
              f"figures ({took})")
        return 0
    if not options.targets:
        WRITTEN.write_text(json.dumps({"machine": where, "figures": figures},
                                      indent=1) + "\n", encoding="utf-8")
        print(f"figures are in {WRITTEN.relative_to(ROOT)}", file=sys.stderr)
    print(json.dumps(rows, indent=1) if options.json else targets.table(rows))
    print(f"took {took}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
