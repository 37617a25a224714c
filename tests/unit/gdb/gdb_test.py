#!/usr/bin/env python3
"""What the gdb commands of lib/gdb show of suspended fibers.

`gdb_test.py GDB PARKED_O0 PARKED_O3 OTHER_VERSION`: live where ptrace is
permitted, and from a core dump where one can be had.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from debugger import ROOT, SCRIPT, STOP, dump_of, run_gdb, why_not_live

PARKED_O0, PARKED_O3, OTHER_VERSION = sys.argv[2:5]

# Inlined functions are frames as well; `frame function` takes the innermost.
GO_TO_NAP = ("python while 'innermost_nap' not in gdb.selected_frame().name(): "
             "gdb.selected_frame().older().select()")


def line_of(code):
    """Where that stands in parked.cpp."""
    text = pathlib.Path(__file__).with_name("parked.cpp").read_text()
    return text[:text.index(code)].count("\n") + 1


class Fibers:
    """What is the same live and from a dump, at -O0 and at -O3."""

    COMMANDS = ["up", "frame", "hotplate engines", "hotplate fibers",
                "hotplate bt 1 -full", "hotplate bt 2", "hotplate bt 3",
                "hotplate bt 5", "hotplate bt 7", "hotplate bt",
                "hotplate bt 99", "hotplate frame 1 99", "frame",
                "hotplate frame 1 1", GO_TO_NAP, "info locals", "print depth",
                "hotplate bt 5", "frame", "hotplate frame off", "frame", "bt"]
    mode = "workers"

    @classmethod
    def session(cls):
        """(commands before, further arguments); skips the class where it
        cannot be had."""
        if why_not_live():
            raise unittest.SkipTest(why_not_live())
        return [STOP, f"run {cls.mode}"], []

    @classmethod
    def setUpClass(cls):
        first, arguments = cls.session()
        said = run_gdb(first + cls.COMMANDS, cls.program, *arguments)[len(first):]
        cls.all = list(zip(cls.COMMANDS, said))
        cls.said = dict(cls.all)

    def rows(self):
        return [line.split() for line in
                self.said["hotplate fibers"].splitlines() if line[:1].isdigit()]

    def frames(self, command):
        """The names of the functions, the innermost first."""
        return [match.group(1) for match in re.finditer(
            r"^#\d+ +(?:0x\w+ in )?(.*) at \S+$", self.said[command], re.M)]

    def assert_calls(self, command, *names):
        """Those are on the stack, each called by the next one."""
        at = 0
        frames = self.frames(command)
        for name in names:
            found = [i for i in range(at, len(frames)) if name in frames[i]]
            self.assertTrue(found, f"no {name} in {self.said[command]}")
            at = found[0] + 1

    def test_no_command_failed_in_python(self):
        for command, said in self.all:
            self.assertNotIn("Python", said, command)

    def test_the_engine_is_found(self):
        self.assertIn('engine "kitchen" ', self.said["hotplate engines"])
        self.assertEqual(self.said["hotplate engines"].count("engine "), 1)

    def test_all_in_flight_are_listed_with_their_place(self):
        waits = {"nap": "ctx.sleep_for", "permit": "gate.acquire",
                 "result": "started.get", "outer": "child(first)"}
        rows = self.rows()[:6]

        self.assertEqual([row[1] for row in rows], [
            "nap", "permit", "result", "nap", "outer", "nap"])
        for row in rows:
            self.assertEqual(row[3], "suspended")
            self.assertTrue(row[-2].endswith(f"parked.cpp:{line_of(waits[row[1]])}"),
                            row)
            low, high = (int(end, 16) for end in row[-4].split("-"))
            self.assertEqual(high - low, 256 << 10)
            self.assertTrue(0 < int(row[-3]) < 64 << 10, row)
            self.assertRegex(row[-1], r"^\w{8}(-\w{4}){3}-\w{12}$")

    def test_a_sleeper_shows_all_its_frames(self):
        self.assert_calls("hotplate bt 1 -full", "fiber::switch_to",
                          "sleep_for", "innermost_nap", "middle_nap",
                          "core::run", "fiber::enter")
        self.assertIn("fiber::enter", self.frames("hotplate bt 1 -full")[-1])

    def test_callers_registers_are_restored(self):
        said = self.said["hotplate bt 1 -full"]

        self.assertIn("secret = 4007", said)
        self.assertIn("kept = 6", said)
        self.assertRegex(said, r"innermost_nap\(.*depth=4\)")

    def test_who_waits_for_a_permit_shows_where(self):
        self.assert_calls("hotplate bt 2", "semaphore::acquire",
                          "wait_for_permit", "core::run")

    def test_who_waits_for_a_pending_shows_where(self):
        self.assert_calls("hotplate bt 3", "core::wait_as_fiber",
                          "wait_for_result", "core::run")

    def test_who_waits_for_a_nested_call_shows_where(self):
        self.assert_calls("hotplate bt 5", "core::run_directly",
                          "call_and_wait", "core::run")

    def test_all_suspended_ones_are_shown_at_once(self):
        said = self.said["hotplate bt"]

        self.assertEqual(len(re.findall(r"^\d+: ", said, re.M)),
                         7 if self.mode == "workers" else 6)
        for name in ("innermost_nap", "wait_for_permit", "wait_for_result",
                     "call_and_wait"):
            self.assertIn(name, said)

    def test_who_is_not_suspended_is_told_apart(self):
        self.assertRegex(
            self.said["hotplate bt 7"],
            r"busy \(\S+\) is running on thread (\d+), not suspended: its "
            r"frames are those of `thread apply \1 bt`")

    def test_a_frame_can_be_selected_with_its_variables(self):
        self.assertIn("detail::jump", self.said["hotplate frame 1 1"])
        self.assertIn("secret = 4007", self.said["info locals"])
        self.assertIn("= 4", self.said["print depth"])

    def test_gdb_selects_what_it_had_selected_whatever_happened(self):
        frames = [said.splitlines()[0] for command, said in self.all
                  if command == "frame"]

        self.assertTrue(frames[0].startswith("#1 "), frames[0])
        self.assertEqual(frames[1], frames[0])
        self.assertIn("innermost_nap", frames[2])
        self.assertEqual(frames[3], frames[0])
        self.assertNotIn("innermost_nap", self.said["bt"])
        self.assertIn("#0 ", self.said["bt"])

    def test_what_is_not_there_is_refused(self):
        self.assertIn("no invocation 99 is in flight",
                      self.said["hotplate bt 99"])
        self.assertIn("this fiber has no frame 99",
                      self.said["hotplate frame 1 99"])


class LiveO0(Fibers, unittest.TestCase):
    program = PARKED_O0


class LiveO3(Fibers, unittest.TestCase):
    program = PARKED_O3


class PumpedO3(Fibers, unittest.TestCase):
    program, mode = PARKED_O3, "pumped"

    def test_who_is_not_suspended_is_told_apart(self):
        self.assertIn("is queued, not suspended: it has no frames to show",
                      self.said["hotplate bt 7"])


class Dump(Fibers):
    @classmethod
    def session(cls):
        core = dump_of(cls.program, FOLDER)
        if core is None:
            raise unittest.SkipTest("no core dump can be had")
        return [], [core]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "does not hold" in cls.said["hotplate bt"]:
            raise unittest.SkipTest("only gdb dumps here, without stacks")


class DumpO0(Dump, unittest.TestCase):
    program = PARKED_O0


class DumpO3(Dump, unittest.TestCase):
    program = PARKED_O3


@unittest.skipIf(why_not_live(), why_not_live())
class Sessions(unittest.TestCase):
    def test_one_engine_can_be_named(self):
        said = run_gdb([STOP, "run pumped", "up", "hotplate use open.engine",
                        "hotplate use &open.engine", "hotplate use 1 + 1",
                        "hotplate use nothing", "hotplate fibers"], PARKED_O0)

        self.assertIn('engine "kitchen" (host-pumped)', said[3])
        self.assertEqual(said[4], said[3])
        self.assertIn("1 + 1 is no engine", said[5])
        self.assertIn("nothing", said[6])
        self.assertIn("permit", said[7])

    def test_a_selected_fiber_is_left_when_the_program_goes_on(self):
        said = run_gdb([STOP, "run workers", "hotplate frame 1 1", "continue",
                        "bt"], PARKED_O0)

        self.assertIn("SIGABRT", said[3])
        self.assertIn("abort", said[4])
        self.assertIn("#0 ", said[4])
        self.assertNotIn("innermost_nap", said[4])

    def test_a_dump_by_gdb_shows_frames_or_says_what_it_lacks(self):
        core = f"{FOLDER}/by_gdb"
        run_gdb([STOP, "run workers", f"generate-core-file {core}"], PARKED_O0)

        said = run_gdb(["hotplate fibers", "hotplate bt 1"], PARKED_O0, core)

        self.assertRegex(said[0], "parked.cpp:.*|not in this dump")
        self.assertRegex(said[1], "innermost_nap|does not hold the fibers' stacks")
        self.assertNotIn("Python", said[1])

    def test_without_an_engine_it_is_said_what_to_do(self):
        said = run_gdb(["hotplate fibers", "break main", "run pumped",
                        "hotplate fibers"], PARKED_O3)

        self.assertIn("no process and no core dump", said[0])
        self.assertIn("no engine found", said[3])
        self.assertIn("hotplate use EXPRESSION", said[3])

    def test_another_version_is_named(self):
        said = run_gdb(["break main", "run", "hotplate engines"], OTHER_VERSION)

        self.assertIn("are for v0_1; this program was built with v9_9", said[2])

    def test_missing_debug_information_is_named(self):
        plain = f"{FOLDER}/stripped"
        shutil.copy(PARKED_O3, plain)
        subprocess.run(["strip", "-g", plain], check=True)

        said = run_gdb([STOP, "run pumped", "hotplate fibers"], plain)

        self.assertIn("no debug information of hotplate", said[2])


class Version(unittest.TestCase):
    def test_the_commands_are_for_this_version(self):
        header = (ROOT / "include/hotplate/version.hpp").read_text()
        script = SCRIPT.with_name("hotplate_records.py").read_text()

        named = re.findall(r"define HOTPLATE_ABI (\w+)", header)
        version = re.search(r'VERSION = "(\w+)"', script).group(1)

        self.assertEqual(set(named), {
            version + build + checks for build in ("", "_asan", "_tsan")
            for checks in ("", "_checked")})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as FOLDER:
        unittest.main(argv=sys.argv[:1])
