#!/usr/bin/env python3
"""How bench/measure.py runs programs, with a stand-in for one."""

import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
# pylint: disable=wrong-import-position
import measure
import results

# Knows two benchmarks; notes how it was called; runs what the filter lets.
STAND_IN = """\
    #!/usr/bin/env python3
    import json, pathlib, re, sys
    names = ["a/b/real_time", "a/c/real_time"]
    flags = dict(each[len("--benchmark_"):].partition("=")[::2]
                 for each in sys.argv[1:])
    if "list_tests" in flags:
        print("\\n".join(names))
        sys.exit()
    with open(pathlib.Path(__file__).with_name("calls"), "a") as calls:
        print(flags["repetitions"], file=calls)
    sys.stderr.write("what went wrong")
    found = [{"name": name, "run_type": "iteration", "real_time": 7,
              "time_unit": "ns"}
             for name in names if re.search(flags["filter"], name)]
    with open(flags["out"], "w") as out:
        json.dump({"benchmarks": found}, out)
    sys.exit(STATUS)
    """


class MeasureTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def stand_in(self, status=0):
        program = self.folder / "bench_stand_in"
        program.write_text(
            textwrap.dedent(STAND_IN).replace("STATUS", str(status)))
        program.chmod(0o755)
        return program

    def measured(self, wanted, mode, status=0):
        chosen = measure.select([self.stand_in(status)], wanted, mode)
        with contextlib.redirect_stderr(io.StringIO()) as progress:
            return measure.measure(chosen, mode), progress.getvalue()

    def test_only_what_is_wanted_is_run(self):
        found, _ = self.measured({"a/c"}, measure.QUICK)
        self.assertEqual(found, {"a/c": {"ns": 7}})
        self.assertEqual(
            set(self.measured(None, measure.QUICK)[0]), {"a/b", "a/c"})

    def test_what_has_a_target_runs_in_three_processes_seven_times(self):
        _, progress = self.measured(None, measure.FULL)
        self.assertEqual((self.folder / "calls").read_text(), "7\n7\n7\n")
        self.assertIn("[  3/3] bench_stand_in", progress)

    def test_a_program_that_fails_is_named_with_what_it_said(self):
        with self.assertRaisesRegex(
                results.Failed, "bench_stand_in ended with 3:\nwhat went wrong"):
            self.measured(None, measure.QUICK, status=3)

    def test_a_wrong_option_is_refused_before_anything_is_built(self):
        ran = subprocess.run([HERE.parent / "run.sh", "--fast"], text=True,
                             capture_output=True, check=False)
        self.assertEqual((ran.returncode, ran.stdout), (2, ""))
        self.assertIn("unrecognized arguments: --fast", ran.stderr)

    def test_figures_that_mean_nothing_are_not_printed(self):
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(
                io.StringIO()) as said:
            measure.parse(["--quick", "--json"])
        self.assertIn("--quick has no figures", said.getvalue())

    def test_help_names_each_option(self):
        ran = subprocess.run([HERE.parent / "run.sh", "--help"], text=True,
                             capture_output=True, check=False)
        self.assertEqual(ran.returncode, 0)
        for option in ("--quick", "--targets", "--json"):
            self.assertIn(option, ran.stdout)


if __name__ == "__main__":
    unittest.main()
