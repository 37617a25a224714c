#!/usr/bin/env python3
"""What tests/packages.sh does on systems that lack packages."""

import os
import unittest

import sandbox

# Says that all packages are installed but one.
DPKG_QUERY = """\
[[ ${!#} == libpng-dev ]] && exit 1
printf ' installed'
"""
APT_GET = 'echo "apt-get $*"\n'


class Packages(sandbox.Sandbox):
    def install(self, **options):
        return self.run_script("tests/packages.sh", **options)

    def have_apt(self, apt_get=APT_GET, dpkg_query=DPKG_QUERY):
        self.stand_in("apt-get", apt_get)
        self.stand_in("dpkg-query", dpkg_query)

    def test_where_nothing_is_missing_nothing_is_done(self):
        self.have_apt(dpkg_query="printf ' installed'\n")

        ran = self.install(as_nobody=True)

        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "", ""))

    def test_a_package_may_be_installed_for_two_architectures(self):
        self.have_apt(dpkg_query="printf ' installed installed'\n")

        self.assertEqual(self.install(as_nobody=True).returncode, 0)

    def test_a_package_of_which_only_settings_are_left_is_missing(self):
        self.have_apt(dpkg_query="printf ' config-files'\n")

        ran = self.install(as_nobody=True)

        self.assertNotEqual(ran.returncode, 0)
        self.assertIn("libfmt-dev", ran.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_root_installs_what_is_missing_and_removes_nothing(self):
        self.have_apt()

        ran = self.install()

        self.assertEqual((ran.returncode, ran.stdout), (0, ""))
        self.assertIn("apt-get -y install --no-install-recommends --no-remove "
                      "libpng-dev\n", ran.stderr)

    def test_others_install_through_sudo(self):
        self.have_apt()
        self.stand_in("sudo", 'echo "sudo $1"\nexec "$@"\n')

        ran = self.install(as_nobody=True)

        self.assertEqual((ran.returncode, ran.stdout), (0, ""))
        self.assertIn("sudo env\n", ran.stderr)
        self.assertIn("--no-remove libpng-dev\n", ran.stderr)

    def test_without_sudo_it_says_what_to_install(self):
        self.have_apt()

        ran = self.install(as_nobody=True)

        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("this needs root or sudo", ran.stderr)
        self.assertIn("(Debian 12 names): libpng-dev\n", ran.stderr)

    def test_where_sudo_refuses_it_says_what_to_install(self):
        self.have_apt()
        self.stand_in("sudo", "exit 1\n")

        ran = self.install(as_nobody=True)

        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("(Debian 12 names): libpng-dev\n", ran.stderr)

    def test_without_apt_it_says_what_to_install(self):
        ran = self.install()

        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("this system has no apt", ran.stderr)
        for package in ["g++", "cmake", "libfmt-dev", "libpng-dev"]:
            self.assertIn(f" {package}", ran.stderr)

    def test_package_lists_are_refreshed_once_where_installing_failed(self):
        self.have_apt(apt_get=APT_GET + "exit 100\n")
        self.stand_in("sudo", 'exec "$@"\n')

        ran = self.install(as_nobody=True)

        self.assertEqual(ran.returncode, 1)
        self.assertEqual(ran.stderr.count("apt-get -y update\n"), 1)

    def test_whoever_has_them_from_elsewhere_can_say_so(self):
        ran = self.install(HOTPLATE_NO_INSTALL="1")

        self.assertEqual((ran.returncode, ran.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
