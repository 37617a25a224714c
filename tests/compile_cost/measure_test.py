#!/usr/bin/env python3
"""Shows that measure.py can fail."""

import pathlib
import tempfile
import unittest

import measure


def costs(ours, fiber, tbb):
    names = [measure.OURS, *measure.PEERS]
    return {name: (ms, 0) for name, ms in zip(names, [ours, fiber, tbb])}


class MeasureTest(unittest.TestCase):
    def test_a_little_dearer_than_the_dearer_peer_passes(self):
        self.assertTrue(measure.within_bound(costs(1149, 500, 1000)))

    def test_dearer_than_that_fails(self):
        self.assertFalse(measure.within_bound(costs(1151, 500, 1000)))

    def test_costs_are_measured(self):
        headers = [measure.OURS, *measure.PEERS]
        with tempfile.TemporaryDirectory() as folder:
            for header in headers:
                path = pathlib.Path(folder, header)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("#include <iostream>\n")
            found = measure.measure(["g++", "-std=c++20", "-I", folder],
                                    headers)

        least, lines = found[measure.OURS]
        self.assertGreater(least, 0)
        self.assertGreater(lines, 100)


if __name__ == "__main__":
    unittest.main()
