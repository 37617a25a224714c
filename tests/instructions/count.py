#!/usr/bin/env python3
"""Counts the instructions of one warm invocation and judges the count.

`count.py PROGRAM COMPILER` runs `PROGRAM N MODE` under callgrind for two N;
the difference divided by the difference of N leaves start and end out. The
committed figures stand in figures.json, by compiler and mode. Instructions
repeat exactly where time does not, so 2 % more is a change of the code. Modes
in SAME may not cost a load, a comparison and a branch more than the mode they
stand beside; start and end vary by one or two.

`--update` writes what was measured as the new figures.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

FIGURES = pathlib.Path(__file__).with_name("figures.json")
FEW, MANY = 10_000, 110_000  # What start and end vary by is 50,000.
TOLERANCE = 0.02
SAME = {"bounded": "unbounded"}  # A deadline costs nothing but its clock reads.
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def collected(callgrind_output):
    """The number of instructions in what callgrind prints at its end."""
    found = re.search(r"Collected : (\d+)", callgrind_output)
    if not found:
        raise SystemExit(f"callgrind printed no count:\n{callgrind_output}")
    return int(found.group(1))


def instructions(program, invocations, mode):
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         program, str(invocations), mode],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        check=False)
    if run.returncode != 0:
        raise SystemExit(f"{program} {invocations} {mode} ended with "
                         f"{run.returncode}:\n{run.stderr}")
    return collected(run.stderr)


def measure(program, mode):
    many = instructions(program, MANY, mode)
    few = instructions(program, FEW, mode)
    return round((many - few) / (MANY - FEW), 1)


def verdict(measured, committed):
    """(passed, what to say) of one figure."""
    if committed is None:
        return False, "no committed figure: count.py --update"
    change = measured / committed - 1
    if measured > committed * (1 + TOLERANCE):
        return False, f"{change:+.1%}: dearer than committed"
    if measured < committed * (1 - TOLERANCE):
        return True, f"{change:+.1%}: lower the committed figure (count.py --update)"
    return True, f"{change:+.1%}"


def extra(measured, beside):
    """(passed, what to say) of a mode that is to cost no more than another."""
    more = measured - beside
    return more < 3, f"{more:+.1f} instructions beside it"


def judge(program, compiler, figures):
    """Measures each mode of the compiler; prints a table; True if all pass."""
    all_passed = True
    print(f"instructions per invocation, {compiler}")
    print(f"{'mode':<24}{'measured':>10}{'committed':>11}")
    for mode, committed in figures[compiler].items():
        measured = measure(program, mode)
        passed, remark = verdict(measured, committed)
        all_passed = all_passed and passed
        print(f"{mode:<24}{measured:>10}{committed or '-':>11}  {remark}")
        figures[compiler][mode] = measured
    for mode, beside in SAME.items():
        passed, remark = extra(figures[compiler][mode],
                               figures[compiler][beside])
        all_passed = all_passed and passed
        print(f"{mode}, {beside}: {remark}")
    return all_passed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("compiler", help='such as "g++ 12 x86_64"')
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()

    figures = json.loads(FIGURES.read_text())
    if arguments.compiler not in figures:
        print(f"no figures for {arguments.compiler} in {FIGURES.name}")
        return SKIPPED
    passed = judge(arguments.program, arguments.compiler, figures)
    if arguments.update:
        FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
        return 0
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
