"""Runs the demo, which is the first argument of each of these tests."""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

DEMO = str(pathlib.Path(sys.argv[1]).resolve()) if sys.argv[1:] else ""
QUICK = ["--rounds", "1", "--concurrency", "1"]


class DemoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def demo(self, *arguments, **options):
        started = time.monotonic()
        ran = subprocess.run(
            [DEMO, *map(str, arguments)], check=False, timeout=100,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
               "stderr": subprocess.PIPE, "cwd": self.folder, "text": True,
               **options})
        self.seconds = time.monotonic() - started
        return ran

    def assert_refused(self, message, *arguments):
        """Nothing but `message` is printed, and the exit status is 2."""
        ran = self.demo(*arguments)
        self.assertEqual((ran.returncode, ran.stdout), (2, ""), arguments)
        self.assertIn(message, ran.stderr)
        self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)

    def json_of(self, *arguments, **options):
        ran = self.demo("--json", *QUICK, *arguments, **options)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return json.loads(ran.stdout, parse_constant=self.fail)


def main():
    del sys.argv[1:2]  # The rest is for unittest.
    unittest.main()
