"""Figures of benchmarks, by name: read from what Google Benchmark writes, and
joined over repetitions and processes.

A figure is the median of the processes' medians; "ns" is the time of one
operation, the others are the benchmark's counters.
"""

import re
import statistics

# What Google Benchmark adds to a name that says nothing about the workload.
ADDED = re.compile(
    r"/(real_time|manual_time|process_time|(iterations|repeats|min_time):[^/]*)")
NOT_COUNTERS = {
    "family_index", "per_family_instance_index", "repetitions",
    "repetition_index", "threads", "iterations", "real_time", "cpu_time",
    "items_per_second"}
IN_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


class Failed(Exception):
    """A benchmark did not work; says which one, and how."""


def plain(name):
    """The name as the source has it: workload/variant/arguments."""
    return ADDED.sub("", name)


def figures_of(run):
    """{what: value} of one repetition."""
    found = {what: value for what, value in run.items()
             if what not in NOT_COUNTERS and isinstance(value, (int, float))
             and not isinstance(value, bool)}
    if "items_per_second" in run:
        found["ns"] = 1e9 / run["items_per_second"]
    else:
        found["ns"] = run["real_time"] * IN_NS[run["time_unit"]]
    return found


def of_process(document):
    """{name: {what: median of the repetitions}} of one program's JSON."""
    runs = {}
    for run in document["benchmarks"]:
        if run.get("error_occurred"):
            raise Failed(f"{run['name']}: {run['error_message']}")
        if run["run_type"] == "iteration":
            runs.setdefault(plain(run["name"]), []).append(figures_of(run))
    return {name: medians(all_runs) for name, all_runs in runs.items()}


def medians(samples):
    """{what: median} of several such; what one of them lacks is left out."""
    shared = set.intersection(*(set(sample) for sample in samples))
    return {what: statistics.median(sample[what] for sample in samples)
            for what in sorted(shared)}


def join(processes):
    """The same of all processes together, whatever each of them ran."""
    samples = {}
    for process in processes:
        for name, figures in process.items():
            samples.setdefault(name, []).append(figures)
    return {name: medians(several) for name, several in samples.items()}
