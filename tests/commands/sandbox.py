"""A copy of the scripts in a temporary folder, run with a PATH of stand-ins."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ["bench/demo.sh", "tests/packages.sh"]
NOBODY = 65534


class Sandbox(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # Not all of it: the folder itself lets only its owner in.
        os.chmod(folder.name, 0o755)
        self.top = pathlib.Path(folder.name).resolve()
        self.root = self.top / "checkout"
        self.bin = self.top / "bin"
        self.bin.mkdir()
        for script in SCRIPTS:
            (self.root / script).parent.mkdir(parents=True)
            shutil.copy(ROOT / script, self.root / script)
        for tool in ["bash", "env", "dirname", "grep", "mkdir", "touch"]:
            (self.bin / tool).symlink_to(shutil.which(tool))

    def stand_in(self, name, script, folder=None):
        """Makes a program of that name."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/usr/bin/env bash\n" + script)
        path.chmod(0o755)
        return path

    def run_script(self, script, *arguments, cwd=None, as_nobody=False,
                   root=None, **environment):
        unprivileged = as_nobody and os.geteuid() == 0
        return subprocess.run(
            [shutil.which("bash"), (root or self.root) / script, *arguments],
            cwd=cwd or self.top, env={"PATH": str(self.bin), **environment},
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=30,
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []}
               if unprivileged else {}))
