#!/usr/bin/env python3
"""What bench/demo.sh builds, when, and what it leaves to the demo."""

import os
import shutil
import unittest

import sandbox

# Leaves what the real one leaves, and a demo that tells how it was run.
CMAKE = """\
echo "cmake $*"
mkdir -p build/release/bench/demo
if [[ $* == *--preset* && $* != *--build* ]]; then
  echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >build/release/CMakeCache.txt
  touch build/release/build.ninja
fi
demo=build/release/bench/demo/hotplate-demo
printf '%s\\n' '#!/usr/bin/env bash' 'echo "demo in $PWD:" "${@@Q}"' >$demo
printf '%s\\n' 'exit 7' >>$demo
chmod +x $demo
"""
CONFIGURED = "cmake --fresh --preset release\n"
BUILT = "cmake --build --preset release --target hotplate-demo\n"


class DemoScript(sandbox.Sandbox):
    def setUp(self):
        super().setUp()
        (self.bin / "chmod").symlink_to(shutil.which("chmod"))
        self.stand_in("cmake", CMAKE)
        self.presets = self.root / "CMakePresets.json"
        self.presets.touch()
        os.utime(self.presets, (1, 1))

    def demo(self, *arguments, **options):
        return self.run_script("bench/demo.sh", *arguments,
                               HOTPLATE_NO_INSTALL="1", **options)

    def test_the_first_run_configures_and_builds(self):
        self.assertEqual(self.demo().stderr, CONFIGURED + BUILT)

    def test_the_second_run_does_not_configure_again(self):
        self.demo()

        self.assertEqual(self.demo().stderr, BUILT)

    def test_new_presets_configure_again(self):
        self.demo()
        os.utime(self.presets, (2**32, 2**32))

        self.assertEqual(self.demo().stderr, CONFIGURED + BUILT)

    def test_a_copied_checkout_configures_again(self):
        self.demo()
        copy = self.top / "copy"
        shutil.copytree(self.root, copy)

        self.assertEqual(self.demo(root=copy).stderr, CONFIGURED + BUILT)

    def test_the_demo_gets_arguments_and_place_and_gives_its_status(self):
        elsewhere = self.top / "else where"
        elsewhere.mkdir()

        ran = self.demo("--files", "a b", "*", cwd=elsewhere)

        self.assertEqual(ran.stdout,
                         f"demo in {elsewhere}: '--files' 'a b' '*'\n")
        self.assertEqual(ran.returncode, 7)

    def test_a_relative_path_to_it_is_no_matter_of_cdpath(self):
        decoy = self.top / "decoy"
        (decoy / "bench").mkdir(parents=True)

        ran = self.run_script("bench/demo.sh", cwd=self.root,
                              root=self.root.relative_to(self.root),
                              HOTPLATE_NO_INSTALL="1", CDPATH=str(decoy))

        self.assertEqual((ran.returncode, ran.stdout),
                         (7, f"demo in {self.root}:\n"))

    def test_a_failed_build_runs_no_older_demo(self):
        self.demo()
        self.stand_in("cmake", "echo broken; exit 3\n")

        ran = self.demo()

        self.assertEqual((ran.returncode, ran.stdout, ran.stderr),
                         (3, "", "broken\n"))

    def test_missing_packages_end_it(self):
        ran = self.run_script("bench/demo.sh")

        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("Please install these", ran.stderr)


if __name__ == "__main__":
    unittest.main()
