"""Runs gdb with the commands of lib/gdb, live or on core dumps."""

import functools
import pathlib
import resource
import subprocess
import sys

GDB = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "lib" / "gdb" / "hotplate_gdb.py"
STOP = "break all_stand_still"


def run_gdb(commands, program, *more):
    """What gdb prints for each command, in their order."""
    arguments = [GDB, "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off",
                 "-ex", "set width 0", "-ex", f"source {SCRIPT}"]
    for number, command in enumerate(commands):
        arguments += ["-ex", f"echo @@{number}\\n", "-ex", command]
    run = subprocess.run(arguments + [program, *more], text=True, timeout=60,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False)
    return [part.partition("\n")[2] for part in run.stdout.split("@@")[1:]]


@functools.cache
def why_not_live(program="/bin/true"):
    """None if gdb may run programs here."""
    said = run_gdb(["run"], program)[0]
    return None if "exited normally" in said else f"gdb runs nothing: {said}"


def may_dump():
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


@functools.cache
def dump_of(program, scratch):
    """A core dump by the kernel, or else by gdb; None where neither works."""
    folder = pathlib.Path(scratch) / pathlib.Path(program).name
    folder.mkdir()
    subprocess.run([program, "workers"], cwd=folder, preexec_fn=may_dump,
                   timeout=60, check=False)
    if not list(folder.glob("*core*")) and not why_not_live():
        run_gdb([STOP, "run workers", f"generate-core-file {folder}/core"],
                program)
    return next(map(str, folder.glob("*core*")), None)
